from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pydantic import BaseModel

from agent_factory.core import (
    Agent,
    AssistantMessage,
    ConfigurationError,
    GuardrailError,
    HandedOff,
    LimitExceededError,
    Limits,
    Model,
    ModelRequest,
    RunContext,
    RunEvent,
    RunFinished,
    RunOptions,
    SystemMessage,
    ToolCall,
    ToolFinished,
    ToolMessage,
    ToolStarted,
    UserMessage,
    check_history,
    combine_tools,
)
from agent_factory.core.guardrails import Guardrail, GuardrailContext, Verdict
from agent_factory.core.testing import FunctionModel, ScriptedModel, create_tool_call
from tests.utils import create_test_tool

TO_BILLING = create_tool_call("transfer_to_billing", {})


class Bill(BaseModel):
    total: int


def create_pair(
    first: Model, second: Model, *, limits: Limits | None = None, description: str = ""
) -> Agent[object, str]:
    """Return an agent named desk that may hand over to one named billing; each has a tool of its own."""
    billing = Agent[object, str](
        name="billing",
        model=second,
        instructions="You know bills.",
        tools=[create_test_tool("find_bill")],
        description=description,
    )
    return Agent[object, str](
        name="desk",
        model=first,
        instructions="You meet people.",
        tools=[create_test_tool("greet")],
        handoffs=[billing],
        limits=limits or Limits(timeout=10),
    )


def collect(agent: Agent[Any, Any], prompt: str, **given: Any) -> list[RunEvent[Any]]:
    async def main() -> list[RunEvent[Any]]:
        return [event async for event in agent.stream(prompt, **given)]

    return asyncio.run(main())


def test_agent_that_the_conversation_is_handed_over_to_answers() -> None:
    agent = create_pair(ScriptedModel([TO_BILLING]), ScriptedModel(["It is 7 euros."]))

    result = agent.run_sync("My bill?")

    assert result.output == "It is 7 euros."
    assert result.agent == "billing"
    assert result.usage.requests == 2


def test_agent_that_hands_nothing_over_answers_itself() -> None:
    agent = create_pair(ScriptedModel(["Hello."]), ScriptedModel([]))

    assert agent.run_sync("Hi.").agent == "desk"


def test_model_is_told_whom_it_may_hand_over_to_and_what_for() -> None:
    model = ScriptedModel(["Hello."])

    create_pair(model, ScriptedModel([]), description="Explains bills.").run_sync("Hi.")

    greet, spec = model.requests[0].tools
    assert greet.name == "greet"
    assert spec.name == "transfer_to_billing"
    assert "'billing'" in spec.description
    assert spec.description.endswith("Explains bills.")
    assert spec.parameters == {"type": "object", "properties": {}, "additionalProperties": False}


def test_model_instructions_and_tools_are_those_of_the_agent_that_goes_on() -> None:
    model = ScriptedModel([create_tool_call("find_bill", {"text": "7"}), "Seven."])

    create_pair(ScriptedModel([TO_BILLING]), model).run_sync("My bill?")

    first, second = model.requests
    assert first.messages[0] == SystemMessage("You know bills.")
    assert [message.role for message in first.messages] == ["system", "user", "assistant", "tool"]
    assert [spec.name for spec in first.tools] == ["find_bill"]
    assert second.messages[-1] == ToolMessage("call-1", "find_bill", "7")


def test_tool_of_the_agent_before_is_no_longer_there() -> None:
    model = ScriptedModel([create_tool_call("greet", {}), "Sorry."])

    result = create_pair(ScriptedModel([TO_BILLING]), model).run_sync("My bill?")

    told = result.messages[-2]
    assert isinstance(told, ToolMessage)
    assert told.is_error
    assert "there is no tool named 'greet'; the tools are: find_bill" in told.content


def test_history_keeps_all_that_was_said_and_the_instructions_of_who_goes_on() -> None:
    first = ScriptedModel([create_tool_call("greet", {"text": "hello"}), TO_BILLING])
    agent = create_pair(first, ScriptedModel(["Seven."]))

    messages = agent.run_sync("My bill?", history=[UserMessage("Hi."), AssistantMessage("Hi!")])

    assert check_history(messages.messages) == (
        SystemMessage("You know bills."),
        UserMessage("Hi."),
        AssistantMessage("Hi!"),
        UserMessage("My bill?"),
        AssistantMessage("", (create_tool_call("greet", {"text": "hello"}),)),
        ToolMessage("call-1", "greet", "hello"),
        AssistantMessage("", (TO_BILLING,)),
        ToolMessage("call-1", "transfer_to_billing", "The agent 'billing' goes on."),
        AssistantMessage("Seven."),
    )


