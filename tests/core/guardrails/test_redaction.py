from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.core.guardrails.guardrail import Guardrail
from agent_factory.core.guardrails.personal_data import detect_personal_data
from agent_factory.core.guardrails.redaction import redact_personal_data, redact_secrets
from agent_factory.core.guardrails.secrets import detect_secrets
from tests.core.guardrails.looking import look

fast = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

REDACTIONS: list[tuple[Callable[[str], str], Callable[[], Guardrail]]] = [
    (redact_secrets, detect_secrets),
    (redact_personal_data, detect_personal_data),
]
both = pytest.mark.parametrize(("redact", "detect"), REDACTIONS, ids=["secrets", "personal data"])

BODY = "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dE3fG5h"
# What the patterns are made of, glued together in any way.
pieces = st.sampled_from(
    [
        "a@b.com",
        "+49171",
        "1234567",
        "415-555-0123",
        "4111111111111111",
        "123-45-6789",
        "8.8.8.8",
        "2001:db8::1",
        "DE89370400440532013000",
        "password",
        "api_key",
        "token",
        "is",
        ":",
        "=",
        ":=",
        "'",
        '"',
        "\\",
        '\\"',
        "sk-",
        "ghp_",
        "AKIA",
        "eyJ",
        ".",
        "-",
        "_",
        "/",
        "://",
        "@",
        "-----BEGIN",
        "-----END",
        "PRIVATE",
        "KEY-----",
        "Bearer",
        "[",
        "]",
        "[secret]",
        "[email]",
        "{",
        "}",
        ",",
        "0",
        "1",
        "4",
        "+",
        "(",
        ")",
        "x",
        "hunter2",
        " ",
        "\n",
        BODY,
        f"sk-{BODY}",
        f"ghp_{BODY}",
        "-----BEGIN PRIVATE KEY-----\n",
    ]
)
texts = st.one_of(st.lists(pieces, max_size=25).map("".join), st.text(max_size=60))
documents: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        texts,
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(texts, inner, max_size=4),
        inner.map(json.dumps),
    ),
    max_leaves=12,
).filter(lambda value: isinstance(value, (dict, list)))


def count_keys(value: Any) -> Any:
    """Return how many keys and items there are at each place, whatever they are called."""
    if isinstance(value, dict):
        return [count_keys(item) for item in value.values()]
    return [count_keys(item) for item in value] if isinstance(value, list) else None


@both
@fast
@given(text=texts)
def test_redacting_twice_changes_nothing_more(
    redact: Callable[[str], str], detect: Callable[[], Guardrail], text: str
) -> None:
    once = redact(text)

    assert redact(once) == once


@both
@fast
@given(text=texts)
def test_nothing_is_found_in_what_was_redacted(
    redact: Callable[[str], str], detect: Callable[[], Guardrail], text: str
) -> None:
    assert look(detect(), redact(text), "output").decision == "allow"


@both
@fast
@given(document=documents, indent=st.sampled_from([None, 2]), escaped=st.booleans())
def test_json_stays_json_of_the_same_shape_with_nothing_to_find(
    redact: Callable[[str], str],
    detect: Callable[[], Guardrail],
    document: Any,
    indent: int | None,
    escaped: bool,
) -> None:
    text = json.dumps(document, indent=indent, ensure_ascii=escaped)

    verdict = look(detect(), text, "tool_call")

    assert verdict.replacement == (redact(text) if verdict.decision == "replace" else "")
    assert count_keys(json.loads(redact(text))) == count_keys(document)
    assert look(detect(), redact(text), "tool_call").decision == "allow"


@both
@fast
@given(document=documents)
def test_text_in_which_nothing_is_found_stays_as_it_is(
    redact: Callable[[str], str], detect: Callable[[], Guardrail], document: Any
) -> None:
    text = json.dumps(document)

    assert (redact(text) == text) == (look(detect(), text, "tool_call").decision == "allow")


@both
def test_keys_that_become_equal_are_all_kept(
    redact: Callable[[str], str], detect: Callable[[], Guardrail]
) -> None:
    found = {"a@b.com": 1, "c@d.com": 2, f"ghp_{BODY}": 3, f"ghp_x{BODY}": 4}

    redacted = json.loads(redact(json.dumps(found | {"[email]": 5, "[secret]": 6})))

    assert sorted(redacted.values()) == [1, 2, 3, 4, 5, 6]


def test_what_would_go_on_for_ever_is_replaced_as_a_whole() -> None:
    from agent_factory.core.guardrails._findings import Finding, redact

    # Each placeholder makes the next letter into something to be found.
    result = redact(
        "x" + "y" * 50,
        lambda text, _: [
            Finding("it", place, place + 1)
            for place, letter in enumerate(text)
            if letter == "x" or (letter == "y" and text[place - 1] == "]")
        ],
        fallback="all",
    )

    assert result.text == "[all]"
