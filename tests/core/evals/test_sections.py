from __future__ import annotations

from datetime import date
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from agent_factory.core import ConfigurationError
from agent_factory.core.blueprints.schema import eval_expectations, evals
from agent_factory.core.blueprints.schema.evals import SuiteSection
from agent_factory.core.evals import (
    Contains,
    EvalCase,
    EvalSuite,
    Exact,
    Fails,
    FitsSchema,
    Gate,
    Judge,
    Matches,
    Numeric,
    Observation,
    Score,
    ToolCalled,
    ToolNotCalled,
    ToolOrder,
    Within,
    create_suite,
    suite_to_section,
)
from agent_factory.core.models import Model
from agent_factory.core.prices import Price, PriceTable
from agent_factory.core.testing import ScriptedModel

RELAXED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
JUDGE = ScriptedModel([], name="default")


def create_judge(name: str) -> Model:
    if name != "default":
        raise ConfigurationError(f"there is no model {name!r}")
    return JUDGE


def write_case(*expect: Any, **fields: Any) -> dict[str, Any]:
    return {"name": "case", "input": "Hello?", "expect": list(expect)} | fields


def read(*expect: Any) -> EvalSuite:
    section = SuiteSection.model_validate({"cases": [write_case(*expect)]})
    return create_suite("suite", section, create_judge=create_judge)


def find_problems(data: Any) -> list[tuple[tuple[int | str, ...], str]]:
    with pytest.raises(ValidationError) as caught:
        SuiteSection.model_validate(data)
    return [(item["loc"], item["msg"]) for item in caught.value.errors()]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ({"exact": "42"}, Exact("42")),
        ({"exact": None}, Exact(None)),
        ({"exact": {"a": [1, 2.5]}}, Exact({"a": [1, 2.5]})),
        ({"contains": "Bern"}, Contains("Bern")),
        ({"contains": ["Bern", "Basel"]}, Contains("Bern", "Basel")),
        (
            {"contains": {"all_of": ["a"], "none_of": ["b"], "ignore_case": True}},
            Contains("a", none_of=("b",), ignore_case=True),
        ),
        ({"matches": "[0-9]+"}, Matches("[0-9]+")),
        ({"json_schema": {"type": "object"}}, FitsSchema({"type": "object"})),
        ({"number": 3}, Numeric(3)),
        (
            {"number": {"value": 3.5, "absolute": 0.1, "relative": 0.01, "at": "/total"}},
            Numeric(3.5, 0.1, 0.01, "/total"),
        ),
        ({"tool_called": "search"}, ToolCalled("search")),
        (
            {"tool_called": {"name": "a", "max_times": 2, "arguments": {"b": 1}, "outcome": "ok"}},
            ToolCalled("a", 1, 2, {"b": 1}, "ok"),
        ),
        ({"tool_not_called": "delete"}, ToolNotCalled("delete")),
        ({"tool_order": ["a", "b"]}, ToolOrder("a", "b")),
        ({"judge": "It is polite."}, Judge(JUDGE, "It is polite.")),
        (
            {"judge": {"criteria": "It is polite.", "min_score": 0.5}},
            Judge(JUDGE, "It is polite.", 0.5),
        ),
        ({"fails": "guardrail"}, Fails("guardrail")),
        ({"max_cost": "0.02 USD"}, Within(max_cost=20_000)),
        ({"max_requests": 3}, Within(max_requests=3)),
        ({"max_tool_calls": 0}, Within(max_tool_calls=0)),
    ],
)
def test_expectation_in_a_blueprint_is_the_one_in_python(written: Any, expected: Any) -> None:
    suite = read(written)

    assert suite.cases[0].expectations == (expected,)
    again = create_suite("suite", suite_to_section(suite), create_judge=create_judge)
    assert again == suite


def test_whole_suite_comes_back_from_a_section() -> None:
    suite = EvalSuite(
        "suite",
        (
            EvalCase("a", "Hello?", (Contains("x"), Within(max_cost=5)), ("smoke",)),
            EvalCase("b", {"n": [1, None]}, (Numeric(1, at="/n/0"),)),
        ),
        repetitions=5,
        seed=7,
        gate=Gate(0.9, 0.8, 0.7, 1_500_000, 1),
        concurrency=2,
        timeout=30,
    )
    section = suite_to_section(suite, target="clerk")

    assert section.target == "clerk"
    assert section.gate.max_cost == "1.500000 USD"
    assert create_suite("suite", section, create_judge=create_judge) == suite


