from __future__ import annotations

import asyncio
import copy
import uuid

import pytest

from agent_factory.core import (
    Agent,
    AssistantMessage,
    ConfigurationError,
    HistoryError,
    Limits,
    Message,
    ModelRateLimitError,
    ModelResponse,
    RunOptions,
    SystemMessage,
    Tool,
    ToolCall,
    Usage,
    UserMessage,
)
from agent_factory.core.testing import FunctionModel, ScriptedModel, create_tool_call
from tests.utils import create_test_agent, create_test_tool


def test_answer_of_the_model_is_the_output() -> None:
    assert create_test_agent(["It is 4."]).run_sync("2 + 2?").output == "It is 4."


def test_messages_hold_instructions_prompt_and_answer_in_order() -> None:
    result = create_test_agent(["Hello."], instructions="Be kind.").run_sync("Hi.")

    assert result.messages == (
        SystemMessage("Be kind."),
        UserMessage("Hi."),
        AssistantMessage("Hello."),
    )


def test_empty_instructions_are_not_sent() -> None:
    assert create_test_agent(["Hello."]).run_sync("Hi.").messages[0] == UserMessage("Hi.")


def test_run_id_is_a_uuid_of_version_7() -> None:
    assert uuid.UUID(create_test_agent().run_sync("Hi.").run_id).version == 7


def test_result_is_the_history_of_a_next_run() -> None:
    agent = create_test_agent(["first", "second"], instructions="Be kind.")

    history = agent.run_sync("one").messages
    result = agent.run_sync("two", history=history)

    assert [message.text for message in result.messages if not hasattr(message, "call_id")] == [
        "Be kind.",
        "one",
        "first",
        "two",
        "second",
    ]


def test_history_with_tool_calls_is_taken_over() -> None:
    agent = create_test_agent(
        [create_tool_call("echo", {"text": "x"}), "first", "second"], tools=[create_test_tool()]
    )

    history = agent.run_sync("one").messages

    assert agent.run_sync("two", history=history).messages[: len(history)] == history


def test_instructions_of_the_agent_replace_those_in_the_history() -> None:
    agent = create_test_agent(instructions="New.")

    result = agent.run_sync("Hi.", history=[SystemMessage("Old."), UserMessage("Before.")])

    systems = [item for item in result.messages if isinstance(item, SystemMessage)]
    assert systems == [SystemMessage("New.")]


def test_history_with_an_unanswered_call_is_refused_before_the_model_is_asked() -> None:
    model = ScriptedModel(["never"])
    agent = create_test_agent(model=model)
    broken: list[Message] = [UserMessage("x"), AssistantMessage("", (ToolCall("c", "echo", "{}"),))]

    with pytest.raises(HistoryError, match="'c'"):
        agent.run_sync("Hi.", history=broken)
    assert model.requests == []


def test_usage_is_the_sum_over_all_model_calls() -> None:
    call = create_tool_call("echo", {"text": "x"})
    agent = create_test_agent(
        [
            ModelResponse(AssistantMessage("", (call,)), Usage(1, 10, 5), "tool_calls"),
            ModelResponse(AssistantMessage("done"), Usage(1, 20, 7)),
        ],
        tools=[create_test_tool()],
    )

    usage = agent.run_sync("Hi.").usage

    assert usage == Usage(requests=2, input_tokens=30, output_tokens=12, tool_calls=1)


def test_a_model_cannot_understate_requests_or_claim_tool_calls() -> None:
    agent = create_test_agent([ModelResponse(AssistantMessage("done"), Usage(0, 1, 1, 9))])

    assert agent.run_sync("Hi.").usage == Usage(1, 1, 1, 0)


def test_error_of_the_model_reaches_the_caller_unchanged() -> None:
    error = ModelRateLimitError("slow down", model="m", status=429, retry_after=2.0)

    with pytest.raises(ModelRateLimitError) as caught:
        create_test_agent([error]).run_sync("Hi.")
    assert caught.value is error


