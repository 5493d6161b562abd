"""Says what is wrong with a file that is not YAML, in words that help to correct it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Place", "Syntax", "describe_syntax_error"]

Place = tuple[int, int]
"""Line and column, both from 0."""

_MAX_KEY = 1024
_MAX_LINES_ABOVE = 1000
_MISSING_SPACE = re.compile(r"""\s*(?:-\s+)*(?P<key>[A-Za-z_][\w.-]*):(?P<rest>[^\s/][^\s]*)""")
_FOUND = re.compile(r"but (?:found|got) '([^']*)'")
_CHARACTER = re.compile(r"found (?:unknown escape )?character '(\\?.[^']*|')'")
_FIRST_KEY = re.compile(r"\s*(?:-\s+)*[^\s'\"{\[#][^:#]*")


@dataclass(frozen=True, slots=True)
class Syntax:
    """What the scanner knew when it gave up.

    Attributes:
        lines: The lines of the file.
        opened: The brackets that are open: each with its place.
        quoted: Where the last quoted text that spans lines starts, and where it ends.
    """

    lines: Sequence[str]
    opened: Sequence[tuple[str, Place]]
    quoted: tuple[Place, Place] | None


def describe_syntax_error(error: Any, syntax: Syntax) -> tuple[Place, str]:
    """Return where a file stops being YAML, and what would be right.

    Args:
        error: PyYAML's error with its marks.
        syntax: What else is known of the file.
    """
    problem, context = str(error.problem or ""), str(error.context or "")
    here = _get_place(error.problem_mark or error.context_mark)
    start = _get_place(error.context_mark or error.problem_mark)
    place, message = _describe(problem, context, here, start, syntax)
    # Where a quote is not closed, the next one closes it, and what follows makes no sense.
    if syntax.quoted is not None and "expected" in problem and here[0] == syntax.quoted[1][0]:
        return here, (
            f"the quote opened in {_say(syntax.quoted[0])} is closed in this line only: "
            "close it where its text ends"
        )
    return place, message


def _describe(
    problem: str, context: str, here: Place, start: Place, syntax: Syntax
) -> tuple[Place, str]:
    if "could not find expected ':'" in problem:
        return _describe_line_without_colon(start, here, syntax)
    if "mapping values are not allowed here" in problem:
        return _describe_colon(here, syntax)
    if problem.startswith("found character"):
        return here, _describe_character(problem, here, syntax)
    if context.startswith("while scanning a quoted scalar"):
        return start, "this quote is never closed: write the same quote at the end of the text"
    if context.startswith("while scanning a double-quoted scalar"):
        return here, _describe_escape(problem)
    if context.startswith("while scanning a block scalar"):
        return here, _describe_block_scalar(problem)
    if context.startswith(("while scanning an alias", "while scanning an anchor")):
        character = _get_character(start, syntax)
        return start, f"a text that starts with '{character}' needs quotes"
    if "tag" in context or "tag handle" in problem:
        return start, "tags ('!name') are not allowed: put a text that starts with '!' in quotes"
    if "directive" in context or "directive" in problem:
        return start, "a line cannot start with '%': remove it, or put the text in quotes"
    if context.startswith(("while parsing a flow", "while parsing a block node")):
        return _describe_flow(problem, here, start, syntax)
    if context.startswith(("while parsing a block mapping", "while parsing a block collection")):
        return here, _describe_block(problem, context, here, start, syntax)
    if "sequence entries are not allowed here" in problem:
        return (
            here,
            "a list starts in a line of its own: move '- ' there, or put the text in quotes",
        )
    if "mapping keys are not allowed here" in problem:
        return here, "a text that starts with '? ' needs quotes"
    if "expected '<document start>'" in problem:
        return here, _describe_rest(here, syntax)
    said = " ".join(part for part in (context, problem) if part)
    return here, f"this is not YAML: {said[:200]}"


def _describe_line_without_colon(start: Place, here: Place, syntax: Syntax) -> tuple[Place, str]:
    missing = _find_missing_space(start[0], syntax)
    if missing is not None:
        return missing
    line = _get_line(start, syntax)
    if here[0] == start[0] and here[1] - start[1] > _MAX_KEY:
        return start, "a key has at most 1,024 characters: put ': ' behind it earlier"
    if line[start[1] : start[1] + 1] in ("'", '"'):
        return start, "a key needs ': ' behind it; or a quote is missing in this line or before it"
    return start, (
        "this line has no ': ': write 'key: value', or indent it if it goes on with the text above"
    )


def _find_missing_space(number: int, syntax: Syntax) -> tuple[Place, str] | None:
    line = _get_line((number, 0), syntax)[: 2 * _MAX_KEY]
    missing = _MISSING_SPACE.match(line)
    if missing is None or ": " in line:
        return None
    return (number, missing.start("rest")), (
        f"a space is missing behind the ':': write '{_cut(missing['key'])}: {_cut(missing['rest'])}'"
    )


def _describe_colon(here: Place, syntax: Syntax) -> tuple[Place, str]:
    before = _get_line(here, syntax)[: here[1]]
    if len(before) > _MAX_KEY:
        return here, "a key has at most 1,024 characters: put a text that contains ': ' in quotes"
    if not _FIRST_KEY.fullmatch(before) or ": " in before:
        return here, "a ':' too many: put a text that contains ': ' in quotes"
    missing = _find_missing_space(here[0] - 1, syntax) if here[0] else None
    return missing or (
        (here[0], len(before) - len(before.lstrip(" "))),
        "this line is indented too far, as the key above has a value already: "
        "indent it like the key that it belongs beside, or put a text of several lines behind '|'",
    )


def _describe_character(problem: str, here: Place, syntax: Syntax) -> str:
    if "'\\t'" in problem:
        before = _get_line(here, syntax)[: here[1]]
        if not before.strip():
            return "a tab cannot indent YAML: use spaces"
        return "a tab cannot stand between words and signs: use a space, or remove it"
    found = _CHARACTER.search(problem)
    character = found[1] if found else "?"
    return f"a text cannot start with '{character}': put it in quotes"


def _describe_escape(problem: str) -> str:
    if "hexadecimal" in problem:
        digits = re.search(r"sequence of (\d)", problem)
        letter = {"2": "x", "4": "u", "8": "U"}.get(digits[1] if digits else "", "x")
        return f"'\\{letter}' needs {digits[1] if digits else 2} hexadecimal digits behind it"
    found = _CHARACTER.search(problem)
    character = found[1] if found else "?"
    if len(character) == 1:
        return (
            f"'\\{character}' means nothing within double quotes: write '\\\\{character}', "
            "or use single quotes"
        )
    return "a '\\' within double quotes must be written '\\\\'; or use single quotes"


def _describe_block_scalar(problem: str) -> str:
    if "range 1-9" in problem:
        return "the number behind '|' or '>' counts spaces of indentation: from 1 to 9"
    return (
        "behind '|' or '>' the text starts in the next line: put a text that starts with "
        "one of them in quotes"
    )


def _describe_rest(here: Place, syntax: Syntax) -> str:
    character = _get_character(here, syntax)
    if character in ("]", "}"):
        return f"'{character}' closes nothing: remove it"
    if character == ":":
        return "a space is missing behind the ':'"
    return "nothing may stand behind the end of the document: remove this, or indent it"


def _describe_flow(problem: str, here: Place, start: Place, syntax: Syntax) -> tuple[Place, str]:
    found = _FOUND.search(problem)
    sign = found[1] if found else ""
    if syntax.opened:
        bracket, opened = syntax.opened[-1]
        closing = "]" if bracket == "[" else "}"
        if sign in ("<stream end>", "<document start>", "<document end>"):
            return opened, f"this '{bracket}' is never closed: write '{closing}' where it ends"
        if sign in ("]", "}") and sign != closing:
            return (
                here,
                f"'{sign}' closes nothing: the '{bracket}' of {_say(opened)} needs '{closing}'",
            )
    if sign in ("]", "}") and "node" in problem:
        return here, f"'{sign}' closes nothing: remove it, or put the text in quotes"
    if sign == "," and "node" in problem:
        if start == here or not syntax.opened:
            return here, "a value is missing before ',': remove the ',', or put the text in quotes"
        return here, "a value is missing before ',': remove one ','"
    before = _get_line(here, syntax)[: min(here[1], _MAX_KEY)]
    if sign == ":" and here[0] and _FIRST_KEY.fullmatch(before):
        above = here[0] - 1
        return (above, len(_get_line((above, 0), syntax))), (
            f"a ',' is missing at the end of this line: the bracket of {_say(start)} is open"
        )
    if sign == ":" and "node content" in problem:
        return here, "a key is missing: write a word before the ':'"
    if sign == "?":
        return here, "a text with '?' between brackets needs quotes"
    if "node content" in problem:
        return here, f"a value is missing before '{sign}': put a text in quotes"
    bracket = "[" if "sequence" in problem or "']'" in problem else "{"
    closing = "]" if bracket == "[" else "}"
    return here, (
        f"a ',' is missing here, or '{closing}' before it: the '{bracket}' of {_say(start)} is open"
    )


def _describe_block(problem: str, context: str, here: Place, start: Place, syntax: Syntax) -> str:
    found = _FOUND.search(problem)
    sign = found[1] if found else ""
    if sign in ("]", "}", ","):
        return f"'{sign}' belongs to no bracket: remove it, or put the text in quotes"
    line = _get_line(here, syntax)
    if sign in ("<scalar>", "[", "{", "<alias>", "<anchor>", "<tag>") and line[: here[1]].strip():
        if line[here[1] - 1] == "'" and "'" in line[here[1] :]:
            return (
                "a ' within single quotes must be written '': or use double quotes around the text"
            )
        return "more text behind the end of the value: put the whole text in quotes"
    if sign == ":":
        return "a key is missing: write a word before the ':'"
    if sign == "-":
        return (
            f"a list item stands among the keys of the mapping of {_say(start)}: "
            "indent it below its key, or remove the '- '"
        )
    if "collection" in context:
        return (
            f"this line is indented like the list of {_say(start)} but is no item of it: "
            "start it with '- ', or indent it differently"
        )
    if here[1] != start[1]:
        return _describe_indentation(here, syntax)
    return f"this is no key of the mapping of {_say(start)}: write 'key: value'"


def _describe_indentation(here: Place, syntax: Syntax) -> str:
    above = syntax.lines[max(0, here[0] - _MAX_LINES_ABOVE) : here[0]]
    if above and above[-1].isspace() and len(above[-1]) > here[1]:
        return "the blank line above has more spaces than this line: remove its spaces"
    indents = {here[1]}
    lowest = None
    for line in reversed(above):
        text = line.lstrip(" ")
        indent = len(line) - len(text)
        if text and not text.startswith("#") and (lowest is None or indent < lowest):
            lowest = indent
            indents.add(indent)
    indents.remove(here[1])
    fitting = " or ".join(str(indent) for indent in sorted(indents))
    return (
        f"this line is indented by {here[1]} spaces, which fits no line above: "
        f"indent it by {fitting or 0}"
    )


def _get_place(mark: Any) -> Place:
    return (0, 0) if mark is None else (mark.line, mark.column)


def _get_line(place: Place, syntax: Syntax) -> str:
    return syntax.lines[place[0]] if place[0] < len(syntax.lines) else ""


def _get_character(place: Place, syntax: Syntax) -> str:
    return _get_line(place, syntax)[place[1] : place[1] + 1]


def _say(place: Place) -> str:
    return f"line {place[0] + 1}, column {place[1] + 1}"


def _cut(text: str) -> str:
    return text if len(text) <= 30 else f"{text[:27]}..."
