"""Checks of the guardrails and the memory of a blueprint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from agent_factory.core.blueprints.checks.models import check_model
from agent_factory.core.blueprints.checks.tool_names import list_agent_tools
from agent_factory.core.blueprints.problems import create_problems
from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.suggestions import describe_choices

if TYPE_CHECKING:
    from agent_factory.core.blueprints.checks.context import CheckContext
    from agent_factory.core.blueprints.document import Path as Place
    from agent_factory.core.blueprints.schema.agents import GuardrailSection

__all__ = ["BARE_GUARDRAILS", "check_guardrails", "check_memory"]

BARE_GUARDRAILS = ("detect_personal_data", "detect_secrets")
"""Built-in guardrails that need no options, and so no description."""


def check_guardrails(context: CheckContext) -> None:
    """Check the guardrails.

    Args:
        context: The blueprint, and what was found in it.
    """
    for name, section in context.blueprint.guardrails.items():
        _check_guardrail(context, section, ("guardrails", name))
        _check_tools(context, name, section)


def check_memory(context: CheckContext) -> None:
    """Check the ways to keep memory.

    Args:
        context: The blueprint, and what was found in it.
    """
    for name, memory in context.blueprint.memory.items():
        several = isinstance(context.file.document.value["memory"][name], list)
        for index, part in enumerate(memory):
            if part.summarise is not None:
                place: Place = ("memory", name, *((index,) if several else ()), "summarise")
                check_model(context, part.summarise.model, (*place, "model"))


def _check_guardrail(context: CheckContext, section: GuardrailSection, place: Place) -> None:
    from agent_factory.core.blueprints.guardrails import (
        GUARDRAILS,
        JudgeOptions,
        create_guardrail,
    )

    options = GUARDRAILS[section.use].options
    try:
        given = options.model_validate(section.options)
    except ValidationError as error:
        context.problems += create_problems(context.file.document, error, options, (*place, "with"))
        return
    if isinstance(given, JudgeOptions):
        check_model(context, given.model, (*place, "with", "model"))
        return
    try:
        create_guardrail(str(place[-1]), section.use, given, section.tools, _make_no_model)
    except ConfigurationError as error:
        context.say((*place, "with"), error.message)


def _check_tools(context: CheckContext, name: str, section: GuardrailSection) -> None:
    """Find names of tools that no agent with the guardrail has: it would look at nothing, and nobody would notice."""
    if not section.tools:
        return
    agents = context.file.agents
    users = [agent for agent, (item, _) in agents.items() if name in item.guardrails]
    known: set[str] = set()
    for agent in users or agents:
        names = list_agent_tools(context, agent)
        if names is None:
            return
        known |= names
    for index, tool in enumerate(section.tools):
        if tool not in known:
            message = (
                f"no agent with this guardrail has a tool {tool!r}: {describe_choices(tool, known)}"
            )
            context.say(("guardrails", name, "tools", index), message)


def _make_no_model(_: str) -> Any:
    raise ConfigurationError("no model is made while a blueprint is checked")
