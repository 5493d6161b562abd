"""Checks of the agents of a blueprint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_factory.core.blueprints.checks.circles import describe_circle, find_circles, find_deep
from agent_factory.core.blueprints.checks.guardrails import BARE_GUARDRAILS
from agent_factory.core.blueprints.checks.models import check_model
from agent_factory.core.blueprints.checks.names import check_repeats
from agent_factory.core.blueprints.checks.schemas import check_schema
from agent_factory.core.blueprints.checks.templates import check_instructions, check_template
from agent_factory.core.blueprints.checks.tool_names import check_tool_names
from agent_factory.core.blueprints.checks.tools import check_use
from agent_factory.core.suggestions import describe_choices, find_close_name

if TYPE_CHECKING:
    from agent_factory.core.blueprints.checks.context import CheckContext
    from agent_factory.core.blueprints.document import Path as Place
    from agent_factory.core.blueprints.schema.agents import AgentSection

__all__ = ["MAX_DEPTH", "check_agents"]

MAX_DEPTH = 16
"""How many agents may call each other in a row."""


def check_agents(context: CheckContext) -> None:
    """Check the agents, and how they call each other.

    Args:
        context: The blueprint, and what was found in it.
    """
    for name, (agent, place) in context.file.agents.items():
        _check_agent(context, name, agent, place)
    _check_calls(context)
    _check_outputs(context)


def _check_agent(context: CheckContext, name: str, agent: AgentSection, place: Place) -> None:
    blueprint = context.blueprint
    check_model(context, agent.model, (*place, "model"))
    prompt = agent.instructions.prompt
    if prompt is not None and prompt not in blueprint.prompts:
        hint = describe_choices(prompt, blueprint.prompts)
        context.say((*place, "instructions", "prompt"), f"no prompt is named {prompt!r}: {hint}")
    if agent.instructions.text is not None:
        check_instructions(context, agent.instructions.text, (*place, "instructions", "text"))
    if agent.prompt is not None:
        check_template(context, agent.prompt, (*place, "prompt"))
    for index, use in enumerate(agent.tools):
        check_use(context, use, (*place, "tools", index))
    check_tool_names(context, name)
    check_schema(context, agent.output, (*place, "output"))
    for index, guardrail in enumerate(agent.guardrails):
        if guardrail not in blueprint.guardrails and guardrail not in BARE_GUARDRAILS:
            hint = _advise_guardrail(context, guardrail)
            message = f"no guardrail is named {guardrail!r}: {hint}"
            context.say((*place, "guardrails", index), message)
    check_repeats(context, agent.guardrails, (*place, "guardrails"))
    if agent.memory is not None and agent.memory not in blueprint.memory:
        hint = describe_choices(agent.memory, blueprint.memory)
        context.say((*place, "memory"), f"no memory is named {agent.memory!r}: {hint}")
    for index, other in enumerate(agent.handoffs):
        if other not in context.file.agents:
            hint = describe_choices(other, context.file.agents)
            context.say((*place, "handoffs", index), f"no agent is named {other!r}: {hint}")
    check_repeats(context, agent.handoffs, (*place, "handoffs"))


def _advise_guardrail(context: CheckContext, name: str) -> str:
    from agent_factory.core.blueprints.guardrails import GUARDRAILS

    own = context.blueprint.guardrails
    if name in GUARDRAILS:
        used = [key for key, section in own.items() if section.use == name]
        if used:
            return f"did you mean {used[0]!r}?"
        return f"it needs options: describe it under 'guardrails', 'NAME: {{use: {name}, with: ...}}', and name that"
    close = find_close_name(name, [*own, *GUARDRAILS])
    if close is not None and close not in own and close not in BARE_GUARDRAILS:
        return f"did you mean {close!r}? It needs options: describe it under 'guardrails'"
    return describe_choices(name, [*own, *BARE_GUARDRAILS])


def _check_calls(context: CheckContext) -> None:
    agents = context.file.agents
    edges = {
        name: [
            other
            for other in (*section.handoffs, *(use.agent for use in section.tools))
            if other is not None and other in agents
        ]
        for name, (section, _) in agents.items()
    }
    circles = find_circles(edges)
    for circle in circles:
        message = f"the agents call each other in a circle: {describe_circle(circle)}"
        context.say(agents[circle[0]][1], message, at_key=True)
    for name in [] if circles else find_deep(edges, MAX_DEPTH):
        message = (
            f"more than {MAX_DEPTH} agents call each other in a row from here: let fewer do more"
        )
        context.say(agents[name][1], message, at_key=True)


def _check_outputs(context: CheckContext) -> None:
    """Find agents whose answers would have to have two shapes."""
    file = context.file
    entry, outputs = file.entry, file.blueprint.outputs
    if outputs is not None and entry in file.agents:
        section, place = file.agents[entry]
        if section.output is not None and section.output != outputs:
            message = "'outputs' of the blueprint describes this answer too, and in another way: take one of them out"
            context.say((*place, "output"), message, at_key=True)
            return
    for name, (section, place) in file.agents.items():
        for index, other in enumerate(section.handoffs):
            if other in file.agents and file.get_output(other) != file.get_output(name):
                message = f"agent {other!r} has another output than {name!r}: agents that hand over have the same"
                context.say((*place, "handoffs", index), message)
