"""What a template is."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

__all__ = ["NAME", "Template"]

NAME = "name-of-the-blueprint"
"""What stands in the files of a template for the name of the blueprint. It could be one, so that they are valid as they are."""


@dataclass(frozen=True, slots=True)
class Template:
    """A blueprint to begin with: a folder in ``files/`` with all of its files.

    Attributes:
        name: Name for people, and of the folder.
        summary: What it is, in one line.
        question: An input to try it with.
        command: The command to try it with: ``run``, or ``chat``, which asks for the input itself.
    """

    name: str
    summary: str
    question: str
    command: str = "run"

    def read_files(self) -> dict[str, str]:
        """Return the texts of the files by their paths, with `NAME` in them; ``blueprint.yaml`` is the first."""
        found: dict[str, str] = {}
        _collect(files(__package__) / "files" / self.name, "", found)
        return dict(sorted(found.items(), key=lambda item: (item[0] != "blueprint.yaml", item[0])))


def _collect(folder: Traversable, before: str, found: dict[str, str]) -> None:
    for item in folder.iterdir():
        if item.is_dir():
            _collect(item, f"{before}{item.name}/", found)
        else:
            found[before + item.name] = item.read_text("utf-8")
