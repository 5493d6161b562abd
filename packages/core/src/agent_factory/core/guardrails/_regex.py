"""Regular expressions that no text can make slow."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import ConfigDict, StringConstraints, TypeAdapter, ValidationError
from pydantic_core import SchemaError

from agent_factory.core.exceptions import ConfigurationError

__all__ = ["BoundedPattern", "LinearPattern"]

MAX_WAYS = 1000
MAX_SPAN = 1000

_QUANTIFIER = re.compile(r"(?P<sign>[*+?])|\{(?P<low>\d*)(?P<comma>,?)(?P<high>\d*)\}")
_GROUP = re.compile(r"\((?:\?(?:P<\w+>|(?P<flags>[a-zA-Z-]*)(?P<end>[:)])))?")


class LinearPattern:
    """A regular expression that is searched for in a time in proportion to the text.

    It runs on the engine that pydantic has for patterns, which never goes back in a text; look-around and backreferences do not
    exist in it.

    Args:
        pattern: The expression.
        name: Name of the guardrail, for the message.

    Raises:
        ConfigurationError: The expression cannot be used.
    """

    __slots__ = ("_adapter",)

    def __init__(self, pattern: str, *, name: str) -> None:
        try:
            self._adapter: TypeAdapter[str] = TypeAdapter(
                Annotated[str, StringConstraints(pattern=pattern)],
                config=ConfigDict(regex_engine="rust-regex"),
            )
        except SchemaError as error:
            raise ConfigurationError(
                f"guardrail {name!r}: the pattern {pattern!r} cannot be used: {str(error).splitlines()[-1]}; "
                "look-around and backreferences are not supported, since no time limit holds for them"
            ) from None

    def search(self, text: str) -> bool:
        """Return whether the expression matches anywhere in a text.

        Args:
            text: Any text.
        """
        if not text.isascii():
            # JSON can hold halves of characters, which no encoding has.
            text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        try:
            self._adapter.validate_python(text)
        except ValidationError:
            return False
        return True


class BoundedPattern:
    """A regular expression whose matches can be replaced, with a bound on the work at each place of a text.

    The `re` of Python goes back in a text. So every repeat needs an upper bound, and the ways in which the expression may match
    at one place are counted: there may be 1,000 at most.

    Args:
        pattern: The expression.
        name: Name of the guardrail, for the message.

    Raises:
        ConfigurationError: The expression cannot be used.
    """

    __slots__ = ("_compiled",)

    def __init__(self, pattern: str, *, name: str) -> None:
        try:
            ways, span = _Counter(pattern).count()
            if ways > MAX_WAYS or span > MAX_SPAN:
                raise ValueError(
                    f"it may match in {min(ways, 10**9)} ways and over {min(span, 10**9)} characters, and {MAX_WAYS} ways and "
                    f"{MAX_SPAN} characters are allowed: give its repeats smaller bounds"
                )
            self._compiled = re.compile(pattern)
        except (ValueError, re.error, RecursionError) as error:
            raise ConfigurationError(
                f"guardrail {name!r}: matches of the pattern {pattern!r} cannot be replaced safely: {error}; "
                "action 'block' takes every pattern without look-around and backreferences"
            ) from None

    def replace(self, text: str, replacement: str) -> str:
        """Return a text with something else in place of each match.

        Args:
            text: Any text.
            replacement: The other text, literally.
        """
        return self._compiled.sub(lambda _: replacement, text)


class _Counter:
    """Counts in how many ways an expression may match at one place, and how many characters at most.

    What it does not understand, it refuses.
    """

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._place = 0

    def count(self) -> tuple[int, int]:
        """Return the two numbers for the whole expression; once they are far too large, they are not exact."""
        result = self._alternatives()
        if self._place < len(self._pattern):
            raise ValueError("there is a parenthesis too many")
        return result

    def _peek(self) -> str:
        return self._pattern[self._place : self._place + 1]

    def _alternatives(self) -> tuple[int, int]:
        ways, span = self._sequence()
        while self._peek() == "|":
            self._place += 1
            more, longer = self._sequence()
            ways, span = ways + more, max(span, longer)
        return ways, span

    def _sequence(self) -> tuple[int, int]:
        ways, span = 1, 0
        while self._peek() not in ("", "|", ")"):
            more, longer = self._repeated()
            ways, span = min(ways * more, 10**12), min(span + longer, 10**12)
        return ways, span

    def _repeated(self) -> tuple[int, int]:
        ways, span = self._atom()
        match = _QUANTIFIER.match(self._pattern, self._place)
        if match is None:
            return ways, span
        self._place = match.end()
        if match["sign"] in ("*", "+") or (match["comma"] and not match["high"]):
            raise ValueError(
                f"the repeat {match[0]!r} has no upper bound: write {{0,50}} or {{1,50}} instead"
            )
        low = 0 if match["sign"] else int(match["low"] or 0)
        high = 1 if match["sign"] else int(match["high"] or match["low"] or 0)
        if self._peek() == "?":
            self._place += 1
        if _QUANTIFIER.match(self._pattern, self._place):
            raise ValueError("a repeat of a repeat needs a group")
        if not low <= high <= MAX_SPAN:
            raise ValueError(
                f"the bounds of the repeat {match[0]!r} are too large, or the wrong way round"
            )
        total = (
            high - low + 1 if ways == 1 else sum(min(ways**n, 10**12) for n in range(low, high + 1))
        )
        return min(total, 10**12), min(span * high, 10**12)

    def _atom(self) -> tuple[int, int]:
        start = self._peek()
        if start == "(":
            return self._group()
        if start == "[":
            self._class()
        elif start == "\\":
            escape = re.compile(
                r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|[^0-9xuUNpPkgzGRXKQEC])", re.DOTALL
            )
            match = escape.match(self._pattern, self._place)
            if match is None:
                raise ValueError(f"the escape at {self._place} is not understood")
            self._place = match.end()
        elif _QUANTIFIER.match(self._pattern, self._place):
            raise ValueError("a repeat has nothing to repeat")
        else:
            self._place += 1
        return 1, 1

    def _group(self) -> tuple[int, int]:
        match = _GROUP.match(self._pattern, self._place)
        if match is None or (self._pattern.startswith("?", match.end())):
            raise ValueError(f"the group at {self._place} is not understood")
        if "x" in (match["flags"] or ""):
            raise ValueError("the flag x is not supported")
        self._place = match.end()
        if match["end"] == ")":
            return 1, 0
        result = self._alternatives()
        if self._peek() != ")":
            raise ValueError("a parenthesis is missing")
        self._place += 1
        return result

    def _class(self) -> None:
        match = re.compile(r"\[\^?\]?(?:[^\]\[\\]|\\.)*\]", re.DOTALL).match(
            self._pattern, self._place
        )
        if match is None:
            raise ValueError(f"the character class at {self._place} is not understood")
        self._place = match.end()
