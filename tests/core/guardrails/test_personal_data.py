from __future__ import annotations

import hashlib
import json
import uuid
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.guardrails.personal_data import PERSONAL_DATA, detect_personal_data
from agent_factory.core.guardrails.redaction import redact_personal_data
from tests.core.guardrails.looking import look

FOUND = {
    "email": ["ann@example.org", "o'neil+news@mail.example.co.uk", "j\u00fcrgen@m\u00fcller.de"],
    "phone": [
        "+14155550123",
        "+49 (0)30 1234567",
        "+44 20 7946 0958",
        "+33 1 23 45 67 89",
        "(415) 555-0123",
        "415-555-0123",
        "1-415-555-0123",
        "415.555.0123",
        "415 555-0123",
        "020 7946 0958",
        "07700 900123",
        "(0161) 496 0000",
        "01 23 45 67 89",
        "030/1234567",
        "0171 12345678",
    ],
    "iban": [
        "DE89370400440532013000",
        "DE89 3704 0044 0532 0130 00",
        "GB82 WEST 1234 5698 7654 32",
        "NO9386011117947",
        "mt84malt011000012345mtlcast001s",
    ],
    "card": [
        "4111111111111111",
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "5555555555554444",
        "2223003122003222",
        "378282246310005",
        "3782 822463 10005",
        "30569309025904",
        "6011111111111117",
        "3530111333300000",
    ],
    "ip": ["192.168.1.17", "8.8.8.8", "2001:db8::8a2e:370:7334", "fe80::1", "::ffff:8.8.8.8"],
    "ssn": ["123-45-6789", "SSN: 123456789", "social security number is 123 45 6789"],
}


@pytest.mark.parametrize(
    ("kind", "item"), [(kind, item) for kind, items in FOUND.items() for item in items]
)
@pytest.mark.parametrize("frame", ["{}", "Write to {}, please.", "({})", "\n{}\n", "<{}>", '"{}"'])
def test_personal_data_is_replaced_by_its_kind(kind: Any, item: str, frame: str) -> None:
    assert redact_personal_data(frame.format(item)) == frame.format(f"[{kind}]")
    assert redact_personal_data(frame.format(item), [kind]) == frame.format(f"[{kind}]")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4111 1111 1111 1111 123", "[card] 123"),
        ("+49 171 1234567 2024", "[phone] 2024"),
        ("10.0.0.1-10.0.0.9", "[ip]-[ip]"),
        ("2001:db8::1: it is down", "[ip]: it is down"),
    ],
)
def test_number_that_follows_is_not_a_part_of_it(text: str, expected: str) -> None:
    assert redact_personal_data(text) == expected


def test_kinds_that_were_not_asked_for_stay() -> None:
    text = "ann@example.org, 415-555-0123"

    assert redact_personal_data(text, ["phone"]) == "ann@example.org, [phone]"


@pytest.mark.parametrize(
    "text",
    [
        "550e8400-e29b-41d4-a716-446655440000",
        "12345678-0123-4123-8123-123456789012",
        "on 2024-11-24 at 10:30:45, 24.11.2024 10.30, 11/24/2024, 01.02.23 10.30",
        "2024-11-24T10:30:45.123456+01:00, 20241124103045, 1732443045123456",
        "version 1.2.3.4, v10.0.19041.1, release 4.3.2.1, pkg==1.2.3.4, nginx-1.2.3.4, 1.2.3",
        "3.14159265358979, 0.4111111111111111, 1,234,567,890, 200 300 4000",
        "ISBN 978-3-16-148410-0, order 4711-0815, 1234567890123456, part 000-12-3456",
        "4111111111111112, DE88370400440532013000, 987-65-4321",
        "A::B, std::vector, data[::4], data[1::4], 10:30:45, 00:1A:2B:3C:4D:5E, ::1, 127.0.0.1, 0.0.0.0",
        "@decorator, user@host, a @ b, npm i @scope/pkg@1.2.3, 1+1=2, C++17, UTC+1 2024",
        "pages 100-200, 1990-2024, 1-2-3, 50 000 000, +5 points, 12/24, 3 x 4",
        "The quick brown fox jumps over 13 lazy dogs, 7 times a day, since 1984.",
    ],
)
def test_what_only_looks_a_little_like_personal_data_stays(text: str) -> None:
    assert redact_personal_data(text) == text


