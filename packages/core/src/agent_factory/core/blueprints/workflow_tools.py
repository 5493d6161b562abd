"""The tools that the steps of a workflow call."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent_factory.core.blueprints.document import Path
    from agent_factory.core.blueprints.schema.workflows import StepSection, WorkflowSection

__all__ = ["find_tools"]


def find_tools(section: WorkflowSection) -> Iterator[tuple[Path, str]]:
    """Return each call of a tool: where in the workflow it is, and the name of the tool.

    Args:
        section: The workflow.
    """
    waiting: list[tuple[Path, tuple[StepSection, ...]]] = [(("steps",), section.steps)]
    while waiting:
        place, steps = waiting.pop(0)
        for index, step in enumerate(steps):
            if step.tool is not None:
                yield (*place, index), step.tool
            waiting += [((*place, index, *path), inner) for path, inner in step.blocks]
