"""HTML as text to read: without scripts and styles, with the addresses of its links.

Not with `html.parser`: some of its releases take a time that grows with the square of a hostile page. Here each character is
looked at a bounded number of times.
"""

from __future__ import annotations

import html
import re
from functools import cache
from urllib.parse import urljoin

__all__ = ["extract_text"]

_MAX_TAG = 8192
_MAX_LINK = 500
# Their content is no markup, and none of it is shown.
_UNSHOWN = frozenset({"iframe", "noembed", "noframes", "script", "style", "xmp"})
_UNSHOWN_TREES = frozenset({"svg", "template", "math", "object", "select"})
_PARAGRAPHS = re.compile(
    r"address|article|aside|blockquote|details|dl|fieldset|figure|footer|form|header|hr|main|nav|ol|p|pre|section"
    r"|summary|table|tbody|thead|ul"
)
_LINES = re.compile(r"br|caption|dd|div|dt|figcaption|legend|li|option|tr")


def extract_text(page: str, base_url: str, max_characters: int) -> tuple[str, bool]:
    """Return the text of a page, and whether there is more of it.

    Args:
        page: The HTML.
        base_url: Where the page came from, which relative links start from.
        max_characters: How many characters to return at most.
    """
    reader = _Reader(page, base_url, max_characters)
    reader.read()
    text = reader.get_text()
    return text[:max_characters], reader.full or len(text) > max_characters


class _Reader:
    def __init__(self, page: str, base_url: str, most: int) -> None:
        self._page = page
        self._base = base_url
        self._most = most
        self._parts: list[str] = []
        self._size = 0
        self._links: list[str] = []
        # The tree that is left out, and how many of its kind are open.
        self._unshown = ""
        self._depth = 0
        self._verbatim = 0
        self._no_end_from = len(page) + 1
        self.full = False

    def read(self) -> None:
        page, position = self._page, 0
        while position < len(page) and not self.full:
            start = page.find("<", position)
            if start < 0:
                start = len(page)
            if start > position:
                self._add_text(page[position:start])
            if start == len(page):
                return
            position = self._read_markup(start)

    def get_text(self) -> str:
        text = "".join(self._parts)
        text = re.sub(r"[ \t]*\n[ \t]*\n\s*", "\n\n", text)
        return text.strip()

    def _read_markup(self, start: int) -> int:
        """Read what begins with a ``<``, and return where it ends."""
        page = self._page
        if page.startswith("<!--", start):
            end = page.find("-->", start + 2)
            return len(page) if end < 0 else end + 3
        found = _tag().match(page, start)
        if found is None:
            if page.startswith(("<!", "<?", "</"), start):
                return self._find_end(start)
            self._add_text("<")
            return start + 1
        name = found[2].lower()
        end = self._find_end(found.end())
        if found[1]:
            self._close(name)
            return end
        attributes = page[found.end() : min(end, found.end() + _MAX_TAG)]
        if name in _UNSHOWN:
            closing = re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE).search(page, end)
            return len(page) if closing is None else self._find_end(closing.end())
        self._open(name, attributes)
        return end

    def _find_end(self, start: int) -> int:
        """Return where a tag ends whose attributes begin at a place; quoted, they may have a ``>`` in them."""
        quoted = _attributes().match(self._page, start, start + _MAX_TAG)
        if quoted is not None:
            return quoted.end()
        if start >= self._no_end_from:
            return len(self._page)
        end = self._page.find(">", start)
        if end < 0:
            self._no_end_from = min(self._no_end_from, start)
            return len(self._page)
        return end + 1

    def _open(self, name: str, attributes: str) -> None:
        if name in _UNSHOWN_TREES and not attributes.rstrip(">").endswith("/"):
            self._unshown = self._unshown or name
            self._depth += name == self._unshown
        if self._unshown:
            return
        self._break(name)
        if name == "a":
            self._links.append(self._read_link(attributes))
        elif name == "pre":
            self._verbatim += 1
        elif name == "li":
            self._add("- ")
        elif name in ("td", "th") and self._parts and not self._parts[-1].endswith("\n"):
            self._add(" | ")
        elif name == "img":
            described = _read_attribute(attributes, "alt")
            if described:
                self._add(f"[image: {described[:_MAX_LINK]}]")
        elif name in ("h1", "h2", "h3", "h4", "h5", "h6"):
            self._add(f"\n\n{'#' * int(name[1])} ")

    def _close(self, name: str) -> None:
        if self._unshown:
            self._depth -= name == self._unshown
            if not self._depth:
                self._unshown = ""
            return
        if name == "a" and self._links:
            link = self._links.pop()
            if link:
                self._add(f" ({link})")
        elif name == "pre" and self._verbatim:
            self._verbatim -= 1
        elif name in ("h1", "h2", "h3", "h4", "h5", "h6", "title"):
            self._add("\n\n")
        self._break(name)

    def _break(self, name: str) -> None:
        if _PARAGRAPHS.fullmatch(name):
            self._add("\n\n")
        elif _LINES.fullmatch(name):
            self._add("\n")

    def _read_link(self, attributes: str) -> str:
        target = (_read_attribute(attributes, "href") or "").strip()
        if not target or target.startswith("#"):
            return ""
        try:
            link = urljoin(self._base, target)
        except ValueError:
            return ""
        if not link.lower().startswith(("http://", "https://", "mailto:")) or len(link) > _MAX_LINK:
            return ""
        return link

    def _add_text(self, raw: str) -> None:
        if self._unshown:
            return
        text = _unescape(raw)
        if not self._verbatim:
            text = re.sub(r"\s+", " ", text)
            if not self._parts or self._parts[-1].endswith((" ", "\n")):
                text = text.lstrip()
        self._add(text)

    def _add(self, text: str) -> None:
        if text:
            self._parts.append(text)
            self._size += len(text) if text.strip() else 0
            self.full = self._size > self._most


def _read_attribute(attributes: str, name: str) -> str | None:
    for found in _attribute().finditer(attributes):
        if found[1].lower() == name:
            return _unescape(found[2] or found[3] or found[4] or "")
    return None


def _unescape(text: str) -> str:
    try:
        return html.unescape(text)
    except ValueError:  # a number of thousands of digits
        return text


@cache
def _tag() -> re.Pattern[str]:
    return re.compile(r"<(/?)([A-Za-z][A-Za-z0-9:-]{0,60})(?=[\s/>])")


@cache
def _attributes() -> re.Pattern[str]:
    return re.compile(r"(?:[^>\"']|\"[^\"]*+\"|'[^']*+')*+>")


@cache
def _attribute() -> re.Pattern[str]:
    return re.compile(
        r"([A-Za-z_:][\w:.-]{0,60})\s{0,20}=\s{0,20}(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))"
    )
