from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import date

import pytest

from agent_factory.core import Agent, Limits, RunResult
from agent_factory.core.budgets import InMemoryBudget, Reservation
from agent_factory.core.events import ModelRetried
from agent_factory.core.exceptions import (
    BudgetExceededError,
    CoreError,
    LimitExceededError,
    ModelConnectionError,
    ModelRequestError,
    ModelServerError,
)
from agent_factory.core.fallback import FallbackModel
from agent_factory.core.messages import AssistantMessage
from agent_factory.core.models import (
    Model,
    ModelDelta,
    ModelRequest,
    ModelResponse,
    ModelRetry,
)
from agent_factory.core.options import RunOptions
from agent_factory.core.prices import Price, PriceTable
from agent_factory.core.testing import (
    Answer,
    FunctionModel,
    ScriptedModel,
    create_tool_call,
    run_virtual,
)
from agent_factory.core.usage import Usage
from tests.utils import create_test_tool

DOLLARS = Price(1_000_000, 2_000_000, 100_000)
PRICES = PriceTable({"priced": DOLLARS, "cheap": Price(1, 1, 1)}, as_of=date(2026, 11, 24))
USED = Usage(requests=1, input_tokens=100, output_tokens=50)


def answer(text: str = "Good.", usage: Usage = USED) -> ModelResponse:
    return ModelResponse(AssistantMessage(text), usage)


def run(model: Model, *budgets: InMemoryBudget, limits: Limits | None = None) -> RunResult[str]:
    agent = Agent(name="clerk", model=model, limits=limits or Limits())
    return agent.run_sync("Hi", options=RunOptions(budgets=budgets, prices=PRICES))


def test_run_settles_what_it_used_in_every_budget() -> None:
    ada, acme = InMemoryBudget("user:ada", max_cost=10**6), InMemoryBudget("tenant:acme")

    result = run(ScriptedModel([answer()], name="priced"), ada, acme)

    assert result.usage.cost == 200
    assert ada.used == acme.used == Usage(1, 100, 50, cost=200)
    assert ada.reserved == acme.reserved == Usage()


def test_call_that_does_not_fit_is_not_made() -> None:
    model = ScriptedModel([answer()], name="priced")
    acme = InMemoryBudget("tenant:acme", max_cost=50)

    with pytest.raises(BudgetExceededError, match="'tenant:acme' has 50 of 50 millionths"):
        run(model, InMemoryBudget("user:ada"), acme)

    assert model.requests == []
    assert acme.used == acme.reserved == Usage()


def test_answer_may_be_as_long_as_what_is_left_allows() -> None:
    model = ScriptedModel([answer()], name="priced")

    run(model, InMemoryBudget("user:ada", max_tokens=1_000))

    allowed = model.requests[0].max_output_tokens
    assert allowed is not None
    assert 0 < allowed < 1_000


@pytest.mark.parametrize("limits", [Limits(max_cost=10**9), Limits()], ids=["run", "shared"])
def test_model_without_a_price_is_not_called_where_money_is_bounded(limits: Limits) -> None:
    model = ScriptedModel([answer()], name="unpriced")
    budgets = [] if limits.max_cost else [InMemoryBudget("tenant:acme", max_cost=10**9)]

    with pytest.raises(BudgetExceededError, match="no price is known"):
        run(model, *budgets, limits=limits)

    assert model.requests == []


def test_priced_and_unpriced_calls_of_one_run_have_no_cost_together() -> None:
    # pydantic-ai#7133 adds up the prices that it knows and shows the sum as if it were the whole.
    call = ModelResponse(
        AssistantMessage("", (create_tool_call("look", {"text": "x"}),)), USED, "tool_calls"
    )
    unsure = ScriptedModel(
        [call, ModelServerError("down", model="priced", status=503)], name="priced"
    )
    chain = FallbackModel([unsure, ScriptedModel([answer()], name="unpriced")])
    ada = InMemoryBudget("user:ada", max_requests=10)
    agent = Agent(name="clerk", model=chain, tools=[create_test_tool("look")])

    result = agent.run_sync("Hi", options=RunOptions(budgets=(ada,), prices=PRICES))

    assert result.usage.requests == 2
    assert result.usage.cost is None
    assert ada.used.cost is None


