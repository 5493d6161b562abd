"""Sections of workflows from YAML, and what they are run with."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import yaml

from agent_factory.core import Agent, tool
from agent_factory.core.blueprints.schema.workflows import WorkflowSection
from agent_factory.core.blueprints.workflows import create_workflow
from agent_factory.core.testing import FunctionModel

if TYPE_CHECKING:
    from agent_factory.core import ModelRequest, Tool, Workflow

__all__ = ["AGENTS", "TOOLS", "digest", "make", "read_section"]


def read_section(text: str) -> WorkflowSection:
    return WorkflowSection.model_validate(yaml.safe_load(text))


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:6]


def _repeat(request: ModelRequest) -> str:
    return f"<{request.messages[-1].text}>"  # type: ignore[union-attr]


def _digest(request: ModelRequest) -> str:
    return digest(request.messages[-1].text)  # type: ignore[union-attr]


@tool(effect="read")
def inspect(text: str) -> dict[str, object]:
    """Look at a text."""
    return {"text": text, "length": len(text), "even": len(text) % 2 == 0}


@tool(effect="read")
def sort_out(text: str) -> dict[str, object]:
    """Put a text into one of three bins."""
    return {"bin": int(digest(text), 16) % 3, "text": digest(text)}


@tool(effect="read")
def fail(text: str = "") -> str:
    """Fail."""
    raise KeyError(text)


AGENTS: dict[str, Agent[Any, Any]] = {
    "echo": Agent(name="echo", model=FunctionModel(_repeat)),
    "digest": Agent(name="digest", model=FunctionModel(_digest)),
}
TOOLS: dict[str, Tool[object]] = {item.name: item for item in (inspect, sort_out, fail)}


def make(text: str, **given: Any) -> Workflow[Any, Any]:
    given = {"agents": AGENTS, "get_tool": TOOLS.__getitem__, **given}
    return create_workflow("w", read_section(text), **given)
