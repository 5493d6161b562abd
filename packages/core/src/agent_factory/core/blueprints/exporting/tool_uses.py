"""The tools of agents as a blueprint has them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from agent_factory.core.blueprints.exporting.names import find_free_name, is_name
from agent_factory.core.tools import Tool

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ToolShape", "ToolWriter", "describe_tool"]

_FIXED = ("effect", "retries", "max_result_chars")


@dataclass(frozen=True, slots=True)
class ToolShape:
    """A tool of the registry as a blueprint can describe it.

    Attributes:
        name: Name that models call it by.
        use: Name in the registry.
        options: What stands under ``with``.
        description: What models are told in place of its own words; None for those.
        approval: Whether a person has to approve each call, where the tool itself does not say so.
        timeout: Seconds that a call may take in place of its own; None for those.
        renamed: Whether `name` is another one than its own.
    """

    name: str
    use: str
    options: Mapping[str, Any] = field(default_factory=dict)
    description: str | None = None
    approval: bool = False
    timeout: float | None = None
    renamed: bool = False

    @property
    def key(self) -> str:
        """The same for all shapes that mean the same tool."""
        values = [self.name, self.use, self.options, self.description, self.approval, self.timeout]
        return json.dumps(values, sort_keys=True, default=repr)

    @property
    def is_bare(self) -> bool:
        """Whether its name in the registry says all of it."""
        return not (
            self.options
            or self.description is not None
            or self.approval
            or self.timeout is not None
            or self.renamed
        )

    def to_section(self) -> dict[str, Any]:
        """Return it as it stands under ``tools``, without its name."""
        section: dict[str, Any] = {"use": self.use}
        if self.options:
            section["with"] = dict(self.options)
        if self.description is not None:
            section["description"] = self.description
        if self.approval:
            section["approval"] = True
        if self.timeout is not None:
            section["timeout"] = self.timeout
        return section


def describe_tool(tool: Tool[Any], owner: str, problems: list[str]) -> ToolShape | None:
    """Return a tool of a registry as a blueprint can describe it; None where it cannot.

    Args:
        tool: The tool, which came from a registry.
        owner: What the tool is to whom, for messages.
        problems: What cannot be written is put here.
    """
    origin = tool.origin
    if origin is None:
        problems.append(
            f"{owner} is code, which a blueprint cannot have: put it into a ToolRegistry as a ToolEntry, and make it with "
            "registry.create_tool(...)"
        )
        return None
    made = origin.made
    changed = [key for key in _FIXED if getattr(tool, key) != getattr(made, key)]
    if tool.spec.parameters != made.spec.parameters:
        changed.append("parameters")
    if made.needs_approval and not tool.needs_approval:
        changed.append("needs_approval")
    if changed:
        problems.append(
            f"{owner} was changed in what a blueprint cannot say: {', '.join(changed)}: leave that as the registry made it"
        )
        return None
    return ToolShape(
        name=tool.name,
        use=origin.use,
        options=origin.options,
        description=(
            None if tool.spec.description == made.spec.description else tool.spec.description
        ),
        approval=tool.needs_approval and not made.needs_approval,
        timeout=None if tool.timeout == made.timeout else tool.timeout,
        renamed=tool.name != made.name,
    )


class ToolWriter:
    """Writes the tools of a registry: in the agent that has one, or under ``tools`` where that is needed, or saves words.

    Args:
        named: Tools that stand under ``tools`` in any case, by name.
        shapes: The tools of all agents.
        reserved: Names that must go on to mean tools of the registry.

    Attributes:
        sections: What stands under ``tools``.
    """

    def __init__(
        self,
        named: Mapping[str, ToolShape],
        shapes: list[ToolShape],
        reserved: frozenset[str],
    ) -> None:
        self.sections: dict[str, Any] = {}
        self._names: dict[str, str] = {}
        for name, shape in named.items():
            if not (shape.is_bare and name == shape.use):
                self.sections[name] = shape.to_section()
                self._names.setdefault(shape.key, name)
        counts: dict[str, int] = {}
        for shape in shapes:
            counts[shape.key] = counts.get(shape.key, 0) + 1
        apart = {
            shape.key: shape
            for shape in shapes
            if shape.key not in self._names
            and (
                shape.renamed
                or shape.timeout is not None
                or shape.use in self.sections
                or (counts[shape.key] > 1 and not shape.is_bare)
            )
        }
        within = {shape.use for shape in shapes if shape.key not in apart}
        for key, shape in apart.items():
            taken = {*self.sections, *within, *reserved}
            name = shape.name if is_name(shape.name) else "tool"
            self._names[key] = find_free_name(name, taken)
            self.sections[self._names[key]] = shape.to_section()

    def write(self, shape: ToolShape) -> dict[str, Any]:
        """Return how an agent uses a tool.

        Args:
            shape: The tool.
        """
        key = self._names.get(shape.key)
        if key is None:
            return shape.to_section()
        return {"use": key} if key == shape.name else {"use": key, "name": shape.name}