def test_chain_with_an_unpriced_model_is_not_called_where_money_is_bounded() -> None:
    first, second = ScriptedModel([answer()], name="priced"), ScriptedModel([], name="unpriced")

    with pytest.raises(BudgetExceededError, match="no price is known"):
        run(FallbackModel([first, second]), InMemoryBudget("tenant:acme", max_cost=10**9))

    assert first.requests == []


def test_answer_of_a_chain_costs_what_the_model_that_answered_costs() -> None:
    broken = ScriptedModel([ModelServerError("down", model="cheap", status=503)], name="cheap")
    chain = FallbackModel([broken, ScriptedModel([answer()], name="priced")])

    assert run(chain).usage.cost == 200


def test_change_of_model_is_an_event_of_the_run() -> None:
    told: list[ModelRetried] = []
    broken = ScriptedModel([ModelServerError("down", model="cheap")], name="cheap")
    chain = FallbackModel([broken, ScriptedModel([answer()], name="priced")])

    Agent(name="clerk", model=chain).run_sync(
        "Hi",
        options=RunOptions(
            observers=(
                lambda event: told.append(event) if isinstance(event, ModelRetried) else None,
            )
        ),
    )

    assert [(item.model, item.reason, item.next_model) for item in told] == [
        ("cheap", "down", "priced")
    ]


def test_failed_run_leaves_nothing_reserved() -> None:
    ada = InMemoryBudget("user:ada", max_tokens=10**6, max_cost=10**6)
    wrong = ModelRequestError("wrong", model="priced", status=400)

    with pytest.raises(ModelRequestError):
        run(ScriptedModel([wrong], name="priced"), ada)

    assert ada.reserved == Usage()
    assert ada.used.tokens == 0


def test_runs_at_the_same_time_never_use_more_than_there_is() -> None:
    acme = InMemoryBudget("tenant:acme", max_requests=7, max_tokens=3_000, max_cost=6_000)
    taken: list[tuple[int, int, int]] = []

    def respond(request: ModelRequest) -> Answer:
        held = acme.reserved + acme.used
        assert held.cost is not None
        taken.append((held.requests, held.tokens, held.cost))
        return answer()

    async def check() -> list[object]:
        agent = Agent(name="clerk", model=FunctionModel(respond, name="priced"))
        options = RunOptions(budgets=(acme,), prices=PRICES)
        return list(
            await asyncio.gather(
                *(agent.run("Hi", options=options) for _ in range(20)), return_exceptions=True
            )
        )

    outcomes = asyncio.run(check())

    assert {type(outcome) for outcome in outcomes} == {RunResult, BudgetExceededError}
    assert taken
    assert all(
        requests <= 7 and tokens <= 3_000 and cost <= 6_000 for requests, tokens, cost in taken
    )
    assert acme.reserved == Usage()
    assert acme.used.requests == sum(isinstance(outcome, RunResult) for outcome in outcomes) <= 7


class RemoteBudget:
    """A budget that has to be waited for, such as one in a database; it may not answer at all."""

    def __init__(self, inner: InMemoryBudget, *, hangs_at: str = "") -> None:
        self.inner = inner
        self.name = inner.name
        self.hangs_at = hangs_at

    async def answer(self, step: str) -> None:
        await asyncio.sleep(3600 if self.hangs_at == step else 0.01)

    async def get_left(self) -> Usage | None:
        await self.answer("left")
        return await self.inner.get_left()

    async def reserve(self, amount: Usage) -> Reservation:
        await self.answer("reserve")
        return RemoteReservation(self, await self.inner.reserve(amount))


class RemoteReservation:
    def __init__(self, budget: RemoteBudget, inner: Reservation) -> None:
        self.budget = budget
        self.inner = inner

    async def settle(self, used: Usage) -> None:
        await self.budget.answer("settle")
        await self.inner.settle(used)


