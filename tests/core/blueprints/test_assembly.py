from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Optional

import pytest
from pydantic import BaseModel, ConfigDict, Field, field_validator

from agent_factory.core import (
    Agent,
    BlueprintError,
    ConfigurationError,
    Model,
    Tool,
    ToolEntry,
    ToolRegistry,
)
from agent_factory.core.blueprints import create_agent, parse_blueprint
from agent_factory.core.testing import ScriptedModel, create_tool_call
from tests.utils import create_test_tool

HEAD = """\
schema: agent-factory/blueprint@1
name: helper
version: 0.1.0
agent:
  instructions: Be kind.
"""


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid")

    color: str = "red"


class Square(Part):
    kind: Literal["square"]


class Circle(Part):
    kind: Literal["circle"]


class Options(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = "echo"
    folder: str = "."
    part: Optional[Part] = None  # noqa: UP045 - both spellings are tested
    parts: list[Part] = []
    named: dict[str, Part] = {}
    pair: tuple[Part, ...] = ()
    mixed: Part | int = 0
    shape: Annotated[Square | Circle, Field(discriminator="kind")] | None = None

    @field_validator("folder")
    @classmethod
    def refuse_root(cls, value: str) -> str:
        if value == "/":
            raise ValueError("the root is too much")
        return value


def create_echo(options: Options, folder: Path) -> Tool[object]:
    """Return the tool, or refuse a folder that is not there."""
    if options.folder == "missing":
        raise ConfigurationError(f"{folder / options.folder} is not there")
    return create_test_tool(options.name, result=str(folder / options.folder))


REGISTRY = ToolRegistry([ToolEntry("echo", "Echoes.", Options, create_echo)])


def find_model(name: str) -> Model:
    """Return the model of a name."""
    if name not in ("default", "other"):
        raise ConfigurationError(f"no model is named {name!r}: there are: default, other")
    return ScriptedModel([create_tool_call("echo", {}), "done"], name=name)


def create(agent: str = "") -> Agent[object, str]:
    """Return the agent of a blueprint whose agent has some further lines."""
    file = parse_blueprint((HEAD + agent).encode(), name="a.yaml", folder=Path("/base"))
    return create_agent(file, tools=REGISTRY, create_model=find_model)


def problems(agent: str) -> list[str]:
    """Return everything that is wrong with an agent, without the excerpts."""
    with pytest.raises(BlueprintError) as caught:
        create(agent)
    return [f"{item.location}: {item.message}" for item in caught.value.problems]


def test_agent_is_what_the_blueprint_says() -> None:
    agent = create(
        "  model: other\n  tools: [echo]\n"
        "  limits: {max_requests: 3, max_tool_calls: 2, timeout: 9}\n"
    )

    assert (agent.name, agent.instructions) == ("helper", "Be kind.")
    assert agent.model.name == "other"
    assert [item.name for item in agent.tools if isinstance(item, Tool)] == ["echo"]
    assert (agent.limits.max_requests, agent.limits.max_tool_calls) == (3, 2)
    assert agent.limits.timeout == 9.0


def test_agent_runs_with_its_tools() -> None:
    result = create("  tools: [{use: echo, with: {folder: docs}}]\n").run_sync("Hi.", deps=None)

    assert result.output == "done"
    assert result.messages[-2].content == "/base/docs"  # type: ignore[union-attr]


def test_one_tool_can_be_used_twice_under_two_names() -> None:
    agent = create("  tools: [echo, {use: echo, with: {name: again}}]\n")

    assert [item.name for item in agent.tools if isinstance(item, Tool)] == ["echo", "again"]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("model: gpt", "6:10: no model is named 'gpt': there are: default, other"),
        ("tools: [ecko]", "6:11: no tool is named 'ecko': did you mean 'echo'?"),
        ("tools: [echo, echo]", "6:17: the agent has a tool 'echo' already"),
        (
            "tools: [{use: echo, with: {folder: missing}}]",
            "6:29: /base/missing is not there",
        ),
        (
            "tools: [{use: echo, with: {folder: /}}]",
            "6:38: folder: value error, the root is too much, not '/'",
        ),
        (
            "tools: [{use: echo, with: {foldr: x}}]",
            "6:30: unknown key 'foldr': did you mean 'folder'?",
        ),
    ],
)
def test_mistake_is_told_at_its_place(lines: str, said: str) -> None:
    assert problems(f"  {lines}\n") == [f"a.yaml:{said}"]


@pytest.mark.parametrize(
    ("options", "known"),
    [
        ("part: {colr: x}", True),
        ("parts: [{colr: x}]", True),
        ("named: {a: {colr: x}}", True),
        ("pair: [{colr: x}]", True),
        ("shape: {kind: circle, colr: x}", False),
    ],
)
def test_unknown_key_deep_in_the_options_is_told(options: str, known: bool) -> None:
    [said] = problems(f"  tools: [{{use: echo, with: {{{options}}}}}]\n")

    assert ": unknown key 'colr'" in said
    assert said.endswith(": did you mean 'color'?") is known


def test_unknown_key_under_one_of_several_types_is_told() -> None:
    assert any(
        "unknown key 'colr'" in said
        for said in problems("  tools: [{use: echo, with: {mixed: {colr: x}}}]\n")
    )


def test_every_mistake_is_told_at_once() -> None:
    assert len(problems("  model: gpt\n  tools: [ecko, {use: echo, with: {x: 1}}]\n")) == 3


def test_nothing_is_looked_up_before_the_agent_is_made() -> None:
    def refuse(name: str) -> Any:
        raise AssertionError("not yet")

    file = parse_blueprint(HEAD.encode(), name="a.yaml", folder=Path())

    with pytest.raises(AssertionError, match="not yet"):
        create_agent(file, tools=REGISTRY, create_model=refuse)