def test_instructions_are_gone_where_who_goes_on_has_none() -> None:
    model = ScriptedModel(["Seven."])
    agent = Agent(
        name="desk",
        model=ScriptedModel([TO_BILLING]),
        instructions="You meet people.",
        handoffs=[Agent(name="billing", model=model)],
    )

    agent.run_sync("My bill?")

    assert [message.role for message in model.requests[0].messages] == ["user", "assistant", "tool"]


def test_instructions_of_who_goes_on_are_computed_from_the_deps_of_the_run() -> None:
    async def write(context: RunContext[str]) -> str:
        return f"{context.agent} serves {context.deps}, who asked {context.prompt!r}."

    model = ScriptedModel(["Seven."])
    other = Agent[str, str](name="billing", model=model, instructions=write)
    agent = Agent[str, str](name="desk", model=ScriptedModel([TO_BILLING]), handoffs=[other])

    agent.run_sync("My bill?", deps="Ada")

    assert model.requests[0].messages[0] == SystemMessage(
        "billing serves Ada, who asked 'My bill?'."
    )


def test_other_calls_beside_a_handoff_are_refused_and_have_results() -> None:
    calls: list[str] = []
    message = AssistantMessage(
        "One moment.",
        (
            create_tool_call("look", {"text": "x"}, call_id="1"),
            ToolCall("2", "transfer_to_billing", "{}"),
            ToolCall("3", "transfer_to_sales", "{}"),
        ),
    )
    agent = Agent[object, str](
        name="desk",
        model=ScriptedModel([message]),
        tools=[create_test_tool("look", calls=calls)],
        handoffs=[
            Agent(name="billing", model=ScriptedModel(["Seven."])),
            Agent(name="sales", model=ScriptedModel([])),
        ],
    )

    events = collect(agent, "My bill?")

    finished = {item.call.id: item for item in events if isinstance(item, ToolFinished)}
    assert {key: item.outcome for key, item in finished.items()} == {
        "1": "denied",
        "2": "ok",
        "3": "denied",
    }
    assert "handed over" in finished["1"].content
    assert calls == []
    assert not [item for item in events if isinstance(item, ToolStarted)]
    end = events[-1]
    assert isinstance(end, RunFinished)
    assert end.result.agent == "billing"
    assert check_history(end.result.messages)
    assert end.result.usage.tool_calls == 0


def test_event_tells_who_goes_on_with_which_model_and_instructions() -> None:
    agent = create_pair(ScriptedModel([TO_BILLING]), ScriptedModel(["Seven."], name="bills-model"))

    events = collect(agent, "My bill?")

    (event,) = [item for item in events if isinstance(item, HandedOff)]
    assert (event.agent, event.to, event.model, event.instructions) == (
        "desk",
        "billing",
        "bills-model",
        "You know bills.",
    )
    assert [item.sequence for item in events] == list(range(len(events)))


def test_guardrails_are_those_of_the_agent_that_goes_on() -> None:
    looked: list[str] = []

    def look(text: str, context: GuardrailContext[object]) -> Verdict:
        looked.append(f"{context.agent}: {text} ({context.prompt})")
        return Verdict.block("no") if "secret" in text else Verdict.allow()

    strict = Guardrail("strict", frozenset({"output"}), look)
    other = Agent[object, str](
        name="billing", model=ScriptedModel(["a secret"]), guardrails=[strict]
    )
    agent = Agent[object, str](name="desk", model=ScriptedModel([TO_BILLING]), handoffs=[other])

    with pytest.raises(GuardrailError, match="'strict' of agent 'billing'"):
        agent.run_sync("My bill?")
    assert looked == ["billing: a secret (My bill?)"]


def test_guardrails_of_the_agent_before_no_longer_look() -> None:
    strict: Guardrail[object] = Guardrail(
        "strict", frozenset({"output"}), lambda *_: Verdict.block("no")
    )
    agent = Agent[object, str](
        name="desk",
        model=ScriptedModel([TO_BILLING]),
        guardrails=[strict],
        handoffs=[Agent(name="billing", model=ScriptedModel(["Seven."]))],
    )

    assert agent.run_sync("My bill?").output == "Seven."


def test_chain_of_handoffs_is_bounded_by_the_requests_of_the_run() -> None:
    last = Agent(name="c", model=ScriptedModel(["done"]))
    middle = Agent(
        name="b",
        model=ScriptedModel([create_tool_call("transfer_to_c", {})]),
        handoffs=[last],
        limits=Limits(max_requests=100),
    )
    agent = Agent(
        name="a",
        model=ScriptedModel([create_tool_call("transfer_to_b", {})]),
        handoffs=[middle],
        limits=Limits(max_requests=2),
    )

    with pytest.raises(LimitExceededError) as caught:
        agent.run_sync("Hi.")
    assert caught.value.limit == "max_requests"
    assert caught.value.allowed == 2