def test_deps_reach_the_model_of_the_request_only_through_tools() -> None:
    model = FunctionModel(lambda request: "done")
    create_test_agent(model=model, tools=[create_test_tool("look")]).run_sync("Hi.", deps=object())

    [request] = model.requests
    assert [spec.name for spec in request.tools] == ["look"]
    assert request.messages == (UserMessage("Hi."),)
    assert request.output is None


def test_agent_serves_many_runs_at_a_time() -> None:
    agent = create_test_agent(model=FunctionModel(lambda request: str(request.messages[-1])))

    async def main() -> list[str]:
        runs = [agent.run(str(number)) for number in range(20)]
        return [result.output for result in await asyncio.gather(*runs)]

    assert asyncio.run(main()) == [str(UserMessage(str(number))) for number in range(20)]


def test_run_sync_inside_an_event_loop_says_what_to_use() -> None:
    agent = create_test_agent()

    async def main() -> None:
        agent.run_sync("Hi.")

    with pytest.raises(ConfigurationError, match=r"await agent\.run"):
        asyncio.run(main())


@pytest.mark.parametrize("name", ["", "  "])
def test_agent_needs_a_name(name: str) -> None:
    with pytest.raises(ConfigurationError, match="needs a name"):
        create_test_agent(name=name)


def test_tools_of_one_name_are_refused_with_the_name() -> None:
    with pytest.raises(ConfigurationError, match=r"'twice'.*tool\(name="):
        create_test_agent(tools=[create_test_tool("twice"), create_test_tool("twice")])


def test_agent_cannot_be_changed() -> None:
    agent = create_test_agent()

    with pytest.raises(AttributeError, match="immutable"):
        agent.name = "other"
    with pytest.raises(AttributeError, match="immutable"):
        del agent.name
    assert agent.name == "tester"


def test_agent_is_its_own_copy() -> None:
    agent = create_test_agent()

    assert copy.copy(agent) is agent
    assert copy.deepcopy({"agent": agent})["agent"] is agent


def test_agent_with_changes_is_another_one() -> None:
    first = ScriptedModel([])
    agent = Agent(
        name="a",
        model=first,
        instructions="Be kind.",
        tools=[create_test_tool("look")],
        output_type=int,
        output_mode="prompt",
        limits=Limits(max_requests=3),
        fallbacks=[ScriptedModel([])],
        description="Counts.",
    )

    model = ScriptedModel(["4"])
    other = agent.replace(model=model)

    assert other.run_sync("2 + 2?", deps=None).output == 4
    assert other.model is model
    assert "JSON Schema" in str(model.requests[0].messages[0])
    for name in ("name", "instructions", "tools", "output_type", "limits", "description"):
        assert getattr(other, name) == getattr(agent, name)
    assert agent.model is not model


def test_changes_are_checked_as_for_a_new_agent() -> None:
    agent = create_test_agent()

    with pytest.raises(ConfigurationError, match="needs a name"):
        agent.replace(name=" ")
    with pytest.raises(TypeError, match="colour"):
        agent.replace(colour="red")  # type: ignore[call-overload]


def test_tools_are_copied_from_the_given_list() -> None:
    tools = [create_test_tool("one")]
    agent = create_test_agent(tools=tools)

    tools.append(create_test_tool("two"))

    assert [item.name for item in agent.tools if isinstance(item, Tool)] == ["one"]


def test_representation_names_model_and_tools() -> None:
    agent = Agent(name="a", model=ScriptedModel([]), tools=[create_test_tool("look")])

    assert repr(agent) == "Agent(name='a', model='scripted', tools=['look'])"


def test_seed_of_the_run_reaches_the_model() -> None:
    model = ScriptedModel(["a"])

    Agent(name="a", model=model).run_sync("Hi.", options=RunOptions(seed=7))

    assert model.requests[0].seed == 7
