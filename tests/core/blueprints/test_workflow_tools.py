"""Tools that a workflow calls itself go through the checks that those of an agent go through."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agent_factory.core import (
    ApprovalRequest,
    ConfigurationError,
    InMemoryJournal,
    RunOptions,
    Tool,
    WorkflowError,
    tool,
)
from agent_factory.core.exceptions import ToolArgumentsError, ToolDeniedError, ToolTimeoutError
from tests.core.blueprints.workflow_sections import make

SAVE = "steps: [{name: save, tool: save, arguments: {text: '{{input}}'}}]"


class Decider:
    def __init__(self, granted: bool) -> None:
        self.granted = granted
        self.requests: list[ApprovalRequest] = []

    async def decide(self, request: ApprovalRequest) -> Any:
        self.requests.append(request)
        if self.granted:
            return request.approve("ann")
        return request.deny("ann", reason="not today")


def create_save(saved: list[str], *, needs_approval: bool = False) -> Tool[object]:
    @tool(needs_approval=needs_approval)
    def save(text: str) -> str:
        """Save a text."""
        saved.append(text)
        return f"saved {text}"

    return save


def run(
    save: Tool[object], value: Any, *, text: str = SAVE, run_id: str = "r", **given: Any
) -> Any:
    workflow = make(text, get_tool=lambda name: save, options=RunOptions(**given))
    return asyncio.run(workflow.run(value, run_id=run_id))


def test_tool_that_needs_approval_runs_once_a_person_approved() -> None:
    saved: list[str] = []
    decider = Decider(granted=True)

    assert run(create_save(saved, needs_approval=True), "x", approver=decider) == "saved x"
    assert [(item.tool, item.arguments, item.agent) for item in decider.requests] == [
        ("save", '{"text":"x"}', "w")
    ]
    assert decider.requests[0].idempotency_key == "r:save"


@pytest.mark.parametrize(
    ("approver", "said"),
    [(Decider(granted=False), "denied it: not today"), (None, "there is nobody to ask")],
)
def test_tool_that_nobody_approved_does_not_run(approver: Any, said: str) -> None:
    saved: list[str] = []

    with pytest.raises(WorkflowError, match=said) as caught:
        run(create_save(saved, needs_approval=True), "x", approver=approver)

    assert isinstance(caught.value.__cause__, ToolDeniedError)
    assert saved == []


def test_arguments_are_checked_before_the_tool_runs() -> None:
    saved: list[str] = []

    with pytest.raises(WorkflowError, match="do not fit its schema") as caught:
        run(create_save(saved), 5)

    assert isinstance(caught.value.__cause__, ToolArgumentsError)
    assert saved == []


def test_call_that_is_in_the_journal_is_not_made_again() -> None:
    saved: list[str] = []
    journal = InMemoryJournal()
    save = create_save(saved)

    assert run(save, "x", journal=journal) == run(save, "x", journal=journal) == "saved x"
    assert saved == ["x"]


def test_tool_that_must_take_effect_once_is_never_tried_again_by_itself() -> None:
    text = "steps: [{name: save, tool: save, retry: {}}]"

    with pytest.raises(
        ConfigurationError, match=r"steps\.0.*must take effect once.*leave out retry"
    ):
        run(create_save([]), "x", text=text)


def test_timeout_of_the_step_bounds_the_call() -> None:
    @tool(effect="read")
    async def save(text: str) -> str:
        """Wait."""
        await asyncio.Event().wait()
        return text

    with pytest.raises(WorkflowError, match="did not finish within") as caught:
        run(save, "x", text=SAVE.replace("{name", "{timeout: 0.01, name"))

    assert isinstance(caught.value.__cause__, ToolTimeoutError)


@pytest.mark.parametrize("result", ["text", '{"a": 1}', {"a": [1, None]}, [1], 5, None, True])
def test_result_keeps_its_kind(result: Any) -> None:
    @tool(effect="once")
    def save(text: str) -> object:
        """Return something."""
        return result

    journal = InMemoryJournal()

    assert run(save, "x", journal=journal) == result
    assert run(save, "x", journal=journal) == result  # as the journal has it


def test_long_text_is_cut_and_long_data_refused() -> None:
    @tool(effect="read", max_result_chars=5)
    def save(text: str) -> object:
        """Return something long."""
        return "abcdefgh" if text == "text" else [1, 2, 3, 4]

    assert run(save, "text") == "abcde\n[... 3 more characters left out: ask for less]"
    with pytest.raises(WorkflowError, match="more than the 5"):
        run(save, "data")
