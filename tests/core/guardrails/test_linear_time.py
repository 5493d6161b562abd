from __future__ import annotations

import re
from collections.abc import Callable, Iterator

# What the patterns are made of, as the engine sees it; only a test may depend on it.
from re import _constants as constants  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import pytest

from agent_factory.core.guardrails import _accounts, _contacts, _documents, _tokens, _urls
from agent_factory.core.guardrails.hosts import allow_hosts
from agent_factory.core.guardrails.redaction import redact_personal_data, redact_secrets
from tests.core.guardrails.looking import look

PATTERNS: dict[str, Callable[[], re.Pattern[str]]] = {
    "email": _contacts.email_pattern,
    "phone": _contacts.phone_pattern,
    "ip": _contacts.ip_pattern,
    "card": _accounts.card_pattern,
    "iban": _accounts.iban_pattern,
    "ssn": _accounts.ssn_pattern,
    "token": _tokens.token_pattern,
    "key": _tokens.key_pattern,
    "assignment": _tokens.assignment_pattern,
    "value": _tokens.value_pattern,
    "name": _tokens.name_pattern,
    "url": _urls.url_pattern,
    "json": _documents.token_pattern,
}
"""Every pattern that is searched for in texts of others."""

REPEATS = (constants.MAX_REPEAT, constants.MIN_REPEAT, constants.POSSESSIVE_REPEAT)


def find_repeats(
    parsed: Any, inside: tuple[Any, ...] = ()
) -> Iterator[tuple[Any, int, tuple[Any, ...]]]:
    """Yield the repeats of an expression: what kind, how often at most, and the unbounded ones around it."""
    for kind, value in parsed:
        around = inside
        if kind in REPEATS:
            _, high, body = value
            yield kind, high, inside
            around = (*inside, kind) if high == constants.MAXREPEAT else inside
            yield from find_repeats(body, around)
            continue
        parts = value if isinstance(value, (tuple, list)) else [value]
        for part in parts:
            for branch in part if isinstance(part, list) else [part]:
                if isinstance(branch, parser.SubPattern):
                    yield from find_repeats(branch, around)


def repeats_of(pattern: re.Pattern[str]) -> list[tuple[Any, int, tuple[Any, ...]]]:
    return list(find_repeats(parser.parse(pattern.pattern, pattern.flags)))


@pytest.mark.parametrize("name", PATTERNS)
def test_repeat_without_a_bound_never_gives_back_what_it_took(name: str) -> None:
    for kind, high, _ in repeats_of(PATTERNS[name]()):
        assert high != constants.MAXREPEAT or kind == constants.POSSESSIVE_REPEAT


@pytest.mark.parametrize("name", PATTERNS)
def test_other_repeats_are_too_short_to_matter(name: str) -> None:
    for kind, high, _ in repeats_of(PATTERNS[name]()):
        assert kind == constants.POSSESSIVE_REPEAT or high <= 80


def test_repeats_of_a_careless_pattern_are_seen() -> None:
    outer, inner = repeats_of(re.compile("(?:x|(a+))*"))

    assert outer == (constants.MAX_REPEAT, constants.MAXREPEAT, ())
    assert inner == (constants.MAX_REPEAT, constants.MAXREPEAT, (constants.MAX_REPEAT,))


@pytest.mark.parametrize(
    "unit",
    [
        "password=",
        "eyJ",
        "sk-a",
        "://a:",
        "-----BEGIN PRIVATE KEY-----",
        "a@",
        "1:",
        "4 ",
        "DE89",
        '{"',
        "\\",
        "//[",
        "https:",
        "%25",
    ],
)
def test_long_texts_made_to_be_slow_come_to_an_end(unit: str) -> None:
    # With the square of their length they would take minutes.
    text = unit * (200_000 // len(unit))

    assert redact_secrets(redact_secrets(text)) == redact_secrets(text)
    assert redact_personal_data(redact_personal_data(text)) == redact_personal_data(text)
    assert look(allow_hosts([]), text, "output").decision in ("allow", "block")
