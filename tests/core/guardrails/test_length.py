from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.guardrails.length import limit_length
from tests.core.guardrails.looking import look


@pytest.mark.parametrize("action", ["block", "retry", "truncate"])
def test_text_of_the_longest_length_passes(action: Any) -> None:
    assert look(limit_length(3, action=action), "abc").decision == "allow"


@pytest.mark.parametrize("action", ["block", "retry"])
def test_longer_text_is_objected_to_with_both_lengths(action: Any) -> None:
    verdict = look(limit_length(3, action=action), "abcd")

    assert verdict.decision == action
    assert verdict.reason == "the text has 4 characters, and 3 are allowed: make it shorter"


def test_truncated_text_is_the_beginning_of_the_text() -> None:
    verdict = look(limit_length(3, action="truncate"), "abcd")

    assert (verdict.decision, verdict.replacement) == ("replace", "abc")


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=st.text(), max_chars=st.integers(1, 20))
def test_truncated_text_passes_the_same_guardrail(text: str, max_chars: int) -> None:
    guardrail = limit_length(max_chars, action="truncate")
    verdict = look(guardrail, text)
    if verdict.decision == "replace":
        text = verdict.replacement

    assert look(guardrail, text).decision == "allow"


@pytest.mark.parametrize("max_chars", [0, -1, True, 1.5, "9", None])
def test_length_that_is_no_whole_number_above_zero_is_refused(max_chars: Any) -> None:
    with pytest.raises(ConfigurationError, match="max_chars must be a whole number above 0"):
        limit_length(max_chars)


def test_arguments_of_a_tool_call_are_never_truncated() -> None:
    with pytest.raises(ConfigurationError, match="would not be JSON"):
        limit_length(3, stages=("output", "tool_call"), action="truncate")
