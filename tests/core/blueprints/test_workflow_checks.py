from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from agent_factory.core import ConfigurationError
from agent_factory.core.blueprints.schema.workflows import (
    KEYS_BY_KIND,
    StepSection,
    WorkflowSection,
)
from agent_factory.core.blueprints.workflows import check_workflow
from agent_factory.core.blueprints.workflows.checking import MAX_PROBLEMS, MAX_STEPS
from tests.core.blueprints.workflow_sections import make, read_section


def check(text: str, **given: Any) -> list[tuple[str, str]]:
    given = {"agents": ("echo",), "tools": ("inspect",), **given}
    problems = check_workflow(read_section(text), **given)
    return [(".".join(map(str, path)), message) for path, message in problems]


def check_one(text: str, **given: Any) -> tuple[str, str]:
    problems = check(f"steps: [{text}]", **given)
    assert len(problems) == 1, problems
    return problems[0]


A = "{name: a, agent: echo, input: x}"


def test_good_workflow_has_no_problems() -> None:
    assert (
        check(f"steps: [{A}, {{name: b, tool: inspect, arguments: {{text: '{{{{steps.a}}}}'}}}}]")
        == []
    )


@pytest.mark.parametrize(
    ("step", "place", "said"),
    [
        ("{name: a}", "steps.0", "says nothing to do: give it one of agent, tool, ask"),
        ("{name: a, agent: echo, input: x, ask: y}", "steps.0", "has 'agent' and 'ask'"),
        ("{name: a, agent: echo}", "steps.0.input", "the key 'input' is missing"),
        (
            "{name: a, value: x, timeout: 3}",
            "steps.0.timeout",
            "'timeout' does not go with 'value', which takes nothing else",
        ),
        ("{name: a, value: {b: ['{{steps.c}}']}}", "steps.0.value.b.0", "there is no step 'c'"),
        ("{name: a, agent: , input: x}", "steps.0.agent", "must not be empty"),
        (
            "{name: a, ask: x, limit: 3}",
            "steps.0.limit",
            "'limit' does not go with 'ask', which takes answer, timeout",
        ),
        (
            "{name: a, agent: ech, input: x}",
            "steps.0.agent",
            "no agent 'ech': did you mean 'echo'?",
        ),
        ("{name: a, tool: insect}", "steps.0.tool", "no tool 'insect': did you mean 'inspect'?"),
        ("{name: a, agent: echo, input: '{{'}", "steps.0.input", "names joined by dots"),
        (
            "{name: a, agent: echo, input: {x: ['{{no}}']}}",
            "steps.0.input.x.0",
            "nothing is named 'no'",
        ),
        (
            "{name: a, tool: inspect, arguments: {text: '{{inptu.x}}'}}",
            "steps.0.arguments.text",
            "did you mean 'input'?",
        ),
        (
            "{name: a, agent: echo, input: '{{item}}'}",
            "steps.0.input",
            "only the steps of a for_each have it",
        ),
        ("{name: a, agent: echo, input: '{{steps.a}}'}", "steps.0.input", "'a' has no result yet"),
        ("{name: a, agent: echo, input: '{{steps}}'}", "steps.0.input", "name a step"),
        (
            "{name: a, ask: x, answer: {type: nonsense}}",
            "steps.0.answer",
            "not a valid JSON Schema",
        ),
        ("{name: a, ask: x, answer: {$ref: '#'}}", "steps.0.answer", "'$ref' may not stand here"),
        (
            "{name: a, for_each: 5, steps: [{name: b, ask: x}]}",
            "steps.0.for_each",
            "needs a list, or one reference",
        ),
        (
            "{name: a, for_each: 'x {{input}}', steps: [{name: b, ask: x}]}",
            "steps.0.for_each",
            "needs a list",
        ),
        (
            "{name: a, repeat: [{name: b, ask: x}], max_turns: 2, until: {value: '{{steps.b}}'}}",
            "steps.0.until",
            "needs one of equals",
        ),
        (
            "{name: a, repeat: [{name: b, ask: x}], max_turns: 2, until: {value: 'x', equals: 1}}",
            "steps.0.until.value",
            "write one reference",
        ),
        (
            "{name: a, agent: echo, input: x, retry: {first_delay: 9, max_delay: 1}}",
            "steps.0.retry.max_delay",
            "must not be below first_delay",
        ),
    ],
)
def test_mistake_in_a_step_is_told_at_its_place(step: str, place: str, said: str) -> None:
    found, message = check_one(step)

    assert found == place
    assert said in message


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        (f"{{name: p, agent: echo, input: '{{{{steps.a}}}}'}}, {A}", "step 'a' runs later"),
        (f"{A}, {{name: p, agent: echo, input: '{{{{steps.b}}}}'}}", "no step 'b': there are: a"),
        (f"{A}, {{name: p, agent: echo, input: '{{{{a.x}}}}'}}", "did you mean '{{steps.a.x}}'?"),
        (
            f"{{name: q, for_each: [], steps: [{A}]}}, {{name: p, agent: echo, input: '{{{{steps.a}}}}'}}",
            "step 'a' runs once for each item: use '{{steps.q}}'",
        ),
        (
            f"{{name: q, switch: '{{{{input}}}}', cases: {{x: [{A}]}}}}, {{name: p, agent: echo, input: '{{{{steps.a}}}}'}}",
            "step 'a' is in a case of 'q', which may not have run: use '{{steps.q}}'",
        ),
        (
            f"{{name: q, try: [{A}], on_error: [{{name: p, agent: echo, input: '{{{{steps.a}}}}'}}]}}",
            "step 'a' may not have run",
        ),
        (
            f"{{name: q, parallel: [{A}, {{name: p, agent: echo, input: '{{{{steps.a}}}}'}}]}}",
            "step 'a' runs at the same time",
        ),
        (
            "{name: q, repeat: [{name: p, agent: echo, input: '{{steps.q}}'}], max_turns: 2, "
            "until: {value: '{{steps.p}}', equals: 1}}",
            "'{{previous}}' is that of the turn before",
        ),
    ],
)
def test_result_that_is_not_known_there_is_told_with_the_reason(rest: str, said: str) -> None:
    assert said in check_one(rest)[1]


