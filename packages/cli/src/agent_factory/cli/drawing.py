"""Pictures of blueprints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_factory.cli.exceptions import UsageError
from agent_factory.core.blueprints import assemble, load_blueprint
from agent_factory.core.drawing import agents_to_mermaid, to_svg
from agent_factory.core.suggestions import describe_choices

if TYPE_CHECKING:
    from pathlib import Path

    from agent_factory.core.blueprints import Adapters

__all__ = ["draw"]


def draw(file: Path, adapters: Adapters, name: str | None, form: str) -> str:
    """Return a picture of a workflow or an agent of a blueprint.

    Args:
        file: The blueprint.
        adapters: What it is put together with; nothing is run.
        name: Name of the workflow or the agent; what runs if None.
        form: ``mermaid`` or ``svg``.

    Raises:
        BlueprintError: The blueprint is wrong.
        UsageError: There is no workflow and no agent of the name.
    """
    assembly = assemble(load_blueprint(file), adapters)
    wanted = name or assembly.entry
    if wanted in assembly.file.blueprint.workflows:
        workflow = assembly.get_workflow(wanted)
        return to_svg(workflow) if form == "svg" else workflow.to_mermaid()
    if wanted not in assembly.agents:
        known = [*assembly.agents, *assembly.file.blueprint.workflows]
        raise UsageError(
            f"{file} has no agent and no workflow named {wanted!r}: {describe_choices(wanted, known)}"
        )
    agents = [assembly.agents[wanted]]
    title = f"Agent {wanted}"
    return to_svg(agents, title=title) if form == "svg" else agents_to_mermaid(agents, title=title)
