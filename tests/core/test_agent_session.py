from __future__ import annotations

import asyncio
import math
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import pytest

from agent_factory.core import (
    Agent,
    AssistantMessage,
    ConfigurationError,
    CoreError,
    Image,
    Limits,
    MemoryConflictError,
    MemoryScope,
    Message,
    ModelRequest,
    ModelResponse,
    ModelServerError,
    RunFailed,
    RunFinished,
    RunOptions,
    RunTimeoutError,
    Session,
    SystemMessage,
    ToolFinished,
    ToolMessage,
    UserMessage,
    check_history,
    tool,
)
from agent_factory.core.memory import InMemoryStore, keep_last
from agent_factory.core.testing import FunctionModel, ScriptedModel, create_tool_call
from tests.utils import create_test_tool

if TYPE_CHECKING:
    from collections.abc import Sequence

ADA = MemoryScope("engines", "ada")
BOB = MemoryScope("engines", "bob")


def create_options(store: Any, scope: MemoryScope = ADA) -> RunOptions:
    return RunOptions(session=Session(store, scope))


def load(store: InMemoryStore, scope: MemoryScope = ADA) -> tuple[Message, ...]:
    return asyncio.run(store.load(scope))


def test_history_goes_on_from_run_to_run() -> None:
    store = InMemoryStore()
    model = ScriptedModel(["Hello Ada.", "Ada."])
    agent = Agent(name="a", model=model)

    agent.run_sync("I am Ada.", options=create_options(store))
    result = agent.run_sync("Who am I?", options=create_options(store))

    assert model.requests[1].messages == (
        UserMessage("I am Ada."),
        AssistantMessage("Hello Ada."),
        UserMessage("Who am I?"),
    )
    assert result.messages == load(store)
    assert len(result.messages) == 4


def test_calls_and_results_are_kept_together() -> None:
    store = InMemoryStore()
    agent = Agent(
        name="a",
        model=ScriptedModel([create_tool_call("look", {"text": "x"}), "done", "again"]),
        tools=[create_test_tool("look")],
    )

    agent.run_sync("Hi.", options=create_options(store))
    agent.run_sync("Hi.", options=create_options(store))

    assert [message.role for message in check_history(load(store))] == [
        "user",
        "assistant",
        "tool",
        "assistant",
        "user",
        "assistant",
    ]


def test_two_sessions_do_not_see_each_other() -> None:
    store = InMemoryStore()
    model = ScriptedModel(["Hello Ada.", "Hello Bob."])
    agent = Agent(name="a", model=model)

    agent.run_sync("I am Ada.", options=create_options(store))
    agent.run_sync("I am Bob.", options=create_options(store, BOB))

    assert model.requests[1].messages == (UserMessage("I am Bob."),)
    assert load(store)[0] == UserMessage("I am Ada.")
    assert load(store, BOB)[0] == UserMessage("I am Bob.")


def test_instructions_are_not_kept_and_may_change_between_runs() -> None:
    store = InMemoryStore()
    for text in ("First.", "Second."):
        model = ScriptedModel(["done"])
        agent = Agent(name="a", model=model, instructions=text)
        agent.run_sync("Hi.", options=create_options(store))

        system = [item for item in model.requests[0].messages if isinstance(item, SystemMessage)]
        assert system == [SystemMessage(text)]

    assert [message.role for message in load(store)] == ["user", "assistant", "user", "assistant"]


@pytest.mark.parametrize(
    "answers",
    [
        [ModelServerError("down", model="m")],
        [create_tool_call("look", {}), ModelServerError("down", model="m")],
        [create_tool_call("broken", {})],
        [ModelResponse(AssistantMessage("half"), finish_reason="length")],
        [create_tool_call("look", {}, call_id=str(number)) for number in range(9)],
    ],
)
def test_nothing_is_kept_of_a_run_that_fails(answers: Sequence[Any]) -> None:
    store = InMemoryStore()
    asyncio.run(store.append(ADA, [UserMessage("a"), AssistantMessage("b")], expected=0))
    agent = Agent(
        name="a",
        model=ScriptedModel(answers),
        tools=[create_test_tool("look"), create_test_tool("broken", error=ValueError())],
        limits=Limits(max_requests=5),
    )

    with pytest.raises(CoreError):
        agent.run_sync("Hi.", options=create_options(store))
    assert load(store) == (UserMessage("a"), AssistantMessage("b"))


def test_nothing_is_kept_of_a_run_that_was_cancelled() -> None:
    store = InMemoryStore()

    async def main() -> None:
        model = ScriptedModel([create_tool_call("look", {}), "done"])
        agent = Agent(name="a", model=model, tools=[create_test_tool("look")])
        async with aclosing(agent.stream("Hi.", options=create_options(store))) as events:
            async for event in events:
                if isinstance(event, ToolFinished):
                    break

    asyncio.run(main())

    assert load(store) == ()


