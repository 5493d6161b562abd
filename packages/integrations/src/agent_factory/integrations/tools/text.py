"""Bytes of a file to text and lines, the same way for every tool."""

from __future__ import annotations

from agent_factory.core.exceptions import ToolError

__all__ = ["decode", "split_lines"]


def decode(path: str, content: bytes) -> str:
    """Return the text of a file, without a byte order mark.

    Args:
        path: Name of the file for messages.
        content: Its bytes.

    Raises:
        ToolError: It is no UTF-8 text.
    """
    if b"\0" in content:
        raise ToolError(f"{path!r} is a binary file: only text can be read")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ToolError(
            f"{path!r} is not UTF-8 text (byte {error.start}): only UTF-8 can be read"
        ) from None


def split_lines(text: str) -> list[str]:
    r"""Return the lines of a text as editors count them: ended by ``\n`` or ``\r\n``, and nothing else.

    Args:
        text: The text; an end of line at its very end starts no further line.
    """
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    if not lines[-1]:
        lines.pop()
    return lines