def test_bounds_of_one_python_expectation_become_one_item_each() -> None:
    suite = EvalSuite("suite", (EvalCase("a", 1, (Within(10, 2, 3),)),))

    expect = suite_to_section(suite).cases[0].expect
    assert [item.kind for item in expect] == ["max_cost", "max_requests", "max_tool_calls"]


def test_expectation_of_ones_own_has_no_form_in_a_blueprint() -> None:
    class Own:
        label = "own"

        def check(self, observation: Observation, case: EvalCase) -> Score:
            return Score.of(True, "fine")

    with pytest.raises(ConfigurationError, match="Own has no form"):
        suite_to_section(EvalSuite("suite", (EvalCase("a", 1, (Own(),)),)))


def test_suite_beyond_what_a_blueprint_allows_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="repetitions"):
        suite_to_section(EvalSuite("suite", (EvalCase("a", 1, (Exact(1),)),), repetitions=101))


def test_judge_is_made_once_for_each_name() -> None:
    made: list[str] = []

    def create(name: str) -> Model:
        made.append(name)
        return JUDGE

    cases = [
        write_case({"judge": "a"}, {"judge": "b"}, {"judge": {"criteria": "c", "model": "big"}})
    ]
    create_suite("suite", SuiteSection.model_validate({"cases": cases}), create_judge=create)

    assert made == ["default", "big"]


def test_prices_reach_the_judges() -> None:
    prices = PriceTable({"default": Price(1, 1, 1)}, as_of=date(2026, 11, 1))
    section = SuiteSection.model_validate({"cases": [write_case({"judge": "It is polite."})]})

    suite = create_suite("suite", section, create_judge=create_judge, prices=prices)

    assert suite.cases[0].expectations == (Judge(JUDGE, "It is polite.", prices=prices),)


def test_nobody_approves_anything_unless_the_suite_says_so() -> None:
    plain = SuiteSection.model_validate({"cases": [write_case({"exact": 1})]})
    section = SuiteSection.model_validate(
        {"cases": [write_case({"exact": 1})], "approve": True, "answers": {"ask": "yes"}}
    )

    assert (plain.approve, plain.answers) == (False, {})
    assert (section.approve, section.answers) == (True, {"ask": "yes"})


def test_unknown_judge_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="no model 'big'"):
        read({"judge": {"criteria": "a", "model": "big"}})


PLACE = ("cases", 0, "expect", 0)


@pytest.mark.parametrize(
    ("written", "place", "message"),
    [
        ({"exactly": 3}, (*PLACE, "exactly"), "Extra inputs"),
        ({"exact": 3, "contains": "x"}, PLACE, "exactly one key, and has 'exact' and 'contains'"),
        ({}, PLACE, "exactly one key, and has none"),
        ({"contains": None}, PLACE, "must have a value for 'contains'"),
        ({"contains": []}, (*PLACE, "contains"), "a text in 'all_of' or 'none_of'"),
        ({"contains": {"all": ["x"]}}, (*PLACE, "contains", "all"), "Extra inputs"),
        ({"matches": "(?=x)"}, (*PLACE, "matches"), "look-around"),
        ({"matches": "("}, (*PLACE, "matches"), "cannot be used"),
        ({"json_schema": {"type": 3}}, (*PLACE, "json_schema"), "not a valid JSON Schema"),
        (
            {"json_schema": {"$ref": "https://a.example/b"}},
            (*PLACE, "json_schema"),
            "leads outside",
        ),
        ({"number": {"value": 1, "at": "total"}}, (*PLACE, "number", "at"), "JSON pointer"),
        ({"number": float("inf")}, (*PLACE, "number", "value"), "finite"),
        ({"number": "3"}, (*PLACE, "number"), "must be a number, or a mapping with 'value'"),
        ({"number": True}, (*PLACE, "number"), "must be a number"),
        ({"contains": 3}, (*PLACE, "contains"), "must be a text, a list of texts"),
        ({"tool_called": ["a"]}, (*PLACE, "tool_called"), "must be the name of a tool"),
        ({"judge": 3}, (*PLACE, "judge"), "must be criteria as a text"),
        (
            {"tool_called": {"name": "a", "min_times": 2, "max_times": 1}},
            (*PLACE, "tool_called"),
            "'max_times' below 'min_times'",
        ),
        ({"tool_order": []}, (*PLACE, "tool_order"), "at least one item"),
        ({"tool_order": ["a", ""]}, (*PLACE, "tool_order", 1), "at least 1 character"),
        ({"judge": " "}, (*PLACE, "judge"), "not empty"),
        ({"fails": "No!"}, (*PLACE, "fails"), "code of an error"),
        ({"max_cost": 3}, (*PLACE, "max_cost"), "valid string"),
        ({"max_cost": "3 EUR"}, (*PLACE, "max_cost"), "USD"),
        ({"max_requests": "3"}, (*PLACE, "max_requests"), "valid integer"),
        ("exact", PLACE, "valid dictionary"),
    ],
)
def test_wrong_expectation_is_told_once_at_its_place(
    written: Any, place: tuple[int | str, ...], message: str
) -> None:
    ((found, told),) = find_problems({"cases": [write_case(written)]})

    assert found == place
    assert message in told


