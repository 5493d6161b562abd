from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.core import ConfigurationError, Usage
from agent_factory.core.evals import (
    Contains,
    EvalCase,
    Exact,
    Expectation,
    Fails,
    FitsSchema,
    Matches,
    Numeric,
    Observation,
    ObservedCall,
    ObservedError,
    Score,
    ToolCalled,
    ToolNotCalled,
    ToolOrder,
    Within,
)

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def check(expectation: Expectation, observation: Observation) -> Score:
    score = expectation.check(observation, EvalCase("case", "What?", (expectation,)))
    assert isinstance(score, Score)
    return score


def check_output(expectation: Expectation, output: object) -> Score:
    return check(expectation, Observation(output))


def call_tools(*names: str) -> Observation:
    return Observation("done", tuple(ObservedCall(name) for name in names))


@pytest.mark.parametrize(
    ("expected", "output", "passed"),
    [
        ("42", "42", True),
        ("42", " 42\n", True),
        ("42", "The answer is 42", False),
        ("42", 42, False),
        (42, 42.0, True),
        (42, "42", True),
        (1, True, False),
        (True, "true", True),
        (None, "null", True),
        (None, None, True),
        ({"a": [1, 2]}, '{"a": [1, 2]}', True),
        ({"a": [1, 2]}, {"a": [2, 1]}, False),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ([], "nothing", False),
    ],
)
def test_exact_compares_as_json_does(expected: Any, output: Any, passed: bool) -> None:
    score = check_output(Exact(expected), output)

    assert score.passed is passed
    assert score.value == float(passed)
    assert score.reason


@given(JSON)
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_json_value_is_exactly_itself(value: Any) -> None:
    assert check_output(Exact(value), value).passed


def test_contains_scores_the_part_of_the_texts_that_is_there() -> None:
    score = check_output(Contains("Bern", "Basel", "Geneva", "Chur"), "Bern, Basel and Chur")

    assert (score.value, score.passed) == (0.75, False)
    assert "'Geneva'" in score.reason


def test_contains_minds_case_unless_told_otherwise() -> None:
    assert not check_output(Contains("bern"), "BERN").passed
    assert check_output(Contains("bern", ignore_case=True), "BERN").passed
    assert check_output(Contains("STRASSE", ignore_case=True), "Straße").passed


def test_unwanted_text_scores_nothing() -> None:
    score = check_output(Contains("Bern", none_of=("Geneva",)), "Bern, not Geneva")

    assert (score.value, score.passed) == (0.0, False)
    assert "has 'Geneva'" in score.reason
    assert check_output(Contains(none_of=("Geneva",)), "Bern").passed


def test_pattern_is_searched_anywhere_in_the_answer() -> None:
    assert check_output(Matches("[0-9]{4}"), "in 1291 or so").passed
    assert not check_output(Matches("^[0-9]{4}$"), "in 1291 or so").passed


def test_pattern_takes_no_longer_for_a_text_made_against_it() -> None:
    assert not check_output(Matches("^(a+)+$"), "a" * 50_000 + "!").passed


def test_pattern_with_look_around_is_refused() -> None:
    with pytest.raises(
        ConfigurationError, match=r"expectation 'matches': the pattern .* look-around"
    ):
        Matches("(?=a)b")


@pytest.mark.parametrize(
    ("output", "passed"),
    [
        ({"total": 3}, True),
        ('{"total": 3}', True),
        ({"total": "3"}, False),
        ("no JSON", False),
        (None, False),
    ],
)
def test_answer_fits_a_schema_as_data_or_as_json_text(output: Any, passed: bool) -> None:
    schema = {
        "type": "object",
        "properties": {"total": {"$ref": "#/$defs/count"}},
        "required": ["total"],
        "$defs": {"count": {"type": "integer"}},
    }

    assert check_output(FitsSchema(schema), output).passed is passed


def test_text_that_looks_like_a_number_still_fits_the_schema_of_a_text() -> None:
    assert check_output(FitsSchema({"type": "string"}), "42").passed
    assert check_output(FitsSchema({"type": "integer"}), "42").passed


def test_misfit_is_told_with_its_place() -> None:
    schema = {"properties": {"total": {"type": "integer"}}}

    assert "/total" in check_output(FitsSchema(schema), {"total": "three"}).reason


def test_schema_that_leads_outside_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="leads outside the schema"):
        FitsSchema({"$ref": "https://example.com/schema.json"})


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("It is 42.", 42),
        ("about 1,234.5 kg", 1234.5),
        ("-3 degrees", -3),
        ("\u22123 degrees", -3),
        ("article A-17 costs 5", 17),
        ("v1.2 has 3 parts", 3),
        ("1.5e3 m", 1500),
        (".5 l", 0.5),
        ("1,2345", 1),
        ("7", 7),
    ],
)
def test_number_is_the_first_one_of_the_text(text: str, number: float) -> None:
    score = check_output(Numeric(number), text)

    assert score.passed, score.reason


def test_tolerances_are_compared_as_decimals() -> None:
    assert check_output(Numeric(0.3, absolute=0.1), "0.4").passed
    assert not check_output(Numeric(0.3, absolute=0.1), "0.4001").passed
    assert check_output(Numeric(200, relative=0.01), "202").passed
    assert not check_output(Numeric(200, relative=0.01), "202.1").passed
    assert check_output(Numeric(-200, relative=0.01, absolute=1), "-198").passed


