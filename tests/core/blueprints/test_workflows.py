from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pydantic import BaseModel

from agent_factory.core import Agent, ConfigurationError, WorkflowError, step, tool
from agent_factory.core.testing import ScriptedModel
from agent_factory.core.workflows import InMemoryPerson, LocalEngine
from agent_factory.core.workflows.graph import create_workflow_graph
from tests.core.blueprints.workflow_sections import make
from tests.core.workflow_engine import RecordingEngine


def run(text: str, value: Any = None, answers: Any = None, **given: Any) -> Any:
    engine = LocalEngine(person=InMemoryPerson(answers or {}))
    return asyncio.run(make(text, **given).run(value, engine=engine))


def test_steps_see_the_input_and_the_results_before_them() -> None:
    text = """
    steps:
      - {name: a, agent: echo, input: "on {{input.topic}}"}
      - {name: b, agent: echo, input: "{{steps.a}} of {{input.n}}"}
    """

    assert run(text, {"topic": "bees", "n": 3}) == "<<on bees> of 3>"


def test_agent_is_asked_in_json_what_is_no_text() -> None:
    text = """
    steps: [{name: a, agent: echo, input: {about: "{{input.topic}}", tags: "{{input.tags}}"}}]
    """

    assert run(text, {"topic": "x", "tags": ["y"]}) == '<{"about":"x","tags":["y"]}>'


def test_result_of_a_structured_answer_can_be_looked_into() -> None:
    class Plan(BaseModel):
        questions: list[str]

    planner = Agent(name="p", model=ScriptedModel(['{"questions": ["a", "b"]}']), output_type=Plan)
    text = "{steps: [{name: a, agent: p, input: x}], output: '{{steps.a.questions.1}}'}"

    assert run(text, agents={"p": planner}) == "b"


def test_output_may_be_made_of_several_results() -> None:
    text = """
    steps: [{name: a, agent: echo, input: x}]
    output: {first: "{{steps.a}}", list: ["{{input}}", 1, null]}
    """

    assert run(text, "in") == {"first": "<x>", "list": ["in", 1, None]}


def test_step_may_give_a_value_without_doing_anything() -> None:
    text = """
    steps:
      - {name: all, value: {about: "{{input.topic}}", list: ["on {{input.topic}}", 2]}}
      - name: what
        switch: "{{steps.all.about}}"
        cases:
          bees: [{name: some, value: "{{steps.all}}"}]
        otherwise: [{name: none, value: }]
    """

    assert run(text, {"topic": "bees"}) == {"about": "bees", "list": ["on bees", 2]}
    assert run(text, {"topic": "wasps"}) is None


def test_nothing_is_on_record_of_a_value() -> None:
    engine = RecordingEngine()
    made = make("steps: [{name: a, value: x}, {name: b, agent: echo, input: '{{steps.a}}'}]")

    assert asyncio.run(made.run(None, engine=engine)) == "<x>"
    assert engine.ran == ["b"]


def test_picture_says_that_a_step_gives_a_value() -> None:
    graph = create_workflow_graph(make("steps: [{name: a, value: x}]"))

    assert [(box.label, box.note) for box in graph.boxes][1] == ("a", "value")


def test_each_item_goes_through_the_steps() -> None:
    text = """
    steps:
      - name: all
        for_each: "{{input}}"
        steps:
          - {name: a, agent: echo, input: "{{index}} {{item.x}}"}
          - {name: b, agent: echo, input: "{{steps.a}}"}
    """

    assert run(text, [{"x": "p"}, {"x": "q"}]) == ["<<0 p>>", "<<1 q>>"]


@pytest.mark.parametrize(
    ("value", "said"), [("no", "needs a list, not str"), ([1] * 4, "max_items")]
)
def test_items_must_be_a_list_of_bounded_length(value: Any, said: str) -> None:
    text = """
    steps: [{name: all, for_each: "{{input}}", max_items: 3, steps: [{name: a, agent: echo, input: "x"}]}]
    """

    with pytest.raises(WorkflowError, match=said):
        run(text, value)


def test_parallel_steps_give_a_result_under_each_name() -> None:
    text = """
    steps:
      - name: both
        parallel: [{name: a, agent: echo, input: "1"}, {name: b, tool: inspect, arguments: {text: abc}}]
    output: ["{{steps.both.a}}", "{{steps.b.length}}"]
    """

    assert run(text) == ["<1>", 3]


SWITCH = """
steps:
  - name: route
    switch: "{{input}}"
    cases:
      bug: [{name: a, agent: echo, input: bug}]
      "2": [{name: b, agent: echo, input: two}]
      "true": [{name: c, agent: echo, input: yes}]
"""


@pytest.mark.parametrize(("value", "result"), [("bug", "<bug>"), (2, "<two>"), (True, "<yes>")])
def test_case_is_chosen_by_the_text_of_the_value(value: Any, result: str) -> None:
    assert run(SWITCH.replace("input: yes", "input: 'yes'"), value) == result


@pytest.mark.parametrize(
    ("value", "said"), [("other", "has no case for 'other'"), ([], "not list")]
)
def test_value_without_a_case_fails_the_step(value: Any, said: str) -> None:
    with pytest.raises(WorkflowError, match=said):
        run(SWITCH.replace("input: yes", "input: 'yes'"), value)