def test_second_case_of_a_name_is_told_at_that_name() -> None:
    cases = [write_case({"exact": 1}, name=name) for name in ("a", "b", "a", "a")]

    places = [place for place, _ in find_problems({"cases": cases})]

    assert places == [("cases", 2, "name"), ("cases", 3, "name")]


@pytest.mark.parametrize(
    ("data", "place"),
    [
        ({"cases": []}, ("cases",)),
        ({"cases": [write_case()]}, ("cases", 0, "expect")),
        ({"cases": [write_case({"exact": 1})], "repetitions": 101}, ("repetitions",)),
        ({"cases": [write_case({"exact": 1})], "repetitions": True}, ("repetitions",)),
        (
            {"cases": [write_case({"exact": 1})], "gate": {"min_pass_rate": 2}},
            ("gate", "min_pass_rate"),
        ),
        ({"cases": [write_case({"exact": 1})], "gate": {"pass_rate": 1}}, ("gate", "pass_rate")),
        ({"cases": [write_case({"exact": 1})], "cassette": "../a.json"}, ("cassette",)),
        ({"cases": [{"name": "a", "expect": [{"exact": 1}]}]}, ("cases", 0, "input")),
    ],
)
def test_wrong_suite_is_told_once_at_its_place(data: Any, place: tuple[int | str, ...]) -> None:
    assert [found for found, _ in find_problems(data)] == [place]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [*eval_expectations.ExpectationSection.model_fields, "name", "value", "at", "x"]
            ),
            inner,
            max_size=3,
        ),
        max_leaves=10,
    )
)
@RELAXED
def test_anything_is_an_expectation_or_a_validation_error(value: Any) -> None:
    data = {"cases": [write_case(value)]}
    try:
        section = SuiteSection.model_validate(data)
    except ValidationError:
        return
    create_suite("suite", section, create_judge=lambda _: JUDGE)


def test_every_key_is_described_for_editors() -> None:
    modules = (eval_expectations, evals)
    named = [getattr(module, name) for module in modules for name in module.__all__]
    sections = [item for item in named if isinstance(item, type) and issubclass(item, BaseModel)]

    assert len(sections) == 8
    for section in sections:
        for name, field in section.model_fields.items():
            assert field.description, f"{section.__name__}.{name}"


def test_schema_for_editors_tells_right_from_wrong() -> None:
    validator = jsonschema_rs.Draft202012Validator(SuiteSection.model_json_schema())

    good: list[Any] = [{"exact": None}, {"contains": "a"}, {"number": 3}, {"tool_called": "a"}]
    bad: list[Any] = [{}, {"exact": 1, "number": 1}, {"exactly": 1}, {"tool_order": []}, "exact"]
    for item in good:
        assert validator.is_valid({"cases": [write_case(item)]}), item
    for item in bad:
        assert not validator.is_valid({"cases": [write_case(item)]}), item