def test_chain_of_handoffs_ends_with_the_last_agent() -> None:
    last = Agent(name="c", model=ScriptedModel(["done"]))
    middle = Agent(
        name="b",
        model=ScriptedModel([create_tool_call("transfer_to_c", {})]),
        handoffs=[last],
    )
    agent = Agent(
        name="a", model=ScriptedModel([create_tool_call("transfer_to_b", {})]), handoffs=[middle]
    )

    assert agent.run_sync("Hi.").agent == "c"


def test_agent_of_another_output_type_is_refused_at_once() -> None:
    other = Agent(name="billing", model=ScriptedModel([]), output_type=int)

    with pytest.raises(ConfigurationError, match=r"'desk'.*'billing'.*same output_type"):
        Agent(name="desk", model=ScriptedModel([]), handoffs=[other])  # type: ignore[list-item]


def test_agent_of_an_equal_output_type_is_accepted() -> None:
    other = Agent(name="billing", model=ScriptedModel(["[1, 2]"]), output_type=list[int])
    agent = Agent(
        name="desk",
        model=ScriptedModel([create_tool_call("transfer_to_billing", {})]),
        output_type=list[int],
        handoffs=[other],
    )

    assert agent.run_sync("Hi.").output == [1, 2]


def test_two_agents_whose_names_look_the_same_to_the_model_are_refused() -> None:
    others = [Agent(name=name, model=ScriptedModel([])) for name in ("big bills", "big_bills")]

    with pytest.raises(
        ConfigurationError, match=r"'desk'.*'transfer_to_big_bills'.*agents to hand over to"
    ):
        Agent(name="desk", model=ScriptedModel([]), handoffs=others)


def test_tool_that_is_named_like_a_handoff_is_refused() -> None:
    other = Agent[object, str](name="billing", model=ScriptedModel([]))

    with pytest.raises(ConfigurationError, match="'transfer_to_billing'"):
        Agent[object, str](
            name="desk",
            model=ScriptedModel([]),
            handoffs=[other],
            tools=[create_test_tool("transfer_to_billing")],
        )


def test_deps_and_further_tools_of_the_run_go_along() -> None:
    model = ScriptedModel([create_tool_call("extra", {"text": "e"}), "done"])
    agent = create_pair(ScriptedModel([TO_BILLING]), model)
    extra = create_test_tool("extra")

    result = agent.run_sync("Hi.", deps=None, options=RunOptions(tools=(extra,)))

    assert result.output == "done"
    assert [spec.name for spec in model.requests[0].tools] == ["find_bill", "extra"]


def test_toolset_of_who_goes_on_is_asked_for_its_tools() -> None:
    model = ScriptedModel([create_tool_call("a_look", {"text": "here"}), "done"])
    tools = combine_tools(create_test_tool("look")).prefix("a_")
    other = Agent[object, str](name="billing", model=model, tools=[tools])
    agent = Agent[object, str](name="desk", model=ScriptedModel([TO_BILLING]), handoffs=[other])

    assert agent.run_sync("Hi.").messages[-2] == ToolMessage("call-1", "a_look", "here")


@pytest.mark.parametrize("first_mode", ["native", "tool", "prompt"])
@pytest.mark.parametrize("second_mode", ["native", "tool", "prompt"])
def test_who_goes_on_is_asked_for_the_shape_in_one_way(first_mode: Any, second_mode: Any) -> None:
    def answer(request: ModelRequest) -> str | ToolCall:
        names = [spec.name for spec in request.tools]
        system = request.messages[0]
        told = isinstance(system, SystemMessage) and "JSON Schema" in system.text
        assert (request.output is not None) + ("final_answer" in names) + told == 1
        if "final_answer" in names:
            return create_tool_call("final_answer", {"total": 7}, call_id="end")
        return '{"total": 7}'

    other = Agent[object, Bill](
        name="billing",
        model=FunctionModel(answer),
        output_type=Bill,
        output_mode=second_mode,
        tools=[create_test_tool("find_bill")],
    )
    agent = Agent[object, Bill](
        name="desk",
        model=ScriptedModel([TO_BILLING]),
        output_type=Bill,
        output_mode=first_mode,
        handoffs=[other],
    )

    result = agent.run_sync("My bill?")

    assert result.output == Bill(total=7)
    assert check_history(result.messages)


def test_answer_that_does_not_fit_is_sent_back_to_who_goes_on() -> None:
    model = ScriptedModel(["seven", '{"total": 7}'])
    other = Agent(name="billing", model=model, output_type=Bill)
    agent = Agent(
        name="desk", model=ScriptedModel([TO_BILLING]), output_type=Bill, handoffs=[other]
    )

    assert agent.run_sync("My bill?").output == Bill(total=7)
    assert len(model.requests) == 2
