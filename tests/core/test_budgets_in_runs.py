from __future__ import annotations

import asyncio
from datetime import date

import pytest

from agent_factory.core import Agent, Limits, RunResult
from agent_factory.core.budgets import InMemoryBudget
from agent_factory.core.events import ModelRetried
from agent_factory.core.exceptions import BudgetExceededError, ModelRequestError, ModelServerError
from agent_factory.core.fallback import FallbackModel
from agent_factory.core.messages import AssistantMessage
from agent_factory.core.models import Model, ModelRequest, ModelResponse
from agent_factory.core.options import RunOptions
from agent_factory.core.prices import Price, PriceTable
from agent_factory.core.testing import Answer, FunctionModel, ScriptedModel, create_tool_call
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
    unsure = ScriptedModel([call, ModelServerError("down", model="priced")], name="priced")
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
    broken = ScriptedModel([ModelServerError("down", model="cheap")], name="cheap")
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
