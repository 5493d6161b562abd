"""Files that no person would write, and a blueprint that was damaged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

    from agent_factory.core.blueprints.document import Document

Shape = Callable[[int], bytes]


def _repeat(unit: str, before: str = "", after: str = "") -> Shape:
    return lambda size: f"{before}{unit * (size // len(unit.encode()))}{after}".encode()


SHAPES: dict[str, Shape] = {
    "open lists": _repeat("["),
    "open mappings": _repeat("{"),
    "open mappings with keys": _repeat("{a: "),
    "closed lists": _repeat("]"),
    "lists in lists": _repeat("[],", "a: " + "[" * 28),
    "one long list": _repeat("1,", "a: [", "]"),
    "pairs in a list": _repeat("a: b,", "["),
    "words in a list": _repeat("a b,", "a: [", "]"),
    "commas": _repeat(",", "["),
    "list items": _repeat("- "),
    "lines of list items": _repeat("- a\n"),
    "empty list items": _repeat("-\n"),
    "complex keys": _repeat("? "),
    "lines of complex keys": _repeat("?\n"),
    "complex keys with lists": _repeat("? ["),
    "complex keys in a mapping": _repeat("? ", "{"),
    "the same key": _repeat("a: 1\n"),
    "merge keys": _repeat("<<: 1\n"),
    "other keys": lambda size: "".join(f"k{number}: 1\n" for number in range(size // 8)).encode(),
    "stairs": lambda size: "".join(
        f"{' ' * number}a:\n" for number in range(int(size**0.5))
    ).encode(),
    "stairs of blanks": lambda size: (
        "a: |\n" + "".join(f"{' ' * number}\n" for number in range(int(size**0.5)))
    ).encode(),
    "one word": _repeat("x", "a: "),
    "one key": _repeat("x", "", ": 1"),
    "words": _repeat("word ", "a: "),
    "lines of words": _repeat("word\n ", "a: "),
    "spaces in a text": _repeat(" ", "a: b", "c"),
    "spaces": _repeat(" "),
    "tabs": _repeat("\t"),
    "line ends": _repeat("\n"),
    "carriage returns": _repeat("\r"),
    "line separators": _repeat("\u2028"),
    "comments": _repeat("#\n"),
    "a comment": _repeat("#"),
    "a quoted text": _repeat("word ", 'a: "', '"'),
    "an open quote": _repeat("word\n ", 'a: "'),
    "escapes": _repeat("\\u0041", 'a: "', '"'),
    "halves of characters": _repeat("\\ud800", 'a: "', '"'),
    "quotes": _repeat("''", "a: '", "'"),
    "quoted items": _repeat('"a"\n', "["),
    "a block": _repeat("  word\n", "a: |\n"),
    "a block of blank lines": _repeat(" \n", "a: |\n"),
    "anchors": _repeat("- &a x\n"),
    "a long anchor": _repeat("x", "a: &"),
    "aliases": _repeat("- *a\n"),
    "growing aliases": lambda size: (
        "a0: &a0 [x, x]\n"
        + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, size // 30))
    ).encode(),
    "tags": _repeat("- !t x\n"),
    "a long tag": _repeat("%41", "a: !"),
    "documents": _repeat("---\n"),
    "directives": _repeat("%X a\n"),
    "a long version": _repeat("1", "%YAML 1."),
    "colons": _repeat(":"),
    "colons in a mapping": _repeat(": ", "{"),
    "long numbers": _repeat("9", "a: "),
    "long exponents": _repeat("9", "a: 1e"),
    "long fractions": _repeat("1", "a: 0."),
    "wide characters": _repeat("\U0001f600", "a: "),
    "NUL": _repeat("\0"),
    "UTF-16": lambda size: ("a: b\n" * (size // 10)).encode("utf-16"),
    "no UTF-8": lambda size: b"\xff" * size,
}
"""Functions that make a file of about a number of bytes."""

BLUEPRINT = """\
schema: agent-factory/blueprint@1
name: ask-docs
version: 1.2.3-rc.1+build
description: "Answers \\"questions\\"."  # for people
models:
  small: {use: default, settings: {temperature: 0.5, seed: 7}}
tools:
  search:
    use: search_documents
    with:
      folder: docs
      patterns: ['**/*.md', "*.txt"]
agent:
  model: small
  instructions: |
    You answer questions: from the notes.

      - Cite them.
  tools:
  - search
  - use: calculate
    approval: true
  output: {type: object, properties: {answer: {type: string}}, required: [answer]}
  limits: {max_requests: 3, max_tool_calls: 0, timeout: 5e1}
permissions:
  tools: [search_documents, calculate]
  files: {read: [docs]}
  spend: 0.50 USD
"""

_SIGNS = [
    b":",
    b"-",
    b"[",
    b"]",
    b"{",
    b"}",
    b"'",
    b'"',
    b"\n",
    b" ",
    b"\t",
    b"&a",
    b"*a",
    b"!",
    b"\xff",
]


def create_mutations(generator: random.Random, count: int) -> Iterator[bytes]:
    """Return blueprints that were damaged in one to four places.

    Args:
        generator: Decides on the damage.
        count: How many to return.
    """
    for _ in range(count):
        content = BLUEPRINT.encode()
        for _ in range(generator.randint(1, 4)):
            content = _damage(content, generator)
        yield content


def _damage(content: bytes, generator: random.Random) -> bytes:
    start = generator.randrange(len(content) + 1)
    end = min(len(content), start + generator.randint(1, 12))
    lines = content.splitlines(keepends=True) or [b""]
    first, second = generator.randrange(len(lines)), generator.randrange(len(lines))
    kind = generator.randrange(8)
    if kind == 0:
        return content[:start] + content[end:]
    if kind == 1:
        return content[:end] + content[start:]
    if kind == 2:
        return content[:start] + generator.choice(_SIGNS) + content[start:]
    if kind == 3:
        return content[:start] + bytes([generator.randrange(256)]) + content[start + 1 :]
    if kind == 4:
        return content[:start]
    if kind == 5:
        del lines[first]
    elif kind == 6:
        lines.insert(first, lines[second])
    else:
        lines[first], lines[second] = lines[second], lines[first]
    return b"".join(lines)


def check_document(document: Document) -> None:
    """Check what holds of a document of any file.

    Args:
        document: The document.
    """
    if document.problems:
        assert document.value is None
    else:
        str(document.value).encode()
    places = [(item.location.line, item.location.column) for item in document.problems[:-1]]
    assert places == sorted(places)
    for item in document.problems:
        line, column = item.location.line, item.location.column
        assert line >= 1
        assert column >= 1
        if item.excerpt:
            assert document.lines[line - 1] == item.excerpt
            assert column <= len(item.excerpt) + 1
        head, _, excerpt = str(item).partition("\n")
        assert len(head) < 700
        assert len(excerpt) < 300
