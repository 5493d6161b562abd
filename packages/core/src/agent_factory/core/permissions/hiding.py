"""Takes secrets out of texts, also where they are written in another way."""

from __future__ import annotations

import base64
import html
import json
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["HIDDEN", "Hider"]

HIDDEN = "[secret]"
"""What stands in the place of a secret."""

_LEAST_ENCODED = 4
"""Characters of the shortest text that is looked for in other forms than its own: shorter ones are found everywhere."""

_LEAST_LINE = 8
"""Characters of the shortest line of a secret that is looked for alone."""


class Hider:
    """Puts ``[secret]`` in the place of secrets.

    A secret is found as it is, and as JSON, URLs, HTML, base64 and hexadecimal digits write it, base64 also in the midst of
    something else; of a secret of several lines, each longer line is found alone. So its usual ways into a text are closed.
    A program that was given a secret and wants to pass it on in disguise is not stopped by that.
    """

    __slots__ = ("_forms", "_values")

    def __init__(self) -> None:
        self._values: set[str] = set()
        self._forms: set[str] = set()

    def add(self, value: str) -> None:
        """Look for a secret from now on. Safe to call from many threads.

        Args:
            value: The secret; not empty.
        """
        if value not in self._values:
            # In this order: whoever finds the value there can rely on its forms.
            self._forms.update(_list_forms(value))
            self._values.add(value)

    def hide(self, text: str) -> str:
        """Return a text without the secrets. It takes time that grows with the length of the text and no faster.

        Args:
            text: Any text.
        """
        pieces: list[str] = []
        end = 0
        for start, stop in sorted(
            span for form in tuple(self._forms) for span in _find(form, text)
        ):
            # Secrets may overlap, and then no part of either is shown.
            if start >= end:
                pieces += (text[end:start], HIDDEN)
            end = max(end, stop)
        return "".join((*pieces, text[end:]))


def _find(form: str, text: str) -> Iterator[tuple[int, int]]:
    start = text.find(form)
    while start >= 0:
        end = start + len(form)
        yield start, end
        start = text.find(form, end)


def _list_forms(value: str) -> Iterable[str]:
    """Return the ways in which a secret may be written."""
    stripped = value.strip()
    wholes = {value, stripped} if stripped else {value}
    lines = {line.strip() for line in value.splitlines()}
    texts = wholes | {line for line in lines if len(line) >= _LEAST_LINE}
    forms = set(texts)
    for text in texts:
        if len(text) >= _LEAST_ENCODED:
            forms.update(_list_encoded(text))
    return forms


def _list_encoded(text: str) -> Iterator[str]:
    for ascii_only in (True, False):
        written = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
        yield written
        yield written.replace("/", "\\/")
        # JSON within JSON, such as the output of a program that prints it.
        yield json.dumps(written, ensure_ascii=ascii_only)[1:-1]
    yield repr(text)[1:-1]
    yield html.escape(text)
    yield html.escape(text, quote=False)
    content = text.encode("utf-8", "surrogatepass")
    for quoted in (quote(content, safe=""), quote(content), quote_plus(content)):
        yield quoted
        yield _lower_escapes(quoted)
    yield content.hex()
    yield content.hex().upper()
    for written in _list_base64(content):
        yield written
        yield written.replace("+", "-").replace("/", "_")


def _lower_escapes(quoted: str) -> str:
    first, *rest = quoted.split("%")
    return "%".join([first, *(part[:2].lower() + part[2:] for part in rest)])


def _list_base64(content: bytes) -> Iterator[str]:
    """Return what is the same in the base64 of every text that has the content in it, whatever stands around it."""
    yield base64.b64encode(content).decode().rstrip("=")
    for before in range(3):
        written = base64.b64encode(b"\0" * before + content).decode()
        # A character stands for six bits: those at the edges also for what stands beside the content.
        written = written[-(-before * 8 // 6) : (before + len(content)) * 8 // 6]
        yield written
