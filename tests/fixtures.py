"""Fixtures for every test of the project: one agent, one tool, one workflow, each ready to run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.utils import create_test_agent, create_test_tool, create_test_workflow

if TYPE_CHECKING:
    from agent_factory.core import Agent, Tool, Workflow

__all__ = ["agent", "echo_tool", "workflow"]


@pytest.fixture
def echo_tool() -> Tool[object]:
    """A tool named ``echo`` that returns its parameter ``text``."""
    return create_test_tool()


@pytest.fixture
def agent() -> Agent[Any, str]:
    """An agent without tools that answers "done", once."""
    return create_test_agent()


@pytest.fixture
def workflow() -> Workflow[Any, Any]:
    """A workflow of one step that returns what it gets."""
    return create_test_workflow()
