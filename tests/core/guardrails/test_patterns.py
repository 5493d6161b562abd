from __future__ import annotations

import json
from typing import Any

import pytest

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.guardrails.patterns import match_pattern
from tests.core.guardrails.looking import look


@pytest.mark.parametrize("action", ["block", "retry"])
def test_text_that_matches_is_objected_to(action: Any) -> None:
    guardrail = match_pattern("(?i)project x", stages=("output",), action=action)

    assert look(guardrail, "About PROJECT X").decision == action
    assert look(guardrail, "About project y").decision == "allow"


def test_reason_has_the_pattern_and_not_the_text() -> None:
    verdict = look(match_pattern(r"code-\d+", stages=("output",)), "my code-4711")

    assert verdict.reason == r"the text has what the pattern 'code-\\d+' matches"


def test_required_pattern_objects_to_what_lacks_it() -> None:
    guardrail = match_pattern("^Dear ", stages=("output",), require=True)

    assert look(guardrail, "Dear Ann").decision == "allow"
    assert look(guardrail, "Hey Ann").reason == "the text lacks what the pattern '^Dear ' matches"


def test_every_match_is_replaced() -> None:
    guardrail = match_pattern(r"\bP-\d{1,6}\b", stages=("output",), action="replace")

    verdict = look(guardrail, "P-1 and P-22, not XP-3")

    assert verdict.decision == "replace"
    assert verdict.replacement == "[removed] and [removed], not XP-3"


def test_replacement_is_taken_literally() -> None:
    guardrail = match_pattern("(a)b", stages=("output",), action="replace", replacement=r"\1\g<0>")

    assert look(guardrail, "xaby").replacement == r"x\1\g<0>y"


def test_replacing_in_arguments_leaves_json_and_the_rest_as_it_was() -> None:
    guardrail = match_pattern(r"P-\d{1,6}", stages=("tool_call",), action="replace")

    verdict = look(guardrail, '{"P-1": ["\\u0050-2", {"n": 1.50}], "q": "\\"P-3\\""}')

    assert verdict.replacement == (
        '{"[removed]": ["[removed]", {"n": 1.50}], "q": "\\"[removed]\\""}'
    )


def test_escapes_of_json_hide_nothing() -> None:
    guardrail = match_pattern("rm -rf", stages=("tool_call",))

    assert look(guardrail, '{"command": "\\u0072m\\u0020-rf /"}').decision == "block"
    assert look(guardrail, json.dumps({"a": json.dumps({"b": "rm -rf"})})).decision == "block"
    assert look(guardrail, '{"command": "ls"}').decision == "allow"


def test_half_a_character_hides_nothing() -> None:
    guardrail = match_pattern("rm -rf", stages=("tool_call",))

    assert look(guardrail, '{"command": "\\ud800 rm -rf"}').decision == "block"


@pytest.mark.parametrize("action", ["block", "retry", "replace"])
def test_text_that_is_too_long_is_not_passed_unseen(action: Any) -> None:
    guardrail = match_pattern("zzz", stages=("output",), action=action, max_chars=10)

    verdict = look(guardrail, "a" * 11)

    assert verdict.decision == ("retry" if action == "retry" else "block")
    assert verdict.reason == "the text has 11 characters, and no more than 10 are looked at"


def test_what_a_replacement_puts_together_does_not_pass() -> None:
    guardrail = match_pattern("abc", stages=("output",), action="replace", replacement="-b-")
    joined = match_pattern("ab", stages=("output",), action="replace", replacement="")

    assert look(guardrail, "aabcc").replacement == "a-b-c"
    assert look(joined, "aabb").decision == "block"


@pytest.mark.parametrize("pattern", [r"(?=a)b", r"(?<!a)b", r"(a)\1", "(a", "[", "*"])
def test_pattern_that_no_time_limit_holds_for_is_refused(pattern: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot be used"):
        match_pattern(pattern, stages=("output",))


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+$", "(.*)*x", "a*a*a*a*a*b", r"\s+$"])
def test_pattern_that_would_take_for_ever_elsewhere_is_searched_for_in_linear_time(
    pattern: str,
) -> None:
    # Python's own engine would not come back from most of them in a lifetime.
    guardrail = match_pattern(pattern, stages=("output",))

    assert look(guardrail, "a" * 50_000 + " " * 49_000 + "!").decision == "allow"


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("(a+)+", "has no upper bound"),
        ("ab*", "has no upper bound"),
        ("a{2,}", "has no upper bound"),
        ("(a|b){1,20}c", "ways"),
        ("(a{1,9}){1,9}", "ways"),
        (r"\w{1,50}@\w{1,50}", "ways"),
        ("(a{500}){3}", "over 1500 characters"),
        ("a{1,5000}", "too large"),
        ("(?x)a b", "flag x"),
        ("a{2}{3}", "needs a group"),
        ("(?<word>a)", "the group at 0 is not understood"),
        ("x[[:digit:]]", "the character class at 1 is not understood"),
        (r"\p{N}", "not understood"),
    ],
)
def test_pattern_with_too_many_ways_to_match_is_not_replaced(pattern: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot be replaced safely") as raised:
        match_pattern(pattern, stages=("output",), action="replace")

    assert told in raised.value.message


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("colou?r", "color colour", "[removed] [removed]"),
        ("(?i:x)[]a-c]{2}", "X]b", "[removed]"),
        (r"(?P<word>a|b|c)\.\x41", "b.A", "[removed]"),
        (r"[^\]\d]{3}?-", "abc-", "[removed]"),
        ("(?:ab){1,3}", "ababab", "[removed]"),
        ("é|ü", "née", "n[removed]e"),
    ],
)
def test_pattern_with_bounds_is_replaced(pattern: str, text: str, expected: str) -> None:
    guardrail = match_pattern(pattern, stages=("output",), action="replace")

    assert look(guardrail, text).replacement == expected


@pytest.mark.parametrize("pattern", ["a?", "removed", "^$"])
def test_pattern_that_a_replaced_text_would_match_is_refused(pattern: str) -> None:
    with pytest.raises(ConfigurationError, match="nothing would be clean"):
        match_pattern(pattern, stages=("output",), action="replace")


def test_what_is_missing_cannot_be_replaced() -> None:
    with pytest.raises(ConfigurationError, match="required but missing"):
        match_pattern("a", stages=("output",), action="replace", require=True)


def test_bound_that_is_no_whole_number_above_zero_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="max_chars"):
        match_pattern("a", stages=("output",), max_chars=0)