fast = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@fast
@given(seed=st.binary(), when=st.datetimes())
def test_identifiers_hashes_and_dates_stay(seed: bytes, when: datetime) -> None:
    digest = hashlib.sha256(seed)
    text = (
        f"{uuid.UUID(bytes=digest.digest()[:16], version=4)} {digest.hexdigest()} {digest.hexdigest()[:7]} "
        f"{when.isoformat()} {when:%d.%m.%Y %H:%M} {when:%m/%d/%Y} {when:%d %m %Y} {when:%Y%m%d}"
    )

    assert redact_personal_data(text) == text


def add_luhn_digit(digits: str) -> str:
    doubled = [int(digit) * (2 - place % 2) for place, digit in enumerate(reversed(digits))]
    total = sum(value // 10 + value % 10 for value in doubled)
    return f"{digits}{-total % 10}"


words = st.text(st.characters(categories=["L", "Zs", "Po"]), max_size=20).map(
    lambda text: text.replace("@", "")
)


@fast
@given(
    card=st.one_of(
        st.tuples(st.just("4"), st.integers(10**13, 10**14 - 1)),
        st.tuples(st.integers(51, 55), st.integers(10**12, 10**13 - 1)),
        st.tuples(st.integers(2221, 2720), st.integers(10**10, 10**11 - 1)),
        st.tuples(st.sampled_from(["34", "37"]), st.integers(10**11, 10**12 - 1)),
        st.tuples(st.just("6011"), st.integers(10**10, 10**11 - 1)),
    ).map(lambda parts: add_luhn_digit(f"{parts[0]}{parts[1]}")),
    before=words,
    after=words,
    gap=st.sampled_from(["", " ", "-"]),
)
def test_every_valid_card_is_found_in_any_prose(
    card: str, before: str, after: str, gap: str
) -> None:
    if len(card) == 16:
        card = gap.join(card[place : place + 4] for place in range(0, 16, 4))
    text = f"{before} {card} {after}"

    assert redact_personal_data(text, ["card"]) == f"{before} [card] {after}"


@fast
@given(digits=st.integers(10**17, 10**18 - 1), gap=st.sampled_from(["", " "]), before=words)
def test_every_valid_iban_is_found_in_any_prose(digits: int, gap: str, before: str) -> None:
    check = 98 - int(f"{digits}131400") % 97
    iban = f"DE{check:02}{digits}"
    iban = gap.join(iban[place : place + 4] for place in range(0, len(iban), 4))

    assert redact_personal_data(f"{before} {iban}.", ["iban"]) == f"{before} [iban]."
    wrong = iban.replace(f"DE{check:02}", f"DE{(check + 1) % 100:02}", 1)
    assert redact_personal_data(f"{before} {wrong}.", ["iban"]) == f"{before} {wrong}."


def test_reason_counts_and_does_not_repeat() -> None:
    verdict = look(detect_personal_data(action="block"), "a@b.com, c@d.com, 8.8.8.8", "input")

    assert verdict.decision == "block"
    assert verdict.reason == "the text has personal data: 2 email, 1 ip; leave it out"


@pytest.mark.parametrize("action", ["redact", "block", "retry"])
def test_text_without_personal_data_passes(action: Any) -> None:
    assert look(detect_personal_data(action=action), "Good morning.").decision == "allow"


def test_redacted_arguments_are_json_and_otherwise_as_they_were() -> None:
    text = '{ "a@b.com": 1.50, "c@d.com":[4111111111111111, "\\u0061@b.com"], "n": {"x": "a\\nb"} }'

    verdict = look(detect_personal_data(), text, "tool_call")

    assert verdict.decision == "replace"
    assert verdict.replacement == (
        '{ "[email]": 1.50, "[email] 2":["[card]", "[email]"], "n": {"x": "a\\nb"} }'
    )


def test_json_in_a_string_of_json_stays_json() -> None:
    text = json.dumps({"body": json.dumps({"to": "a@b.com", "n": 1})})

    verdict = look(detect_personal_data(), text, "tool_call")

    assert json.loads(json.loads(verdict.replacement)["body"]) == {"to": "[email]", "n": 1}


@pytest.mark.parametrize("kinds", [[], ["name"], "email", ["email", "name"]])
def test_unknown_kind_is_refused_with_the_known_ones(kinds: Any) -> None:
    with pytest.raises(ConfigurationError, match=", ".join(PERSONAL_DATA)):
        detect_personal_data(kinds)