def test_any_other_value_has_its_own_steps() -> None:
    text = SWITCH.replace("input: yes", "input: 'yes'")
    text += "\n    otherwise: [{name: d, agent: echo, input: rest}]"

    assert run(text, "other") == "<rest>"


REPEAT = """
steps:
  - name: grow
    repeat:
      - {name: say, agent: echo, input: "{{previous}}{{turn}}"}
      - {name: look, tool: inspect, arguments: {text: "{{steps.say}}"}}
      - {name: keep, agent: echo, input: "{{steps.look.text}}"}
    start: "{{input}}"
    until: UNTIL
    max_turns: 3
output: ["{{steps.grow}}", "{{steps.look.length}}"]
"""


def test_loop_gets_its_last_result_until_its_condition_holds() -> None:
    text = REPEAT.replace("UNTIL", "{value: '{{steps.look.length}}', at_least: 6}")

    assert run(text, "x") == ["<<<<x0>>1>>", 9]


def test_loop_that_is_not_done_in_time_fails() -> None:
    text = REPEAT.replace("UNTIL", "{value: '{{steps.look.even}}', equals: 1}")

    with pytest.raises(WorkflowError, match="'grow' was not done after 3 turns"):
        run(text, "x")


def test_condition_on_a_number_refuses_anything_else() -> None:
    text = REPEAT.replace("UNTIL", "{value: '{{steps.look.text}}', at_most: 1}")

    with pytest.raises(WorkflowError, match="at_most needs a number"):
        run(text, "x")


ASK = """
steps:
  - {name: review, ask: "Publish {{input}}?", answer: {enum: [publish, discard]}, timeout: 60}
"""


def test_answer_of_a_person_is_a_result() -> None:
    assert run(ASK, "x", {"review": "publish"}) == "publish"


def test_answer_that_breaks_its_schema_fails_the_step_without_being_shown() -> None:
    with pytest.raises(WorkflowError, match="no value of its JSON Schema") as caught:
        run(ASK, "x", {"review": "hidden"})

    assert "hidden" not in str(caught.value)


def test_person_is_told_the_question_and_the_schema_of_the_answer() -> None:
    async def work() -> Any:
        person = InMemoryPerson()
        running = asyncio.create_task(make(ASK).run("x", engine=LocalEngine(person=person)))
        question = await person.receive()
        person.answer(question.id, "discard")
        await running
        return question

    question = asyncio.run(work())

    assert (question.text, question.path, question.timeout) == ("Publish x?", "review", 60)
    assert question.answer_schema == {"enum": ["publish", "discard"]}


def test_handler_is_told_what_failed() -> None:
    text = """
    steps:
      - name: risky
        try: [{name: a, agent: echo, input: x}, {name: boom, tool: fail}]
        on_error:
          - {name: h, agent: echo, input: "{{error.code}} {{error.type}} {{error.step}}: {{error.message}}"}
    """

    result = run(text)

    assert result.startswith(
        "<tool_execution ToolExecutionError risky/try/boom: tool 'fail' raised"
    )


def test_missing_value_is_a_failure_that_can_be_handled() -> None:
    text = """
    steps:
      - name: risky
        try: [{name: a, agent: echo, input: "{{input.x}}"}]
        on_error: [{name: h, agent: echo, input: "{{error.message}}"}]
    """

    assert run(text, {}) == "<{{input.x}}: there is no 'x' in 'input': there are none>"


@pytest.mark.parametrize(("error", "tries"), [(ConnectionError, 2), (KeyError, 1)])
def test_call_that_may_succeed_later_is_made_again(error: type[Exception], tries: int) -> None:
    calls: list[str] = []

    @tool(effect="read")
    def shaky() -> str:
        """Fail once."""
        calls.append("x")
        if len(calls) == 1:
            raise error("gone")
        return "there"

    async def sleep(seconds: float) -> None: ...

    workflow = make(
        "steps: [{name: a, tool: shaky, retry: {max_attempts: 3}}]",
        get_tool={"shaky": shaky}.__getitem__,
    )
    running = workflow.run(None, engine=LocalEngine(sleep=sleep))
    if tries == 1:
        with pytest.raises(WorkflowError, match="raised KeyError"):
            asyncio.run(running)
    else:
        assert asyncio.run(running) == "there"
    assert len(calls) == tries


def test_workflow_can_be_a_part_of_one_in_python() -> None:
    async def double(value: str) -> str:
        return value * 2

    longer = make("steps: [{name: a, agent: echo, input: '{{input}}'}]").then(step(double))

    assert asyncio.run(longer.run("x")) == "<x><x>"


def test_picture_shows_every_step() -> None:
    picture = make(SWITCH.replace("input: yes", "input: 'yes'")).to_mermaid()

    assert 'n2{"route"}' in picture
    assert '-->|"bug"|' in picture


def test_wrong_section_is_refused_with_the_place_of_its_first_problem() -> None:
    with pytest.raises(
        ConfigurationError, match=r"'w': steps\.1\.agent: there is no agent 'ech'.*1 more"
    ) as caught:
        make(
            "steps: [{name: a, agent: echo, input: x}, {name: b, agent: ech, input: '{{steps.c}}'}]"
        )

    assert caught.value.details["path"] == ["steps", 1, "agent"]
