"""Gathers what an agent works with in one run: its instructions, its tools, and whom it may hand over to."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from agent_factory.core.context import RunContext
from agent_factory.core.exceptions import AgentFactoryError, ConfigurationError
from agent_factory.core.models import ToolSpec
from agent_factory.core.output import ANSWER_TOOL
from agent_factory.core.tools import Tool
from agent_factory.core.waiting import DeadlineError, run_until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping, Sequence

    from agent_factory.core.agent import Agent
    from agent_factory.core.output import OutputType
    from agent_factory.core.runs.scope import RunScope
    from agent_factory.core.toolsets import Toolset

__all__ = [
    "Equipment",
    "check_names",
    "check_toolset",
    "create_equipment",
    "prepare",
    "write_instructions",
]

_HANDOFF = "transfer_to_"
_NO_PARAMETERS = {"type": "object", "properties": {}, "additionalProperties": False}


@dataclass(frozen=True, slots=True)
class Equipment:
    """What an agent works with in one run.

    Attributes:
        tools: Its tools by name.
        specs: What the model is told: of the tools, the agents to hand over to, and the answer's tool.
        handoffs: The agents that it may hand over to, by the name that the model calls.
        answer_tool: Name of the tool that takes the answer; empty if there is none.
        output: The shape of the answer that all of it was made for.
    """

    tools: Mapping[str, Tool[Any]]
    specs: tuple[ToolSpec, ...]
    handoffs: Mapping[str, Agent[Any, Any]]
    answer_tool: str
    output: OutputType[Any]


def create_equipment(
    agent: str,
    tools: Sequence[Tool[Any]],
    handoffs: Sequence[Agent[Any, Any]],
    output: OutputType[Any],
) -> Equipment:
    """Return what an agent works with.

    Args:
        agent: Name of the agent, for messages.
        tools: Its tools.
        handoffs: The agents that it may hand over to.
        output: The shape of its answer.

    Raises:
        ConfigurationError: Two of them would have the same name.
    """
    others = [(_HANDOFF + _slug(other.name), other) for other in handoffs]
    specs = [tool.spec for tool in tools]
    specs += [
        ToolSpec(
            name,
            f"Hand the conversation over to the agent {other.name!r}, which goes on with it. "
            f"{other.description}".strip(),
            _NO_PARAMETERS,
        )
        for name, other in others
    ]
    if output.tool is not None:
        specs.append(output.tool)
    check_names(agent, [spec.name for spec in specs])
    return Equipment(
        {tool.name: tool for tool in tools},
        tuple(specs),
        dict(others),
        "" if output.tool is None else output.tool.name,
        output,
    )


def check_names(agent: str, names: Sequence[str]) -> None:
    """Refuse two tools of one name.

    Args:
        agent: Name of the agent, for messages.
        names: The names.

    Raises:
        ConfigurationError: Two are the same.
    """
    if len(set(names)) < len(names):
        twice = sorted({item for item in names if names.count(item) > 1})
        raise ConfigurationError(
            f"agent {agent!r} has more than one tool named {', '.join(map(repr, twice))}: "
            f"rename one with tool(name=...), or with prefix() or rename() of its toolset{_tell_ours(twice)}"
        )


def _tell_ours(names: Sequence[str]) -> str:
    """Say which of the names are not those of tools of the user."""
    if ANSWER_TOOL in names:
        return f"; {ANSWER_TOOL!r} takes the answer where output_mode='tool'"
    if any(name.startswith(_HANDOFF) for name in names):
        return f"; names that begin with {_HANDOFF!r} are those of the agents to hand over to"
    return ""


def check_toolset(part: object, agent: str) -> None:
    """Refuse what is neither a tool nor a toolset.

    Args:
        part: What is no tool.
        agent: Name of the agent, for messages.

    Raises:
        ConfigurationError: It is no toolset either.
    """
    # Imported where it is needed: most agents have tools alone.
    from agent_factory.core.toolsets import Toolset, describe

    if not isinstance(part, Toolset):
        raise ConfigurationError(
            f"agent {agent!r} got {describe(part)} in place of a tool: make one of a function with "
            "@tool, of an agent with as_tool(), and of an object with create_toolset(...)"
        )


async def prepare(
    agent: Agent[Any, Any], scope: RunScope, prompt: str, output: OutputType[Any]
) -> Equipment:
    """Return what an agent works with in a run, its toolsets asked for their tools.

    Args:
        agent: The agent.
        scope: The run.
        prompt: What the agent was asked.
        output: The shape of the answer.

    Raises:
        RunTimeoutError: The run had to end meanwhile.
        ConfigurationError: A toolset failed, something is not a tool, or two tools have the same name.
        AgentFactoryError: What a toolset raised on purpose.
    """
    more = scope.options.tools if scope.parent is None else ()
    ready = agent.equipment
    if ready is not None and not more and ready.output is output:
        return ready
    parts = (*agent.tools, *more)
    if all(isinstance(part, Tool) for part in parts):
        tools = list(cast("tuple[Tool[Any], ...]", parts))
    else:
        context = RunContext(scope.deps, scope.run_id, agent.name, prompt)
        tools = await _bounded(scope, _list_tools(parts, context))
    return create_equipment(agent.name, tools, agent.handoffs, output)


async def write_instructions(
    agent: Agent[Any, Any], scope: RunScope, prompt: str, output: OutputType[Any]
) -> str:
    """Return what a model is told before the conversation; nothing if empty.

    Args:
        agent: The agent.
        scope: The run.
        prompt: What the agent was asked.
        output: The shape of the answer.

    Raises:
        RunTimeoutError: The run had to end meanwhile.
        ConfigurationError: The function that computes them failed, or returned something else than a text.
        AgentFactoryError: What that function raised on purpose.
    """
    said: Any = agent.instructions
    if not isinstance(said, str):
        said = await _compute(agent, scope, prompt)
    return "\n\n".join(part for part in (said, output.instructions) if part)


async def _compute(agent: Agent[Any, Any], scope: RunScope, prompt: str) -> str:
    compute: Any = agent.instructions
    if not callable(compute):
        raise ConfigurationError(
            f"the instructions of agent {agent.name!r} must be a text or a function that returns one, "
            f"not {type(compute).__name__}"
        )
    try:
        said = compute(RunContext(scope.deps, scope.run_id, agent.name, prompt))
        if inspect.isawaitable(said):
            said = await _bounded(scope, said)
    except AgentFactoryError:
        raise
    except (Exception, SystemExit) as error:  # which would end the event loop
        raise ConfigurationError(
            f"the function that computes the instructions of agent {agent.name!r} raised "
            f"{type(error).__name__}: {error}: mend it, or have it return a text for that case too"
        ) from error
    if not isinstance(said, str):
        raise ConfigurationError(
            f"the function that computes the instructions of agent {agent.name!r} returned "
            f"{type(said).__name__} in place of a text"
        )
    return said


async def _list_tools(parts: Sequence[object], context: RunContext[Any]) -> list[Tool[Any]]:
    tools: list[Tool[Any]] = []
    for part in parts:
        if isinstance(part, Tool):
            tools.append(part)
            continue
        check_toolset(part, context.agent)
        try:
            listed: tuple[Any, ...] = tuple(await cast("Toolset[Any]", part).list_tools(context))
        except AgentFactoryError:
            raise
        except (Exception, SystemExit) as error:  # which would end the event loop
            raise ConfigurationError(
                f"a toolset of agent {context.agent!r} could not give its tools: "
                f"{type(error).__name__}: {error}: mend it, or leave the toolset out"
            ) from error
        for item in listed:
            if not isinstance(item, Tool):
                from agent_factory.core.toolsets import describe

                raise ConfigurationError(
                    f"a toolset of agent {context.agent!r} gave {describe(item)} in place of a tool: "
                    "have its list_tools() return what @tool makes"
                )
        tools += listed
    return tools


async def _bounded(scope: RunScope, work: Awaitable[Any]) -> Any:
    try:
        return await run_until(_await(work), scope.deadline)
    except DeadlineError as error:
        raise scope.timed_out() from error


async def _await(work: Awaitable[Any]) -> Any:
    return await work


def _slug(name: str) -> str:
    return "".join(
        char if char.isascii() and (char.isalnum() or char in "_-") else "_" for char in name
    )[:50]
