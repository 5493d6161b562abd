from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from agent_factory.core import ToolContext, ToolError
from agent_factory.core.testing import create_tool_call
from tests.utils import create_test_agent, create_test_tool, create_test_workflow

if TYPE_CHECKING:
    from agent_factory.core import Agent, Tool, Workflow

CONTEXT = ToolContext(None, "run", "call")


def test_agent_fixture_answers(agent: Agent[Any, str]) -> None:
    assert agent.run_sync("hello").output == "done"


def test_tool_fixture_returns_its_text(echo_tool: Tool[object]) -> None:
    assert asyncio.run(echo_tool.run(CONTEXT, '{"text": "hi"}')) == "hi"


def test_workflow_fixture_returns_its_input(workflow: Workflow[Any, Any]) -> None:
    assert asyncio.run(workflow.run(3)) == 3


def test_agent_follows_the_script_with_the_given_tools() -> None:
    calls: list[str] = []
    helper = create_test_agent(
        [create_tool_call("look", {"text": "here"}), "42"],
        tools=[create_test_tool("look", result="found", calls=calls)],
        output_type=int,
    )

    assert helper.run_sync("look").output == 42
    assert calls == ["here"]


def test_tool_raises_the_given_error() -> None:
    failing = create_test_tool(error=ToolError("no"))

    with pytest.raises(ToolError, match="no"):
        asyncio.run(failing.run(CONTEXT, "{}"))


def test_workflow_runs_plain_and_coroutine_functions_in_order() -> None:
    async def double(value: int) -> int:
        return value * 2

    chained = create_test_workflow(lambda value: value + 1, double, str)

    assert [item.name for item in chained.steps] == ["step-1", "step-2", "step-3"]
    assert asyncio.run(chained.run(3)) == "8"