def test_two_steps_of_one_name_are_refused_wherever_they_are() -> None:
    place, message = check_one(f"{A}, {{name: q, switch: '{{{{input}}}}', cases: {{x: [{A}]}}}}")

    assert place == "steps.1.cases.x.0.name"
    assert "named 'a' already" in message


def test_names_of_the_input_are_checked_where_they_are_known() -> None:
    step = "{name: a, agent: echo, input: '{{input.topik}}'}"

    assert check(f"steps: [{step}]") == []
    assert "did you mean 'topic'?" in check_one(step, inputs=["topic"])[1]


def test_output_is_checked_with_what_is_known_at_the_end() -> None:
    assert check(f"{{steps: [{A}], output: {{x: '{{{{steps.a}}}}'}}}}") == []
    assert check(f"{{steps: [{A}], output: {{x: '{{{{steps.c}}}}'}}}}")[0][0] == "output.x"


def test_steps_within_steps_are_bounded_in_depth_and_number() -> None:
    deep = A
    for number in range(9):
        deep = f"{{name: n{number}, for_each: [], steps: [{deep}]}}"
    assert "nested deeper than 8 levels" in check_one(deep)[1]
    many = [
        {
            "name": f"p{index}",
            "parallel": [{"name": f"p{index}x{n}", "ask": "?"} for n in range(99)],
        }
        for index in range(6)
    ]
    section = WorkflowSection.model_validate({"steps": many})
    assert check_workflow(section, agents=()) == [
        (("steps",), f"600 steps: a workflow has at most {MAX_STEPS}")
    ]


def test_number_of_problems_is_bounded() -> None:
    step = f"{{name: a, agent: echo, input: {['{{x}}'] * 150}}}"

    assert len(check(f"steps: [{step}]")) == MAX_PROBLEMS


@pytest.mark.parametrize(
    "step", [{"name": "a", "agnet": "x"}, {"name": "a b", "ask": "x"}, {"ask": "x"}]
)
def test_unknown_keys_and_bad_names_break_the_schema(step: Any) -> None:
    with pytest.raises(ValidationError):
        StepSection.model_validate(step)


def test_schema_for_editors_knows_which_keys_go_together() -> None:
    validator = jsonschema_rs.Draft202012Validator(WorkflowSection.model_json_schema())

    assert validator.is_valid(
        {
            "steps": [
                {
                    "name": "a",
                    "try": [{"name": "b", "ask": "x"}],
                    "on_error": [{"name": "c", "ask": "x"}],
                }
            ]
        }
    )
    for step in ({"name": "a"}, {"name": "a", "ask": "x", "limit": 3}, {"name": "a", "agent": "x"}):
        assert not validator.is_valid({"steps": [step]})


def test_every_key_of_a_step_belongs_to_a_kind_and_is_described() -> None:
    keys = {field.alias or name for name, field in StepSection.model_fields.items()} - {"name"}

    assert keys == set(KEYS_BY_KIND).union(
        *(needed | more for needed, more in KEYS_BY_KIND.values())
    )
    assert all(field.description for field in StepSection.model_fields.values())


JUNK = st.recursive(
    st.none()
    | st.integers(0, 3)
    | st.sampled_from(["a", "{{steps.a}}", "{{item}}", "{{", "echo", "{{input.x}}"]),
    lambda inner: st.lists(inner, max_size=2)
    | st.dictionaries(st.sampled_from(["a", "type"]), inner, max_size=2),
    max_leaves=4,
)
KEYS = sorted({field.alias or name for name, field in StepSection.model_fields.items()})
STEPS: st.SearchStrategy[Any] = st.deferred(
    lambda: st.lists(
        st.dictionaries(st.sampled_from(KEYS), JUNK | STEPS, max_size=4).map(
            lambda item: {"name": "a", **item}
        ),
        min_size=1,
        max_size=3,
    )
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(steps=STEPS)
def test_any_section_is_refused_with_reasons_or_made(steps: Any) -> None:
    try:
        section = WorkflowSection.model_validate({"steps": steps})
    except ValidationError:
        return
    problems = check_workflow(section, agents=("echo",), tools=("inspect",))
    if problems:
        with pytest.raises(ConfigurationError):
            make(yaml.safe_dump({"steps": steps}))
    else:
        make(yaml.safe_dump({"steps": steps}))