@pytest.mark.parametrize("step", ["left", "reserve", "settle"])
def test_budget_that_does_not_answer_holds_no_run_beyond_its_time(step: str) -> None:
    budget = RemoteBudget(InMemoryBudget("remote"), hangs_at=step)
    agent = Agent(name="clerk", model=ScriptedModel([answer()]), limits=Limits(timeout=5))

    async def check() -> float:
        loop = asyncio.get_running_loop()
        with pytest.raises(CoreError, match="budget 'remote' did not answer"):
            await agent.run("Hi", options=RunOptions(budgets=(budget,)))
        return loop.time()

    assert run_virtual(check) < 3600


def test_what_a_server_counted_for_other_instructions_says_nothing_of_these() -> None:
    def count(request: ModelRequest) -> Answer:
        size = sum(len(getattr(message, "text", "")) for message in request.messages)
        if getattr(request.messages[0], "text", "")[0] == "A":  # four bytes a token
            call = create_tool_call("transfer_to_second", {})
            return ModelResponse(AssistantMessage("", (call,)), Usage(1, size // 4, 10))
        return ModelResponse(AssistantMessage("Done."), Usage(1, size, 10))  # a byte a token

    model = FunctionModel(count)
    second = Agent(name="second", model=model, instructions="B" * 40_000)
    first = Agent(
        name="first",
        model=model,
        instructions="A" * 50_000,
        handoffs=[second],
        limits=Limits(max_output_tokens=100),
    )
    tenant = InMemoryBudget("tenant:acme", max_tokens=52_000)

    with pytest.raises(BudgetExceededError):
        first.run_sync("Hi", options=RunOptions(budgets=(tenant,)))

    assert tenant.used.tokens <= 52_000


def test_what_a_server_counted_makes_room_for_the_rest_of_the_conversation() -> None:
    call = ModelResponse(
        AssistantMessage("", (create_tool_call("look", {"text": "x"}),)),
        Usage(1, 3_000, 50),
        "tool_calls",
    )
    model = ScriptedModel([call, answer()], name="priced")
    agent = Agent(
        name="clerk",
        model=model,
        instructions="x" * 10_000,
        tools=[create_test_tool("look")],
        limits=Limits(max_output_tokens=100),
    )

    # The bytes of the second request alone would not fit any more.
    agent.run_sync(
        "Hi", options=RunOptions(budgets=(InMemoryBudget("user:ada", max_tokens=12_000),))
    )

    assert len(model.requests) == 2


def test_what_the_server_of_one_model_of_a_chain_counted_says_nothing_of_another_one() -> None:
    def size(request: ModelRequest) -> int:
        return sum(len(getattr(message, "text", "")) for message in request.messages)

    def count_words(request: ModelRequest) -> Answer:  # four bytes a token
        if len(request.messages) > 1:
            raise ModelConnectionError("no answer", model="words")
        call = create_tool_call("look", {"text": "x"})
        return ModelResponse(AssistantMessage("", (call,)), Usage(1, size(request) // 4, 10))

    def count_bytes(request: ModelRequest) -> Answer:  # a byte a token
        return ModelResponse(AssistantMessage("Done."), Usage(1, size(request), 10))

    agent = Agent(
        name="clerk",
        model=FallbackModel([FunctionModel(count_words), FunctionModel(count_bytes)]),
        tools=[create_test_tool("look")],
        limits=Limits(max_output_tokens=100),
    )
    tenant = InMemoryBudget("tenant:acme", max_tokens=21_000)

    with pytest.raises(BudgetExceededError):
        agent.run_sync("x" * 20_000, options=RunOptions(budgets=(tenant,)))

    assert tenant.used.tokens <= 21_000


def create_cut(name: str, **details: object) -> ScriptedModel:
    error = ModelConnectionError("cut midway", model=name, details=details)
    return ScriptedModel([error], name=name)


@pytest.mark.parametrize("remote", [False, True], ids=["memory", "remote"])
def test_no_further_model_is_asked_where_the_budget_has_no_room_for_it(remote: bool) -> None:
    last = ScriptedModel([answer()], name="priced")
    chain = FallbackModel([create_cut("priced"), create_cut("cheap"), last])
    ada = InMemoryBudget("user:ada", max_requests=2)
    budgets = (RemoteBudget(ada) if remote else ada,)
    agent = Agent(name="clerk", model=chain)

    with pytest.raises(BudgetExceededError, match="'user:ada'") as caught:
        agent.run_sync("Hi", options=RunOptions(budgets=budgets, prices=PRICES))

    assert (caught.value.limit, caught.value.left) == ("requests", 0)
    assert last.requests == []
    assert ada.used.requests == 2
    assert ada.reserved == Usage()


@pytest.mark.parametrize("remote", [False, True], ids=["memory", "remote"])
def test_model_that_broke_off_counts_as_the_most_that_it_can_have_used(remote: bool) -> None:
    last = ScriptedModel([answer()], name="priced")
    chain = FallbackModel([create_cut("priced"), create_cut("cheap"), last])
    ada = InMemoryBudget("user:ada", max_requests=9, max_cost=10**9)
    agent = Agent(name="clerk", model=chain, limits=Limits(max_output_tokens=1_000))
    budgets = (RemoteBudget(ada) if remote else ada,)

    used = agent.run_sync("Hi", options=RunOptions(budgets=budgets, prices=PRICES)).usage

    assert ada.reserved == Usage()
    assert ada.used == used
    assert used.requests == 3
    assert used.output_tokens == 2 * 1_000 + 50
    assert used.input_tokens > 2 * len("Hi") + 100
    assert used.cost is not None
    assert used.cost >= 2 * 2 * 1_000 + 200


def test_model_that_was_never_reached_costs_nothing() -> None:
    chain = FallbackModel(
        [create_cut("priced", sent=False), ScriptedModel([answer()], name="priced")]
    )
    ada = InMemoryBudget("user:ada", max_requests=1)

    assert run(chain, ada).usage.requests == 1
    assert ada.used == Usage(1, 100, 50, cost=200)


def test_last_model_that_was_refused_costs_nothing_and_the_one_before_all() -> None:
    down = ScriptedModel([ModelServerError("down", model="priced", status=503)], name="priced")
    ada = InMemoryBudget("user:ada", max_requests=9)

    with pytest.raises(ModelServerError):
        run(FallbackModel([create_cut("priced"), down]), ada)

    assert ada.used.requests == 1
    assert ada.used.tokens > 0
    assert ada.reserved == Usage()


class PatientModel:
    """A model that repeats a call by itself, as adapters do."""

    name = "priced"

    def __init__(self, *sent: bool | None) -> None:
        self.sent = sent
        self.attempts = 0

    async def respond(self, request: ModelRequest) -> ModelResponse:
        for index, sent in enumerate(self.sent):
            self.attempts += 1
            with suppress(BudgetExceededError):  # an adapter that does not listen
                request.notify(ModelRetry(self.name, index + 1, "busy", 0.0, sent=sent))
        self.attempts += 1
        return answer()

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelDelta | ModelResponse]:
        yield await self.respond(request)


def test_repetitions_of_an_adapter_count_where_they_may_have_to_be_paid_for() -> None:
    ada = InMemoryBudget("user:ada")

    assert run(PatientModel(None, True, False), ada).usage.requests == 3
    assert ada.used.requests == 3


def test_answer_that_was_not_to_be_asked_for_any_more_is_an_error() -> None:
    with pytest.raises(BudgetExceededError):
        run(PatientModel(None), InMemoryBudget("user:ada", max_requests=1))


def test_limit_of_a_run_that_is_reached_by_a_repetition_leaves_the_budget_as_it_was() -> None:
    ada = InMemoryBudget("user:ada")

    with pytest.raises(LimitExceededError, match="max_requests = 1"):
        run(PatientModel(None), ada, limits=Limits(max_requests=1))

    assert ada.used.requests == 1
