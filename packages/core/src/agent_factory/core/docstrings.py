"""Reads the parts of a Google-style docstring that a model should see."""

from __future__ import annotations

import inspect
import re

__all__ = ["parse_docstring"]

_SECTION = re.compile(r"^(Args|Arguments|Returns?|Raises|Yields|Examples?|Notes?|Attributes):\s*$")
_ARGUMENT = re.compile(r"^(?P<indent>\s+)\*{0,2}(?P<name>\w+)\s*(?:\([^)]*\))?:\s*(?P<text>.*)$")


def parse_docstring(docstring: str | None) -> tuple[str, dict[str, str]]:
    """Split a Google-style docstring into its description and its arguments.

    Follows the "Functions and Methods" section of the Google Python Style Guide.

    Args:
        docstring: The raw docstring, or None.

    Returns:
        The text above the first section, and the description of each argument by name.
    """
    lines = inspect.cleandoc(docstring or "").splitlines()
    description: list[str] = []
    arguments: dict[str, str] = {}
    section: str | None = None
    current: str | None = None
    indent = 0
    for line in lines:
        header = _SECTION.match(line)
        if header:
            section, current = header.group(1), None
        elif section is None:
            description.append(line)
        elif line and not line.startswith(" "):
            # Anything at the margin ends a section, other projects' section names included.
            section = ""
        elif section in ("Args", "Arguments"):
            match = _ARGUMENT.match(line)
            if match and (current is None or len(match["indent"]) <= indent):
                current, indent = match["name"], len(match["indent"])
                arguments[current] = match["text"].strip()
            elif current is not None and line.strip():
                arguments[current] = f"{arguments[current]} {line.strip()}".strip()
    return "\n".join(description).strip(), arguments
