"""What to look for in a line: a literal text, or a regular expression that no text can make slow."""

from __future__ import annotations

from typing import Annotated, Protocol

from agent_factory.integrations.tools.patterns import PatternError

__all__ = ["LinearExpression", "LiteralText", "Matcher"]

MAX_EXPRESSION = 500


class Matcher(Protocol):
    """Looks for something in a line."""

    def find(self, line: str) -> int | None:
        """Return where it stands, or None; 0 where only that it is there is known.

        Args:
            line: Text without ends of lines.
        """
        ...


class LiteralText:
    """Looks for a text as it is written.

    Args:
        text: The text; not empty.
        ignore_case: Whether upper and lower case are the same.

    Raises:
        PatternError: The text is empty, too long, or has an end of line in it.
    """

    __slots__ = ("_ignore_case", "_text")

    def __init__(self, text: str, *, ignore_case: bool = False) -> None:
        _check(text)
        self._ignore_case = ignore_case
        self._text = text.casefold() if ignore_case else text

    def find(self, line: str) -> int | None:
        """Return where the text begins, or None.

        Args:
            line: Text without ends of lines.
        """
        place = (line.casefold() if self._ignore_case else line).find(self._text)
        return None if place < 0 else place


class LinearExpression:
    """Looks for a regular expression in a time in proportion to the line.

    It runs on the engine that pydantic has for patterns, which never goes back in a text; look-around and backreferences do
    not exist in it.

    Args:
        pattern: The expression.
        ignore_case: Whether upper and lower case are the same.

    Raises:
        PatternError: The expression cannot be used.
    """

    __slots__ = ("_matches",)

    def __init__(self, pattern: str, *, ignore_case: bool = False) -> None:
        from pydantic import ConfigDict, StringConstraints, TypeAdapter, ValidationError
        from pydantic_core import SchemaError

        _check(pattern)
        written = f"(?i){pattern}" if ignore_case else pattern
        try:
            adapter: TypeAdapter[str] = TypeAdapter(
                Annotated[str, StringConstraints(pattern=written)],
                config=ConfigDict(regex_engine="rust-regex"),
            )
        except SchemaError as error:
            raise PatternError(
                f"the expression {pattern!r} cannot be used: {str(error).splitlines()[-1]}; look-around and "
                "backreferences are not supported"
            ) from None

        def matches(line: str) -> bool:
            try:
                adapter.validate_python(line)
            except ValidationError:
                return False
            return True

        self._matches = matches

    def find(self, line: str) -> int | None:
        """Return 0 where the expression matches anywhere in a line, else None.

        Args:
            line: Text without ends of lines.
        """
        return 0 if self._matches(line) else None


def _check(pattern: str) -> None:
    if not pattern:
        raise PatternError("there is nothing to look for: give a text or an expression")
    if len(pattern) > MAX_EXPRESSION:
        raise PatternError(
            f"what to look for has {len(pattern)} characters: at most {MAX_EXPRESSION} are allowed"
        )
    if "\n" in pattern:
        raise PatternError(
            "lines are searched one by one: leave the end of line out of the pattern"
        )
    try:
        pattern.encode()
    except UnicodeEncodeError:
        raise PatternError("what to look for has half a character in it") from None
