"""Which part of a passage to quote, word for word."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent_factory.integrations.extractive.findings import FoundPassage

__all__ = ["Quote", "choose_quote"]

MAX_LINES = 14
MAX_CHARACTERS = 900
# A heading must say this much of what the text says, for the text below it to be quoted from its start.
HEADING_LEAD = 0.75

Measure: TypeAlias = Callable[[str], float]

# A row without its table and code without its explanation say less than a sentence with the same words.
_WORTHS = {"row": 0.8, "code": 0.6}

_FENCE = re.compile(r" {0,3}(```|~~~)")
_HEADING = re.compile(r" {0,3}#{1,6}(\s|$)")
_BULLET = re.compile(r"\s{0,3}[-*+]\s")
_NUMBER = re.compile(r"\s{0,3}\d{1,3}[.)]\s")
_UNDERLINE = re.compile(r"([-=~^\"'*+#])\1{2,}\s*")
_DECORATION = re.compile(r"\s*(<|!\[|\[!\[|\[!\w+\]|[-*_]{3,}\s*$)")
_SENTENCE_END = re.compile(r"[.!?:][)\"'*`]*(\s+|$)")


@dataclass(frozen=True, slots=True)
class Quote:
    """A part of a passage, word for word.

    Attributes:
        line: Number of the quotation's first line in the file.
        text: The quotation; a part of the passage's text, of at most 900 characters.
    """

    line: int
    text: str


@dataclass(slots=True)
class _Block:
    """Lines that belong together: a paragraph, a list item, a table's row, a numbered list, a block of code."""

    first: int
    end: int
    kind: str


def choose_quote(passage: FoundPassage, measure: Measure) -> Quote | None:
    """Choose what to quote of a passage.

    Where its heading already says what was asked, that is its beginning; else the paragraph with most of the keywords. What a
    paragraph announces with a colon, and code next to it, comes along.

    Args:
        passage: The passage.
        measure: Says how well a text covers what was asked, from 0 to 1.

    Returns:
        The quotation, or None where the passage is nothing but headings.
    """
    lines = passage.text.split("\n")
    blocks = [block for block in _read_blocks(lines) if block.kind not in ("heading", "decoration")]
    if not blocks:
        return None
    worths = [
        measure("\n".join(lines[block.first : block.end])) * _WORTHS.get(block.kind, 1.0)
        for block in blocks
    ]
    best = max(range(len(blocks)), key=lambda index: (worths[index], -index))
    title = passage.heading.rpartition(" > ")[2]
    if measure(title) >= HEADING_LEAD * worths[best]:
        return _clip(
            lines, passage.line, blocks[0].first, _extend(lines, blocks, 0, whole=True), measure
        )
    # Code or a list hangs on the sentence that announces it.
    while best and _announces(lines, blocks[best - 1]):
        best -= 1
    end = _extend(lines, blocks, best, whole=False)
    return _clip(lines, passage.line, blocks[best].first, end, measure)


def _read_blocks(lines: Sequence[str]) -> list[_Block]:
    blocks: list[_Block] = []
    current: _Block | None = None
    fence = ""
    for index, line in enumerate(lines):
        mark = _FENCE.match(line)
        if fence:
            if mark and mark[1] == fence:
                fence = ""
            if current:
                current.end = index + 1
            continue
        if not line.strip():
            current = None
            continue
        if current and current.kind == "text" and _underlines(line, lines[current.first : index]):
            current.kind, current.end = "heading", index + 1
            continue
        kind = _get_kind(line)
        joined = kind == "text" or (kind == "number" and current and current.kind == "number")
        if current is None or not joined or current.kind in ("heading", "code", "decoration"):
            current = _Block(index, index + 1, kind)
            blocks.append(current)
        else:
            current.end = index + 1
        if mark:
            fence = mark[1]
    return blocks


def _underlines(line: str, above: Sequence[str]) -> bool:
    return len(above) == 1 and _UNDERLINE.fullmatch(line) is not None


def _get_kind(line: str) -> str:
    if _FENCE.match(line):
        return "code"
    if _HEADING.match(line):
        return "heading"
    if _DECORATION.match(line):
        return "decoration"
    if _NUMBER.match(line):
        return "number"
    if line.lstrip().startswith("|"):
        return "row" if line.strip(" \t|:-") else "decoration"
    return "bullet" if _BULLET.match(line) else "text"


def _announces(lines: Sequence[str], block: _Block) -> bool:
    return block.kind != "code" and lines[block.end - 1].rstrip().endswith(":")


def _extend(lines: Sequence[str], blocks: list[_Block], start: int, *, whole: bool) -> int:
    """Return the line after the last block that belongs to the quotation beginning with block ``start``."""
    last = start
    announced = _announces(lines, blocks[start])
    while last + 1 < len(blocks):
        following = blocks[last + 1]
        belongs = (
            whole
            or _announces(lines, blocks[last])
            or following.kind == "code"
            or (
                announced
                and following.kind == blocks[last].kind
                and following.kind in ("bullet", "row")
            )
        )
        if not belongs or not _fits(lines[blocks[start].first : following.end]):
            break
        last += 1
    return blocks[last].end


def _fits(lines: Sequence[str]) -> bool:
    return len(lines) <= MAX_LINES and sum(len(line) + 1 for line in lines) <= MAX_CHARACTERS


def _clip(lines: Sequence[str], line: int, first: int, end: int, measure: Measure) -> Quote:
    # Code has no sentences, so of too long a block the beginning is shown.
    if _FENCE.match(lines[first]):
        while end > first + 1 and not _fits(lines[first:end]):
            end -= 1
    text = "\n".join(lines[first:end])
    if _fits(lines[first:end]):
        return Quote(line + first, text)
    start, stop = _choose_sentences(text, measure)
    return Quote(line + first + text.count("\n", 0, start), text[start:stop])


def _choose_sentences(text: str, measure: Measure) -> tuple[int, int]:
    """Return where the sentences begin and end that fit into a quotation and have most of the keywords."""
    starts = [
        0,
        *(match.end() for match in _SENTENCE_END.finditer(text) if match.end() < len(text)),
    ]
    ends = [*starts[1:], len(text)]
    spans = list(zip(starts, ends, strict=True))
    best = max(
        range(len(spans)),
        key=lambda index: (measure(text[spans[index][0] : spans[index][1]]), -index),
    )
    start, stop = spans[best]
    for _, end in spans[best + 1 :]:
        if end - start > MAX_CHARACTERS or text.count("\n", start, end) >= MAX_LINES:
            break
        stop = end
    # One sentence can be longer than a quotation, as in tables and data.
    stop = min(stop, start + MAX_CHARACTERS)
    return start, start + len("\n".join(text[start:stop].split("\n")[:MAX_LINES]).rstrip())
