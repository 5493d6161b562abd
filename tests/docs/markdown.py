"""Reads the parts of the project's Markdown files that tests look at."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

__all__ = [
    "ROOT",
    "Block",
    "Link",
    "find_pages",
    "read_anchors",
    "read_blocks",
    "read_links",
    "read_table",
]

ROOT = Path(__file__).resolve().parents[2]
_PATTERNS = (
    "*.md",
    "docs/*.md",
    "examples/*.md",
    "packages/*/*.md",
    "tests/*.md",
    ".github/*.md",
)

_FENCE = re.compile(r"(?P<mark>`{3,})(?P<info>[^`]*)")
_LINK = re.compile(r"!?\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_HEADING = re.compile(r"#{1,6} (?P<text>.+)")


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        page: Path of the file, relative to the root.
        line: Line of the opening fence, from 1.
        info: What stands behind the opening fence: the language, then words and ``key=value`` pairs.
        text: The lines between the fences.
    """

    page: str
    line: int
    info: str
    text: str

    @property
    def language(self) -> str:
        return self.info.split()[0] if self.info.split() else ""

    @property
    def options(self) -> dict[str, str]:
        pairs = (word.partition("=") for word in self.info.split()[1:])
        return {name: value for name, _, value in pairs}

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class Link:
    """A link.

    Attributes:
        page: Path of the file, relative to the root.
        line: Line of the link, from 1.
        target: Where it leads.
    """

    page: str
    line: int
    target: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line} {self.target}"


def find_pages() -> list[str]:
    """Return the paths of all pages, relative to the root."""
    found = {path for pattern in _PATTERNS for path in ROOT.glob(pattern)}
    return sorted(path.relative_to(ROOT).as_posix() for path in found)


def _read(page: str) -> list[tuple[int, str, str | None]]:
    """Return the lines of a page with their numbers, each with the info of the block it is in."""
    lines: list[tuple[int, str, str | None]] = []
    info: str | None = None
    mark = ""
    for number, line in enumerate((ROOT / page).read_text(encoding="utf-8").splitlines(), 1):
        fence = _FENCE.fullmatch(line.strip())
        if info is None and fence:
            mark, info = fence["mark"], f"{number} {fence['info']}"
        elif info is not None and line.strip() == mark:
            info = None
        else:
            lines.append((number, line, info))
    return lines


def read_blocks(page: str) -> list[Block]:
    """Return the fenced blocks of a page in their order.

    Args:
        page: Path of the file, relative to the root.
    """
    texts: dict[str, list[str]] = {}
    for _, line, info in _read(page):
        if info is not None:
            texts.setdefault(info, []).append(line)
    return [
        Block(page, int(start), info, "\n".join(lines) + "\n")
        for (start, _, info), lines in ((key.partition(" "), lines) for key, lines in texts.items())
    ]


def read_links(page: str) -> list[Link]:
    """Return the links of a page in their order, those in blocks and in code left out.

    Args:
        page: Path of the file, relative to the root.
    """
    return [
        Link(page, number, match["target"])
        for number, line, info in _read(page)
        if info is None
        for match in _LINK.finditer(re.sub(r"`[^`]*`", "code", line))
    ]


def read_anchors(page: str) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a page.

    Args:
        page: Path of the file, relative to the root.
    """
    anchors: set[str] = set()
    for _, line, info in _read(page):
        match = _HEADING.fullmatch(line)
        if info is None and match:
            words = re.sub(r"[^\w\- ]", "", match["text"].lower())
            anchors.add(words.replace(" ", "-"))
    return anchors


def read_table(page: str, heading: str, *, first: str | None = None) -> list[list[str]]:
    """Return the rows of the first table below a heading, without its head.

    Args:
        page: Path of the file, relative to the root.
        heading: Text of the heading, without its number signs.
        first: What the first column is headed, to choose among several tables; the first one if None.
    """
    rows: list[list[str]] = []
    below = False
    inside = False
    for _, line, info in _read(page):
        match = None if info is not None else _HEADING.fullmatch(line)
        if match:
            if below:
                break
            below = match["text"] == heading
        elif below and info is None and line.startswith("|"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if inside:
                rows.append(cells)
            elif first is None or cells[0] == first:
                inside = True
        elif inside:
            break
    return rows[1:]