def test_conversation_that_somebody_else_changed_meanwhile_is_a_conflict() -> None:
    store = InMemoryStore()
    other = (UserMessage("Me first."), AssistantMessage("Yes."))
    events: list[Any] = []

    async def main() -> None:
        async def interfere(text: str = "") -> str:
            await store.append(ADA, other, expected=0)
            return text

        agent = Agent(
            name="a",
            model=ScriptedModel([create_tool_call("interfere", {}), "done"]),
            tools=[tool(interfere)],
        )
        options = RunOptions(session=Session(store, ADA), observers=(events.append,))
        await agent.run("Hi.", options=options)

    with pytest.raises(MemoryConflictError, match="load it and run again") as caught:
        asyncio.run(main())
    assert caught.value.retryable
    assert load(store) == other
    assert isinstance(events[-1], RunFailed)
    assert not [item for item in events if isinstance(item, RunFinished)]


def test_one_of_two_runs_at_a_time_is_a_conflict_and_may_be_repeated() -> None:
    store = InMemoryStore()
    agent = Agent(name="a", model=FunctionModel(lambda _: "done"))

    async def main() -> list[object]:
        options = create_options(store)
        return list(
            await asyncio.gather(
                agent.run("One."),
                agent.run("Two.", options=options),
                agent.run("Three.", options=options),
                return_exceptions=True,
            )
        )

    results = asyncio.run(main())

    assert sum(isinstance(item, MemoryConflictError) for item in results) == 1
    assert len(load(store)) == 2
    agent.run_sync("Again.", options=create_options(store))
    assert len(load(store)) == 4


def test_session_and_history_together_are_refused() -> None:
    agent = Agent(name="a", model=ScriptedModel([]))

    with pytest.raises(ConfigurationError, match=r"a history and a session.*leave out one"):
        agent.run_sync(
            "Hi.", history=[UserMessage("before")], options=create_options(InMemoryStore())
        )


def test_corrections_of_the_answer_are_kept_too() -> None:
    store = InMemoryStore()
    agent = Agent(name="a", model=ScriptedModel(["x", "7"]), output_type=int)

    agent.run_sync("Hi.", options=create_options(store))

    assert [message.role for message in load(store)] == ["user", "assistant"] * 2


def test_whole_conversation_is_kept_where_a_memory_shows_a_part() -> None:
    store = InMemoryStore()
    model = ScriptedModel(["1", "2", "3"])
    agent = Agent(name="a", model=model, memory=keep_last(1))

    for text in "abc":
        agent.run_sync(text, options=create_options(store))

    assert model.requests[2].messages == (UserMessage("c"),)
    assert len(load(store)) == 6


def test_conversation_goes_on_after_a_handoff() -> None:
    store = InMemoryStore()
    agent = Agent(
        name="desk",
        model=ScriptedModel([create_tool_call("transfer_to_billing", {}), "Again?"]),
        instructions="You meet people.",
        handoffs=[Agent(name="billing", model=ScriptedModel(["7"]), instructions="Bills.")],
    )

    agent.run_sync("My bill?", options=create_options(store))
    result = agent.run_sync("Thanks.", options=create_options(store))

    kept = load(store)
    assert [message.role for message in kept] == [
        "user",
        "assistant",
        "tool",
        "assistant",
        "user",
        "assistant",
    ]
    assert isinstance(kept[2], ToolMessage)
    assert result.agent == "desk"
    assert result.messages[0] == SystemMessage("You meet people.")


def test_images_are_kept() -> None:
    store = InMemoryStore()
    prompt = UserMessage("What is it?", (Image("https://example.com/a.png"),))
    seen: list[ModelRequest] = []

    def answer(request: ModelRequest) -> str:
        seen.append(request)
        return "A cat."

    agent = Agent(name="a", model=FunctionModel(answer))
    agent.run_sync(prompt, options=create_options(store))
    agent.run_sync("Sure?", options=create_options(store))

    assert seen[1].messages[0] == prompt


class SlowStore(InMemoryStore):
    def __init__(self, slow: str) -> None:
        super().__init__()
        self.slow = slow

    async def load(self, scope: MemoryScope) -> tuple[Message, ...]:
        if self.slow == "load":
            await asyncio.sleep(math.inf)
        return await super().load(scope)

    async def append(
        self, scope: MemoryScope, messages: Sequence[Message], *, expected: int
    ) -> None:
        if self.slow == "append":
            await asyncio.sleep(math.inf)
        await super().append(scope, messages, expected=expected)


@pytest.mark.parametrize("slow", ["load", "append"])
def test_store_that_never_answers_ends_with_the_time_of_the_run(slow: str) -> None:
    agent = Agent(name="a", model=ScriptedModel(["done"]), limits=Limits(timeout=0.05))

    with pytest.raises(RunTimeoutError):
        agent.run_sync("Hi.", options=create_options(SlowStore(slow)))
