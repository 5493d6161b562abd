from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest

from agent_factory.core import (
    Agent,
    AssistantMessage,
    BudgetExceededError,
    HistoryError,
    InMemoryBudget,
    LimitExceededError,
    Limits,
    MemoryContext,
    Message,
    ModelAnswered,
    ModelRequested,
    ModelResponse,
    ModelServerError,
    RunEvent,
    RunOptions,
    RunTimeoutError,
    SystemMessage,
    TextReceived,
    ToolMessage,
    Usage,
    UserMessage,
    check_history,
)
from agent_factory.core.memory import keep_last, keep_window, summarise
from agent_factory.core.testing import ScriptedModel, create_tool_call
from tests.utils import create_test_tool

LONG = [
    message
    for number in range(20)
    for message in (UserMessage(f"question {number} " * 20), AssistantMessage(f"answer {number}"))
]


class Policy:
    """Selects with a function, and keeps what it was told."""

    def __init__(self, select: Any) -> None:
        self._select = select
        self.contexts: list[MemoryContext] = []

    async def select(
        self, messages: tuple[Message, ...], context: MemoryContext
    ) -> tuple[Message, ...]:
        self.contexts.append(context)
        selected: tuple[Message, ...] = self._select(messages)
        return selected


def test_model_sees_the_selection_and_the_result_has_all() -> None:
    model = ScriptedModel(["done"])
    agent = Agent(name="a", model=model, instructions="Be brief.", memory=keep_last(2))

    result = agent.run_sync("Hi.", history=LONG)

    assert model.requests[0].messages == (
        SystemMessage("Be brief."),
        *LONG[-2:],
        UserMessage("Hi."),
    )
    assert result.messages == (
        SystemMessage("Be brief."),
        *LONG,
        UserMessage("Hi."),
        AssistantMessage("done"),
    )


def test_selection_is_made_before_each_request_with_one_state() -> None:
    policy = Policy(lambda messages: messages)
    agent = Agent(
        name="a",
        model=ScriptedModel([create_tool_call("look", {}), "done"]),
        tools=[create_test_tool("look")],
        memory=policy,
        limits=Limits(timeout=60),
    )

    result = agent.run_sync("Hi.")

    first, second = policy.contexts
    assert (first.agent, first.run_id) == ("a", result.run_id)
    assert 0 < second.timeout <= first.timeout <= 60
    assert first.state is second.state


def test_two_runs_have_two_states() -> None:
    policy = Policy(lambda messages: messages)
    agent = Agent(name="a", model=ScriptedModel(["1", "2"]), memory=policy)

    agent.run_sync("Hi.")
    agent.run_sync("Hi.")

    first, second = policy.contexts
    assert first.state is not second.state


# Other frameworks trim a history into a result whose call is gone, which the provider refuses.
def test_trimming_parts_no_call_from_its_result() -> None:
    calls = [create_tool_call("look", {}, call_id=str(number)) for number in range(6)]
    model = ScriptedModel([*calls, "done"])
    agent = Agent(
        name="a",
        model=model,
        tools=[create_test_tool("look", result="x" * 1_000)],
        memory=keep_window(max_tokens=500),
    )

    agent.run_sync("Hi.", history=LONG)

    for request in model.requests:
        assert check_history(request.messages)
        assert UserMessage("Hi.") in request.messages


@pytest.mark.parametrize(
    "select",
    [
        lambda messages: messages[-1:],
        lambda messages: messages[:-1],
        lambda messages: (messages[0], messages[-1]),
        lambda messages: (*messages, messages[-1]),
    ],
    ids=["a result alone", "a call alone", "a result without its call", "a result twice"],
)
def test_selection_that_breaks_the_history_is_refused_before_the_model_is_asked(
    select: Any,
) -> None:
    def break_it(messages: tuple[Message, ...]) -> Any:
        return select(messages) if isinstance(messages[-1], ToolMessage) else messages

    model = ScriptedModel([create_tool_call("look", {}), "done"])
    agent = Agent(name="a", model=model, tools=[create_test_tool("look")], memory=Policy(break_it))

    with pytest.raises(HistoryError):
        agent.run_sync("Hi.")
    assert len(model.requests) == 1


def test_policy_that_never_answers_ends_with_the_time_of_the_run() -> None:
    class Slow:
        async def select(self, *_: object) -> Any:
            await asyncio.sleep(math.inf)

    agent = Agent(name="a", model=ScriptedModel([]), memory=Slow(), limits=Limits(timeout=0.05))

    with pytest.raises(RunTimeoutError):
        agent.run_sync("Hi.")


