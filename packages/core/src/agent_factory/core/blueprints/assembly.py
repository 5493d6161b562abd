"""Making the agent that a blueprint describes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from agent_factory.core.agent import Agent
from agent_factory.core.blueprints.loading import create_problems
from agent_factory.core.exceptions import BlueprintError, ConfigurationError
from agent_factory.core.usage import Limits

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent_factory.core.blueprints.loading import BlueprintFile
    from agent_factory.core.models import Model
    from agent_factory.core.registry import ToolRegistry
    from agent_factory.core.source import Problem
    from agent_factory.core.tools import Tool

__all__ = ["create_agent"]


def create_agent(
    file: BlueprintFile,
    *,
    tools: ToolRegistry,
    create_model: Callable[[str], Model],
) -> Agent[object, str]:
    """Make the agent that a blueprint describes.

    Args:
        file: The blueprint.
        tools: Where the names of its tools are looked up; nothing else is.
        create_model: Makes the model of a name; raises `ConfigurationError` for one it does not know.

    Returns:
        The agent.

    Raises:
        BlueprintError: A tool or the model is not known, or the options of a tool do not fit; it has
            every problem.
    """
    section = file.blueprint.agent
    document = file.document
    problems: list[Problem] = []
    made: list[Tool[object]] = []
    for index, use in enumerate(section.tools):
        path = ("agent", "tools", index)
        try:
            entry = tools.get(use.use)
        except ConfigurationError as error:
            problems.append(document.create_problem((*path, "use"), error.message))
            continue
        try:
            options = entry.options.model_validate(use.options)
            made_tool = entry.create(options, file.folder)
        except ValidationError as error:
            problems += create_problems(document, error, entry.options, (*path, "with"))
        except ConfigurationError as error:
            problems.append(document.create_problem((*path, "with"), error.message))
        else:
            if any(made_tool.name == other.name for other in made):
                problems.append(
                    document.create_problem(
                        path, f"the agent has a tool {made_tool.name!r} already"
                    )
                )
            made.append(made_tool)
    model: Model | None = None
    try:
        model = create_model(section.model)
    except ConfigurationError as error:
        problems.append(document.create_problem(("agent", "model"), error.message))
    if problems or model is None:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise BlueprintError(f"{document.file} has {count}", problems=problems)
    limits = section.limits
    return Agent(
        name=file.blueprint.name,
        model=model,
        instructions=section.instructions,
        tools=tuple(made),
        limits=Limits(
            max_requests=limits.max_requests,
            max_tool_calls=limits.max_tool_calls,
            timeout=limits.timeout,
        ),
    )
