from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from agent_factory.core import (
    Approval,
    ApprovalRequest,
    ConfigurationError,
    InMemoryBudget,
    InMemoryJournal,
    PriceTable,
    RunOptions,
    SystemClock,
    Toolset,
    tool,
)
from agent_factory.core.telemetry import Telemetry
from agent_factory.core.testing import create_tool_call
from tests.utils import create_test_agent

if TYPE_CHECKING:
    from collections.abc import Coroutine


class Always:
    """Approves, and is no coroutine function but hands out what can be awaited."""

    def decide(self, request: ApprovalRequest) -> Coroutine[Any, Any, Approval]:
        return self._decide(request)

    async def _decide(self, request: ApprovalRequest) -> Approval:
        return request.approve("Ada")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"approver": Always}, "approver got the class Always in place of an object"),
        ({"journal": InMemoryJournal}, "journal got the class InMemoryJournal"),
        ({"clock": SystemClock}, "clock got the class SystemClock"),
        ({"prices": PriceTable}, "prices got the class PriceTable"),
        ({"budgets": (InMemoryBudget,)}, "budgets got the class InMemoryBudget"),
        ({"observers": (Telemetry,)}, "observers got the class Telemetry"),
        ({"tools": (Toolset,)}, "tools got the class Toolset"),
        ({"approver": object()}, "approver must have a method 'decide', and object has none"),
        ({"budgets": []}, r"budgets must be a tuple, such as \(budget,\), not list"),
        ({"run_id": 3}, "run_id must be a text of at most 200 printable characters, not 3"),
        ({"run_id": "a\n"}, "run_id must be a text"),
        ({"run_id": "x" * 201}, "run_id must be a text"),
        ({"run_id": "x" * 100_000}, "^.{0,200}$"),
    ],
)
def test_option_of_the_wrong_kind_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        RunOptions(**given)


@pytest.mark.parametrize("run_id", ["", "order 7/\u00fc", "x" * 200])
def test_printable_text_is_a_run_id(run_id: str) -> None:
    assert RunOptions(run_id=run_id).run_id == run_id


def test_approver_is_any_object_whose_decision_can_be_awaited() -> None:
    @tool(needs_approval=True)
    async def look() -> str:
        return "found"

    agent = create_test_agent([create_tool_call("look", {}), "done"], tools=[look])

    result = agent.run_sync("Hi.", options=RunOptions(approver=Always()))

    assert "content='found', outcome='ok'" in str(result.messages)


@pytest.mark.parametrize("seed", [-1, 2**31, True, 1.0, "1"])
def test_seed_that_no_model_can_take_is_refused(seed: Any) -> None:
    with pytest.raises(ConfigurationError, match="seed must be a whole number from 0"):
        RunOptions(seed=seed)