@pytest.mark.parametrize(
    ("pointer", "output", "passed"),
    [
        ("/total", {"total": 3}, True),
        ("/total", '{"total": 3}', True),
        ("/items/1", {"items": [1, 3]}, True),
        ("/a~1b/~0", {"a/b": {"~": 3}}, True),
        ("", "3", True),
        ("/total", {"total": "3"}, False),
        ("/total", {"total": True}, False),
        ("/total", {}, False),
        ("/items/-1", {"items": [3]}, False),
        ("/items/9", {"items": [3]}, False),
        ("/total", "three", False),
        ("/total", 10**500, False),
        ("/x", {"x": 10**500}, False),
    ],
)
def test_number_may_stand_at_a_pointer(pointer: str, output: Any, passed: bool) -> None:
    assert check_output(Numeric(3, at=pointer), output).passed is passed


@given(st.text(), st.floats(allow_nan=False, allow_infinity=False))
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_text_breaks_the_search_for_a_number(text: str, value: float) -> None:
    check_output(Numeric(value, absolute=1.0, relative=0.5), text)
    assert check_output(Numeric(value), f"{value!r} {text}").passed


@pytest.mark.parametrize(
    ("expectation", "passed"),
    [
        (ToolCalled("search"), True),
        (ToolCalled("search", min_times=2, max_times=2), True),
        (ToolCalled("search", min_times=3), False),
        (ToolCalled("search", max_times=1), False),
        (ToolCalled("search", min_times=0, max_times=0), False),
        (ToolCalled("find"), False),
        (ToolCalled("search", arguments={"query": "Bern"}), True),
        (ToolCalled("search", arguments={"page": {"size": 5}}), True),
        (ToolCalled("search", arguments={"page": {"size": 6}}), False),
        (ToolCalled("search", arguments={"limit": 1}), False),
        (ToolCalled("search", outcome="error"), True),
        (ToolCalled("search", arguments={"query": "Bern"}, outcome="error"), False),
        (ToolNotCalled("delete"), True),
        (ToolNotCalled("search"), False),
    ],
)
def test_tool_calls_are_counted(expectation: Expectation, passed: bool) -> None:
    calls = (
        ObservedCall("search", {"query": "Bern", "page": {"number": 1, "size": 5}}),
        ObservedCall("search", "no JSON", "error"),
    )

    assert check(expectation, Observation("done", calls)).passed is passed


def test_order_lets_other_calls_come_between() -> None:
    order = ToolOrder("search", "read", "search")

    assert check(order, call_tools("search", "list", "read", "read", "search")).passed
    score = check(order, call_tools("read", "search", "read"))
    assert not score.passed
    assert score.value == pytest.approx(2 / 3)
    assert "'search' was not called after search, read" in score.reason


@given(st.lists(st.sampled_from("abc")), st.lists(st.sampled_from("abc"), min_size=1))
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_order_is_met_by_every_longer_list_of_calls(between: list[str], names: list[str]) -> None:
    called = [item for name in names for item in (*between, name)]

    assert check(ToolOrder(*names), call_tools(*called)).passed


@pytest.mark.parametrize(
    "expectation", [ToolCalled("a", min_times=0), ToolNotCalled("a"), ToolOrder("a")]
)
def test_tool_calls_that_nobody_saw_meet_nothing(expectation: Expectation) -> None:
    score = check(expectation, Observation("done", tool_calls=None))

    assert not score.passed
    assert "tells nothing of tool calls" in score.reason


@pytest.mark.parametrize(
    ("expectation", "passed"),
    [
        (Within(max_cost=500), True),
        (Within(max_cost=499), False),
        (Within(max_requests=2, max_tool_calls=1), True),
        (Within(max_requests=2, max_tool_calls=0), False),
        (Within(max_requests=1), False),
    ],
)
def test_usage_stays_within_its_bounds(expectation: Expectation, passed: bool) -> None:
    usage = Usage(requests=2, tool_calls=1, cost=500)

    assert check(expectation, Observation("done", usage=usage)).passed is passed


def test_unknown_usage_is_within_nothing() -> None:
    assert not check(Within(max_cost=500), Observation("done", usage=Usage(cost=None))).passed
    assert not check(Within(max_requests=5), Observation("done")).passed


def test_failure_is_known_by_its_code_or_that_of_a_cause() -> None:
    failed = Observation(error=ObservedError("workflow", "step 'x' failed", ("guardrail",)))

    assert check(Fails("workflow"), failed).passed
    assert check(Fails("guardrail"), failed).passed
    assert not check(Fails("run_timeout"), failed).passed
    assert not check(Fails("workflow"), Observation("an answer")).passed


@pytest.mark.parametrize(
    "create",
    [
        Contains,
        lambda: Contains(""),
        lambda: Contains("a", none_of="b"),  # type: ignore[arg-type]
        lambda: Exact(object()),
        lambda: FitsSchema({"type": 3}),
        lambda: FitsSchema("string"),  # type: ignore[arg-type]
        lambda: Numeric(float("nan")),
        lambda: Numeric(1, absolute=-1),
        lambda: Numeric(True),
        lambda: Numeric(1, at="total"),
        lambda: Numeric(1, at="/~2"),
        lambda: ToolCalled(""),
        lambda: ToolCalled("a", min_times=2, max_times=1),
        lambda: ToolCalled("a", min_times=-1),
        lambda: ToolCalled("a", outcome="good"),  # type: ignore[arg-type]
        lambda: ToolNotCalled(""),
        ToolOrder,
        Within,
        lambda: Within(max_cost=-1),
        lambda: Within(max_requests=1.5),  # type: ignore[arg-type]
        lambda: Fails(" "),
        lambda: Score(1.5, True, "more than all"),
        lambda: Score(1.0, True, "passed, but broken", error=True),
    ],
)
def test_expectation_that_cannot_be_meant_is_refused(create: Any) -> None:
    with pytest.raises(ConfigurationError):
        create()
