"""Splits documents into passages: pieces of a few paragraphs, each with its lines and the headings above it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Passage", "split_passages"]

MAX_LINES = 40
MAX_CHARACTERS = 1500
_HEADING = re.compile(r" {0,3}(#{1,6})([ \t].*)?")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
_UNDERLINE = re.compile(r"([-=~^\"'*+#.:_])\1+[ \t]*")


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document.

    Attributes:
        line: Number of its first line in the file, from 1.
        end_line: Number of its last line, inclusive.
        heading: The headings above it, outermost first, joined by `` > ``; empty where there is none.
        text: Its lines, as they stand in the file.
    """

    line: int
    end_line: int
    heading: str
    text: str


@dataclass(slots=True)
class _Section:
    first: int
    body: int
    heading: str
    end: int = 0


def split_passages(lines: list[str], *, style: str) -> list[Passage]:
    """Split a document into passages that follow each other without gaps.

    Passages start at headings; what is longer than 40 lines or 1,500 characters is split between paragraphs, and
    within one only where a single paragraph is longer; a block of code may be two and a half times as long. A single line
    is never split.

    Args:
        lines: The lines of the document.
        style: How headings are written: ``md``, ``rst``, or anything else for none.

    Returns:
        The passages in the order of the document; pieces of blank lines alone are left out.
    """
    passages = []
    for section in _read_sections(lines, style):
        for first, end in _split_section(lines, section, style):
            text = "\n".join(lines[first:end])
            if text.strip():
                passages.append(Passage(first + 1, end, section.heading, text))
    return passages


def _read_sections(lines: list[str], style: str) -> list[_Section]:
    sections = [_Section(0, 0, "")]
    path: list[tuple[int, str]] = []
    for first, body, level, title in _find_headings(lines, style):
        path = [*((above, name) for above, name in path if above < level), (level, title)]
        heading = " > ".join(name for _, name in path if name)
        last = sections[-1]
        # A heading with nothing of its own belongs to what follows: alone it answers nothing.
        if not any(line.strip() for line in lines[last.body : first]):
            last.body, last.heading = body, heading
        else:
            last.end = first
            sections.append(_Section(first, body, heading))
    sections[-1].end = len(lines)
    return sections


def _find_headings(lines: list[str], style: str) -> Iterator[tuple[int, int, int, str]]:
    """Yield for each heading its first line, the line after it, its level, and its title."""
    if style not in ("md", "rst"):
        return
    levels: list[str] = []
    start = _skip_front_matter(lines) if style == "md" else 0
    fenced = _mark_fences(lines) if style == "md" else [False] * len(lines)
    for index in range(start, len(lines)):
        if fenced[index]:
            continue
        line = lines[index]
        match = _HEADING.fullmatch(line) if style == "md" else None
        if match:
            yield index, index + 1, len(match[1]), _clean_title(match[2] or "")
            continue
        if index == start or not _is_underline(lines, index, style) or fenced[index - 1]:
            continue
        if style == "md":
            level = 1 if line.startswith("=") else 2
        else:
            levels += [] if line[0] in levels else [line[0]]
            level = levels.index(line[0]) + 1
        yield index - 1, index + 1, level, lines[index - 1].strip()


def _clean_title(text: str) -> str:
    """Return the title of a heading without the ``#`` that may close it."""
    title = text.strip()
    bare = title.rstrip("#")
    return bare.rstrip() if not bare or bare[-1].isspace() else title


def _is_underline(lines: list[str], index: int, style: str) -> bool:
    line, title = lines[index], lines[index - 1]
    if not _UNDERLINE.fullmatch(line) or not title.strip() or title[0].isspace():
        return False
    # Only a title of one line counts: below a longer paragraph, a table or a list it is something else.
    if index >= 2 and lines[index - 2].strip() and not _UNDERLINE.fullmatch(lines[index - 2]):
        return False
    if style == "rst":
        return len(line.rstrip()) >= len(title.rstrip()) and not _UNDERLINE.fullmatch(title)
    return line[0] in "=-" and not re.match(r"[#>|`~\-*+=]|\d+[.)]\s", title)


def _skip_front_matter(lines: list[str]) -> int:
    if lines and lines[0].rstrip() == "---":
        for index in range(1, min(len(lines), 200)):
            if lines[index].rstrip() in ("---", "..."):
                return index + 1
    return 0


def _mark_fences(lines: list[str]) -> list[bool]:
    """Return for each line whether it belongs to a fenced block of code."""
    marks = []
    fence = ""
    for line in lines:
        match = _FENCE.fullmatch(line)
        marks.append(bool(fence) or match is not None)
        if match is None:
            continue
        if not fence:
            fence = match[1]
        elif match[1].startswith(fence) and not match[2].strip():
            fence = ""
    return marks


def _split_section(lines: list[str], section: _Section, style: str) -> Iterator[tuple[int, int]]:
    """Yield the first line and the line after the last one of each piece of a section."""
    part = lines[section.first : section.end]
    fenced = _mark_fences(part) if style == "md" else [False] * len(part)
    first, size, paragraph = section.first, 0, section.first
    announced = False
    for index in range(section.first, section.end):
        in_code = fenced[index - section.first]
        if not lines[index].strip() and not in_code and not announced:
            paragraph = index + 1
        # What ends in a colon belongs to what follows.
        announced = lines[index].rstrip().endswith(":") if lines[index].strip() else announced
        size += len(lines[index]) + 1
        if not _is_full(index - first, size):
            continue
        # Half a block of code explains nothing, so code may be longer than text.
        if first < paragraph <= index:
            cut = paragraph
        elif index > first and not (in_code and not _is_full((index - first) / 2.5, size / 2.5)):
            cut = index
        else:
            continue
        yield first, cut
        first = cut
        size = sum(len(line) + 1 for line in lines[first : index + 1])
    if first < section.end:
        yield first, section.end


def _is_full(lines: float, characters: float) -> bool:
    return lines >= MAX_LINES or characters > MAX_CHARACTERS
