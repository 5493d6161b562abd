from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pydantic import BaseModel

from agent_factory.core import (
    Agent,
    ConfigurationError,
    RunOptions,
    ToolError,
    Usage,
    Workflow,
    step,
    tool,
)
from agent_factory.core.evals import (
    Attempt,
    EvalCase,
    Exact,
    Observation,
    ObservedCall,
    RunRecorder,
    Target,
    create_agent_target,
    create_workflow_target,
)
from agent_factory.core.messages import AssistantMessage, UserMessage
from agent_factory.core.models import ModelResponse
from agent_factory.core.testing import FunctionModel, ScriptedModel, create_tool_call
from tests.utils import create_test_agent, create_test_tool, create_test_workflow

ATTEMPT = Attempt("case", 1, 4711)


def observe(target: Target, value: object = "Hello?") -> Observation:
    return asyncio.run(target(EvalCase("case", value, (Exact("x"),)), ATTEMPT))


def test_answer_and_tool_calls_of_an_agent_are_seen() -> None:
    agent = create_test_agent(
        [
            create_tool_call("echo", {"text": "a"}),
            create_tool_call("fail", {}),
            create_tool_call("nowhere", {"x": 1}),
            "done",
        ],
        tools=[create_test_tool("echo"), create_test_tool("fail", error=ToolError("no"))],
    )

    seen = observe(create_agent_target(agent))

    assert seen.output == "done"
    assert seen.tool_calls == (
        ObservedCall("echo", {"text": "a"}),
        ObservedCall("fail", {}, "error"),
        ObservedCall("nowhere", {"x": 1}, "error"),
    )
    assert seen.usage is not None
    assert seen.usage.requests == 4


def test_calls_of_agents_within_the_run_are_seen_after_the_call_that_began_them() -> None:
    inner = create_test_agent(
        [create_tool_call("echo", {"text": "a"}), "inner"],
        tools=[create_test_tool("echo")],
        name="helper",
    )
    outer = create_test_agent(
        [create_tool_call("helper", {"prompt": "Help!"}), "outer"],
        tools=[inner.as_tool(description="Helps.")],
    )

    seen = observe(create_agent_target(outer))

    assert seen.error is None
    assert [call.name for call in seen.tool_calls or ()] == ["helper", "echo"]
    assert {call.outcome for call in seen.tool_calls or ()} == {"ok"}


def test_failed_run_tells_what_happened_before() -> None:
    answered = ModelResponse(
        AssistantMessage("", (create_tool_call("echo", {}),)), Usage(1, 10, 5, cost=7), "tool_calls"
    )
    agent = create_test_agent([answered], tools=[create_test_tool("echo", error=ValueError("bug"))])

    seen = observe(create_agent_target(agent))

    assert seen.error is not None
    assert seen.error.code == "tool_execution"
    assert [call.name for call in seen.tool_calls or ()] == ["echo"]
    assert seen.usage is not None
    assert (seen.usage.requests, seen.usage.tokens, seen.usage.cost) == (1, 15, 7)


def test_model_call_without_an_answer_leaves_the_cost_unknown() -> None:
    seen = observe(create_agent_target(create_test_agent([])))

    assert seen.error is not None
    assert seen.usage is not None
    assert (seen.usage.requests, seen.usage.cost) == (1, None)


def test_agent_of_an_attempt_gets_its_seed() -> None:
    def create(attempt: Attempt) -> Agent[None, str]:
        return Agent(name="seeded", model=FunctionModel(lambda _: f"seed {attempt.seed}"))

    assert observe(create_agent_target(create)).output == "seed 4711"


def test_data_is_put_to_an_agent_as_json_unless_told_otherwise() -> None:
    model = ScriptedModel(["one", "two"])
    agent = Agent(name="reader", model=model)

    observe(create_agent_target(agent), {"city": "Zürich"})
    observe(
        create_agent_target(agent, create_prompt=lambda value: UserMessage(f"In {value['city']}?")),
        {"city": "Bern"},
    )

    assert [getattr(request.messages[-1], "text", "") for request in model.requests] == [
        '{"city": "Zürich"}',
        "In Bern?",
    ]


def test_deps_and_options_reach_the_run() -> None:
    @tool(effect="read")
    def greet(name: str) -> str:
        """Greet somebody.

        Args:
            name: Who.
        """
        return f"Hello {name}"

    events: list[Any] = []
    agent = create_test_agent([create_tool_call("greet", {"name": "Ada"}), "done"])
    options = RunOptions(tools=(greet,), observers=(events.append,))

    seen = observe(create_agent_target(agent, deps=None, options=options))

    assert seen.tool_calls == (ObservedCall("greet", {"name": "Ada"}),)
    assert events


class Answer(BaseModel):
    total: int


def test_structured_answer_is_kept_for_the_runner_to_write_down() -> None:
    agent = create_test_agent(['{"total": 3}'], output_type=Answer)

    assert observe(create_agent_target(agent)).output == Answer(total=3)


def test_options_that_attempts_would_share_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="run_id"):
        create_agent_target(create_test_agent(), options=RunOptions(run_id="one"))


@pytest.mark.parametrize("wrong", ["agent", None, Agent])
def test_target_of_what_is_no_agent_is_refused(wrong: Any) -> None:
    with pytest.raises(ConfigurationError):
        create_agent_target(wrong)
    with pytest.raises(ConfigurationError):
        create_workflow_target(wrong)


def test_workflow_gets_the_input_and_nothing_is_known_of_its_tools() -> None:
    seen = observe(
        create_workflow_target(create_test_workflow(lambda value: value["n"] + 1)), {"n": 1}
    )

    assert (seen.output, seen.tool_calls, seen.usage) == (2, None, None)


def test_failure_of_a_step_is_told_with_its_cause() -> None:
    def refuse(value: object) -> object:
        raise ToolError("no")

    seen = observe(create_workflow_target(create_test_workflow(refuse)))

    assert seen.error is not None
    assert (seen.error.code, seen.error.causes) == ("workflow", ("tool",))


def test_workflow_that_hands_its_recorder_on_tells_of_its_agents() -> None:
    agent = create_test_agent(
        [create_tool_call("echo", {"text": "a"}), "done"], tools=[create_test_tool("echo")]
    )

    def create(attempt: Attempt, recorder: RunRecorder) -> Workflow[Any, Any]:
        async def ask(value: str) -> str:
            options = RunOptions(observers=(recorder,))
            return (await agent.run(value, deps=None, options=options)).output

        return Workflow("ask", step(ask))

    seen = observe(create_workflow_target(create))

    assert seen.output == "done"
    assert [call.name for call in seen.tool_calls or ()] == ["echo"]
    assert seen.usage is not None
    assert (seen.usage.requests, seen.usage.tool_calls) == (2, 1)
