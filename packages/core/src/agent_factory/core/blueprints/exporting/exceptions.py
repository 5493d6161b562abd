"""The error of agents that cannot be written as a blueprint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_factory.core.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ExportError"]


class ExportError(ConfigurationError):
    """Agents cannot be written as a blueprint: some of their parts are code, which a blueprint cannot have.

    Args:
        name: Name of the blueprint.
        problems: What cannot be written, each with what to do about it; at least one.

    Attributes:
        problems: What was given.
    """

    code = "export"

    def __init__(self, name: str, problems: Sequence[str]) -> None:
        count = "1 part" if len(problems) == 1 else f"{len(problems)} parts"
        super().__init__(
            f"{count} of the blueprint {name!r} cannot be written:\n"
            + "\n".join(f"- {problem}" for problem in problems),
            details={"problems": list(problems)},
        )
        self.problems = tuple(problems)
