"""PyYAML's scanner, with what is needed to tell well what is wrong with a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from agent_factory.core.blueprints.syntax import Place

__all__ = ["WRONG_VERSION", "Scanner"]

WRONG_VERSION = "remove this line: files are always read as YAML 1.2"
"""What is told of a directive with another version of YAML."""


class Scanner(yaml.SafeLoader):
    """PyYAML's scanner and parser, watched for what its errors do not say.

    Args:
        text: The text to read.

    Attributes:
        opened: The brackets that are open: each with its place.
        quoted: Where the last quoted text that spans lines starts, and where it ends; None if there was none.
        directives: The places of the directives that are not allowed, with what is wrong with them.
    """

    def __init__(self, text: str) -> None:
        self.opened: list[tuple[str, Place]] = []
        self.quoted: tuple[Place, Place] | None = None
        self.directives: list[tuple[Place, str]] = []
        super().__init__(text)

    def fetch_flow_collection_start(self, TokenClass: Any) -> None:  # noqa: N803 - PyYAML's name
        """Take a bracket that opens a list or a mapping, and remember it."""
        bracket = "[" if TokenClass is yaml.FlowSequenceStartToken else "{"
        self.opened.append((bracket, (self.line, self.column)))
        super().fetch_flow_collection_start(TokenClass)

    def fetch_flow_collection_end(self, TokenClass: Any) -> None:  # noqa: N803 - PyYAML's name
        """Take a bracket that closes a list or a mapping, and forget the one that it closes."""
        closed = "[" if TokenClass is yaml.FlowSequenceEndToken else "{"
        # One that does not match stays open, for the error that follows to name it.
        if self.opened and self.opened[-1][0] == closed:
            self.opened.pop()
        super().fetch_flow_collection_end(TokenClass)

    def scan_flow_scalar(self, style: Any) -> Any:
        """Take a text in quotes, and remember it if it spans lines."""
        start = (self.line, self.column)
        token = super().scan_flow_scalar(style)
        if self.line != start[0]:
            self.quoted = (start, (self.line, self.column))
        return token

    def scan_directive(self) -> Any:
        """Take a directive, and remember what is wrong with it."""
        token: Any = super().scan_directive()
        if token.name != "YAML":
            self.directives.append(
                (
                    (token.start_mark.line, 0),
                    "a line cannot start with '%': remove it, or indent it and put the text in quotes",
                )
            )
        elif token.value != (1, 2):
            self.directives.append(((token.start_mark.line, 0), WRONG_VERSION))
        return token