def create_summariser(*answers: Any, limits: Limits | None = None) -> Agent[Any, str]:
    return Agent(
        name="a",
        model=ScriptedModel(["done"], name="big"),
        memory=summarise(ScriptedModel(answers, name="small"), max_tokens=400, keep_tokens=100),
        limits=limits or Limits(timeout=10),
    )


def create_answer(text: str) -> ModelResponse:
    return ModelResponse(
        AssistantMessage(text), Usage(requests=1, input_tokens=50, output_tokens=5)
    )


def test_call_that_summarises_counts_in_the_usage_of_the_run() -> None:
    agent = create_summariser(*[create_answer("They talked.")] * 20)
    assert isinstance(agent.model, ScriptedModel)

    result = agent.run_sync("Hi.", history=LONG)

    (request,) = agent.model.requests
    assert any("They talked." in getattr(item, "text", "") for item in request.messages)
    asked = result.usage.requests - 1
    assert asked >= 1
    assert result.usage.input_tokens == 50 * asked
    assert result.messages[:-2] == tuple(LONG)


def test_events_of_the_call_that_summarises_are_marked_as_aside() -> None:
    events: list[RunEvent[Any]] = []
    agent = create_summariser(*[create_answer("They talked.")] * 20)

    async def main() -> None:
        async for event in agent.stream("Hi.", history=LONG):
            events.append(event)

    asyncio.run(main())

    answers = [item for item in events if isinstance(item, ModelAnswered)]
    assert [item.aside for item in answers] == [True] * (len(answers) - 1) + [False]
    assert len(answers) > 1
    requested = [item for item in events if isinstance(item, ModelRequested)]
    assert [item.model for item in requested] == ["small"] * (len(answers) - 1) + ["big"]
    assert [item.attempt for item in requested] == list(range(1, len(answers) + 1))
    # What the summary says is not streamed to people.
    assert "".join(item.text for item in events if isinstance(item, TextReceived)) == "done"


def test_call_that_summarises_is_bounded_by_the_limits_of_the_run() -> None:
    agent = create_summariser(*[create_answer("They talked.")] * 20, limits=Limits(max_requests=1))

    with pytest.raises(LimitExceededError) as caught:
        agent.run_sync("Hi.", history=LONG)
    assert caught.value.limit == "max_requests"


def test_call_that_summarises_is_reserved_in_the_budgets() -> None:
    budget = InMemoryBudget("team", max_requests=1)
    agent = create_summariser(*[create_answer("They talked.")] * 20)

    with pytest.raises(BudgetExceededError) as caught:
        agent.run_sync("Hi.", history=LONG, options=RunOptions(budgets=(budget,)))
    assert caught.value.budget == "team"
    assert budget.used.requests == 1


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (ModelServerError("down", model="small"), "down"),
        (create_answer("  "), "'small' wrote an empty summary"),
        (
            ModelResponse(AssistantMessage("They"), finish_reason="length"),
            "ran out of tokens",
        ),
    ],
)
def test_call_that_summarises_and_fails_ends_the_run(answer: Any, said: str) -> None:
    agent = create_summariser(answer)
    assert isinstance(agent.model, ScriptedModel)

    with pytest.raises(Exception, match=said):
        agent.run_sync("Hi.", history=LONG)
    assert agent.model.requests == []


def test_memory_of_the_agent_that_goes_on_takes_over_after_a_handoff() -> None:
    model = ScriptedModel(["7"])
    agent = Agent(
        name="desk",
        model=ScriptedModel([create_tool_call("transfer_to_billing", {})]),
        handoffs=[Agent(name="billing", model=model, memory=keep_last(1))],
    )

    result = agent.run_sync("My bill?", history=LONG)

    assert model.requests[0].messages[0] == UserMessage("My bill?")
    assert len(result.messages) == len(LONG) + 4


def test_agent_that_takes_over_sees_the_prompt_whatever_was_said_since() -> None:
    model = ScriptedModel(["Done."])
    second = Agent(name="second", model=model, memory=keep_last(1))
    handing_over = ScriptedModel(["", create_tool_call("transfer_to_second", {})])
    first = Agent(name="first", model=handing_over, handoffs=[second])

    first.run_sync("What is the weather?")

    assert UserMessage("What is the weather?") in model.requests[0].messages
