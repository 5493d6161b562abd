from __future__ import annotations

import base64
import html
import json
import re
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from agent_factory.core.permissions import Grant
from tests.core.permissions.granting import create_grant

SECRET = 'pa"s/s w+r\u00f6d&<1>'


def create_used(*secrets: str) -> Grant:
    """Return a grant that has handed out its secrets."""
    grant = create_grant(secrets={f"S{number}": item for number, item in enumerate(secrets)})
    for number in range(len(secrets)):
        grant.get_secret(f"S{number}")
    return grant


def test_nothing_is_hidden_before_it_is_handed_out() -> None:
    grant = create_grant(secrets={"TOKEN": "abcdef"})

    assert grant.scrub("abcdef") == "abcdef"
    grant.get_secret("TOKEN")
    assert grant.scrub("abcdef abcdef") == "[secret] [secret]"


@pytest.mark.parametrize(
    "secret", [SECRET, "simple-token-123", "C:\\keys\\new", "\u65e5\u672c\u8a9e\u306e\u9375"]
)
@pytest.mark.parametrize(
    "write",
    [
        str,
        json.dumps,
        lambda text: json.dumps(text, ensure_ascii=False),
        lambda text: json.dumps(json.dumps({"key": text})),
        lambda text: json.dumps(text).replace("/", "\\/"),
        repr,
        quote,
        quote_plus,
        lambda text: quote(text, safe=""),
        lambda text: re.sub("%..", lambda found: found[0].lower(), quote(text, safe="")),
        html.escape,
        lambda text: text.encode().hex(),
        lambda text: text.encode().hex().upper(),
    ],
)
def test_secret_is_found_however_it_is_written(write: object, secret: str) -> None:
    assert callable(write)
    written = write(secret)

    hidden = create_used(secret).scrub(f"before {written} after")

    assert "[secret]" in hidden
    assert len(hidden) <= len('before \\"{\\"key\\": \\"[secret]\\"}\\" after') + 8


@pytest.mark.parametrize("before", ["", "a", "ab", "user:"])
@pytest.mark.parametrize("after", ["", "x", "xy", "xyz"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_secret_is_found_in_the_midst_of_base64(before: str, after: str, encode: object) -> None:
    assert callable(encode)
    written = encode(f"{before}{SECRET}{after}".encode()).decode()

    hidden = create_used(SECRET).scrub(f"Basic {written}.")

    shown = hidden.replace("[secret]", "")
    assert "[secret]" in hidden
    assert len(shown) <= len(f"Basic .{base64.b64encode((before + after).encode()).decode()}") + 4


def test_secrets_that_contain_each_other_leave_nothing_behind() -> None:
    grant = create_used("abcd", "abcdefgh", "ghij", "cret")

    assert grant.scrub("x abcdefghij y") == "x [secret] y"
    assert grant.scrub("abcd") == "[secret]"
    assert grant.scrub("abcdabcd") == "[secret][secret]"


def test_short_secrets_do_not_blow_a_text_up() -> None:
    hidden = create_used("s", "e", "c", "r", "t", "[", "]").scrub("secret" * 1000)

    assert hidden == "[secret]" * 6000


def test_space_around_a_secret_does_not_show_it() -> None:
    assert create_used("token-123\n").scrub("the token-123 is") == "the [secret] is"


def test_each_line_of_a_key_is_found() -> None:
    key = "-----BEGIN KEY-----\nMIIBVgIBADANBgkq\nhkiG9w0BAQEFAASC\n-----END KEY-----\n"

    hidden = create_used(key).scrub("1\tMIIBVgIBADANBgkq\n2\thkiG9w0BAQEFAASC")

    assert hidden == "1\t[secret]\n2\t[secret]"


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=4),
    st.lists(st.text(max_size=6), min_size=2, max_size=5),
    st.sampled_from([str, json.dumps, quote, quote_plus, html.escape]),
)
def test_no_secret_is_left_in_any_text(
    secrets: list[str], pieces: list[str], write: object
) -> None:
    assert callable(write)
    # What the mark itself is made of cannot be gone from a text that has the mark in it.
    assume(not any(item in "[secret]" or "[secret]" in item for item in secrets))
    assume(not any(set(item) & set("[]secrt") for item in (*secrets, *pieces)))
    try:
        text = secrets[0].join(pieces) + write(secrets[0])
    except UnicodeEncodeError:  # half a character has no place in a URL
        return

    hidden = create_used(*secrets).scrub(text)

    assert not any(item in hidden for item in secrets)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text("ab"), st.text("cd", min_size=4))
def test_text_without_a_secret_stays_as_it_is(text: str, secret: str) -> None:
    assert create_used(secret).scrub(text) == text


def test_large_text_and_large_secret_come_to_an_end() -> None:
    text = "a" * 4_000_000

    assert create_used("a" * 100_000 + "b").scrub(text) == text
    assert create_used("a" * 100_000).scrub(text) == "[secret]" * 40


def test_secrets_handed_out_side_by_side_are_all_hidden() -> None:
    secrets = {f"S{number}": f"value-{number:04}" for number in range(200)}
    grant = create_grant(secrets=secrets)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(grant.get_secret, secrets))

    assert grant.scrub(" ".join(secrets.values())) == " ".join(["[secret]"] * 200)
