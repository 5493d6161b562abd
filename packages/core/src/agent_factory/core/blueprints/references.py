"""References in the texts of a blueprint: lookups of names in plain data, and nothing that could be computed.

``{{input.topic}}`` stands for a value: names and positions in lists, joined by dots. A text that is one reference and
nothing else has the value itself; in any other text the value is written out, texts as they are and everything else as
compact JSON. ``{{{{`` stands for ``{{``. There are no functions, no operators and no attributes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeAlias

from pydantic_core import to_json

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.problems import cut
from agent_factory.core.suggestions import describe_choices

__all__ = [
    "MAX_CHARS",
    "MAX_REFERENCES",
    "DataTemplate",
    "Path",
    "Reference",
    "Template",
    "measure",
    "to_text",
]

MAX_CHARS = 1_000_000
"""Characters that a text, or the values in one piece of data, may have once references are replaced."""

MAX_REFERENCES = 200
"""References in one text, or in one piece of data."""

_MAX_REFERENCE = 200
_MAX_LEVELS = 32
_SHOWN_KEYS = 50
_PATTERN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*(\.([A-Za-z_][A-Za-z0-9_-]*|[0-9]{1,9}))*")

Path: TypeAlias = tuple[str | int, ...]
"""The keys and positions that lead to a value."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A value named by where it is.

    Attributes:
        parts: The names and positions that lead to it, at least one: a name of the scope comes first.
    """

    parts: tuple[str, ...]

    def __str__(self) -> str:
        return "{{" + ".".join(self.parts) + "}}"

    def find(self, scope: Mapping[str, Any]) -> Any:
        """Return the value.

        Args:
            scope: The values by the names that references begin with.

        Raises:
            ConfigurationError: There is no such value; the message says what is there instead.
        """
        value: Any = scope
        for index, part in enumerate(self.parts):
            if isinstance(value, Mapping) and part in value:
                value = value[part]
            elif isinstance(value, (list, tuple)) and part.isdigit() and int(part) < len(value):
                value = value[int(part)]
            else:
                raise ConfigurationError(f"{self}: {self._explain(value, index)}")
        return value

    def _explain(self, value: Any, index: int) -> str:
        part, place = self.parts[index], ".".join(self.parts[:index])
        where = f" in {place!r}" if place else ""
        if isinstance(value, Mapping):
            # Keys may come from outside: neither all of them nor any length of them.
            keys = [cut(str(key)) for key in islice(value, _SHOWN_KEYS)]
            return f"there is no {part!r}{where}: {describe_choices(part, keys)}"
        if isinstance(value, (list, tuple)):
            if part.isdigit():
                return f"{place!r} has {len(value)} items, counted from 0"
            return f"{place!r} is a list: name a position such as '{place}.0', not {part!r}"
        return f"{place!r} is {_describe(value)}, which has no {part!r}"


@dataclass(frozen=True, slots=True)
class Template:
    """A text with references, parsed once. Made by `Template.parse`.

    Attributes:
        text: The text as it was written.
        parts: The pieces of it, with references in their places.
    """

    text: str
    parts: tuple[str | Reference, ...]

    @classmethod
    def parse(cls, text: str) -> Template:
        """Find the references in a text, in time that is linear in its length.

        Args:
            text: The text.

        Raises:
            ConfigurationError: A reference is malformed, or there are more than `MAX_REFERENCES`.
        """
        parts: list[str | Reference] = []
        literal: list[str] = []
        position = count = 0
        while (start := text.find("{{", position)) >= 0:
            literal.append(text[position:start])
            if text.startswith("{{{{", start):
                literal.append("{{")
                position = start + 4
                continue
            end = text.find("}}", start + 2, start + 2 + _MAX_REFERENCE)
            written = text[start + 2 : end].strip() if end >= 0 else ""
            if not _PATTERN.fullmatch(written):
                raise _refuse(text, start, end)
            count += 1
            if count > MAX_REFERENCES:
                raise ConfigurationError(f"more than {MAX_REFERENCES} references in one text")
            if piece := "".join(literal):
                parts.append(piece)
            literal = []
            parts.append(Reference(tuple(written.split("."))))
            position = end + 2
        if piece := "".join((*literal, text[position:])):
            parts.append(piece)
        return cls(text, tuple(parts))

    @property
    def references(self) -> tuple[Reference, ...]:
        """The references, each once, in the order of the text."""
        return tuple(dict.fromkeys(part for part in self.parts if isinstance(part, Reference)))

    @property
    def is_reference(self) -> bool:
        """Whether the text is one reference and nothing else."""
        return len(self.parts) == 1 and isinstance(self.parts[0], Reference)

    def render(self, scope: Mapping[str, Any]) -> Any:
        """Return the text with values in place of its references.

        Args:
            scope: Plain data by the names that references begin with.

        Returns:
            The value itself where the text is one reference and nothing else, else a text.

        Raises:
            ConfigurationError: A value does not exist or cannot be written as JSON, or the text would have more than
                `MAX_CHARS` characters.
        """
        first = self.parts[0] if self.parts else ""
        if len(self.parts) == 1 and isinstance(first, Reference):
            return first.find(scope)
        written: dict[Reference, str] = {}
        pieces: list[str] = []
        left = MAX_CHARS
        for part in self.parts:
            if isinstance(part, str):
                piece = part
            else:
                if part not in written:
                    written[part] = _write(part.find(scope), left, part)
                piece = written[part]
            left -= len(piece)
            if left < 0:
                raise _too_long(part)
            pieces.append(piece)
        return "".join(pieces)


@dataclass(frozen=True, slots=True)
class DataTemplate:
    """Plain data whose texts may have references. Made by `DataTemplate.parse`.

    Attributes:
        value: The data with a `Template` in place of each text that has a reference or an escape.
        templates: Those templates, with the keys and positions that lead to them.
    """

    value: Any
    templates: tuple[tuple[Path, Template], ...]

    @classmethod
    def parse(cls, value: Any) -> DataTemplate:
        """Find the references in the texts of plain data. Keys are taken as they are.

        Args:
            value: Texts, numbers, true, false, nothing, and lists and mappings of such.

        Raises:
            ConfigurationError: A reference is malformed, there are more than `MAX_REFERENCES`, or the data is nested too
                deep; ``details["path"]`` has the keys and positions that lead there.
        """
        found: list[tuple[Path, Template]] = []
        made = _parse(value, (), found)
        if sum(len(template.references) for _, template in found) > MAX_REFERENCES:
            raise ConfigurationError(f"more than {MAX_REFERENCES} references in one value")
        return cls(made, tuple(found))

    @property
    def references(self) -> tuple[tuple[Path, Reference], ...]:
        """The references, with the keys and positions that lead to their texts."""
        return tuple(
            (path, reference)
            for path, template in self.templates
            for reference in template.references
        )

    def render(self, scope: Mapping[str, Any]) -> Any:
        """Return the data with values in place of its references; see `Template.render`.

        Args:
            scope: Plain data by the names that references begin with.

        Raises:
            ConfigurationError: As `Template.render`; `MAX_CHARS` bounds all of its values together.
        """
        left = MAX_CHARS
        made: dict[int, Any] = {}
        for _, template in self.templates:
            value = template.render(scope)
            left -= measure(value, left)
            if left < 0:
                raise _too_long(template.text)
            made[id(template)] = value
        return _fill(self.value, made)


def to_text(value: Any) -> str:
    """Return a value as it stands in a text: a text as it is, everything else as compact JSON.

    Args:
        value: Plain data.

    Raises:
        ConfigurationError: It cannot be written as JSON, or has more than `MAX_CHARS` characters.
    """
    return _write(value, MAX_CHARS, "the value")


def measure(value: Any, most: int) -> int:
    """Return about how many characters a value has as JSON, without writing it.

    Args:
        value: Plain data.
        most: From where on it does not matter how many more there are; the work is bounded by it.
    """
    size, waiting = 0, [value]
    while waiting and size <= most:
        item = waiting.pop()
        if isinstance(item, str):
            size += len(item) + 2
        elif isinstance(item, Mapping):
            size += 2 + sum(
                len(key) + 4 if isinstance(key, str) else 8 for key in islice(item, most)
            )
            waiting.extend(islice(item.values(), most))
        elif isinstance(item, (list, tuple)):
            size += 2 + len(item)
            waiting.extend(islice(item, most))
        else:
            size += 8 + (item.bit_length() // 3 if isinstance(item, int) else 0)
    return size


def _write(value: Any, most: int, what: Reference | str) -> str:
    if isinstance(value, str):
        if len(value) > most:
            raise _too_long(what)
        return value
    if measure(value, most) > most:
        raise _too_long(what)
    try:
        return to_json(value, inf_nan_mode="strings").decode()
    except ValueError as error:  # which quotes no value
        raise ConfigurationError(f"{what} cannot be written as JSON: {error}") from error


def _parse(value: Any, path: Path, found: list[tuple[Path, Template]]) -> Any:
    if len(path) > _MAX_LEVELS:
        raise ConfigurationError(
            f"nested deeper than {_MAX_LEVELS} levels", details={"path": list(path)}
        )
    if isinstance(value, str):
        try:
            template = Template.parse(value)
        except ConfigurationError as error:
            raise ConfigurationError(error.message, details={"path": list(path)}) from None
        if template.parts in ((value,), ()):
            return value
        found.append((path, template))
        return template
    if isinstance(value, Mapping):
        return {key: _parse(item, (*path, key), found) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_parse(item, (*path, index), found) for index, item in enumerate(value)]
    return value


def _fill(value: Any, made: Mapping[int, Any]) -> Any:
    if isinstance(value, Template):
        return made[id(value)]
    if isinstance(value, dict):
        return {key: _fill(item, made) for key, item in value.items()}
    if isinstance(value, list):
        return [_fill(item, made) for item in value]
    return value


def _refuse(text: str, start: int, end: int) -> ConfigurationError:
    line = text.count("\n", 0, start) + 1
    column = start - text.rfind("\n", 0, start)
    place = f"in line {line}, column {column} of the text" if line > 1 else f"at character {column}"
    if end < 0:
        wrong = (
            f"the reference that begins {place} has no '}}}}' within {_MAX_REFERENCE} characters"
        )
    else:
        wrong = f"{cut(text[start : end + 2])!r} {place} is no reference"
    return ConfigurationError(
        f"{wrong}: a reference is names joined by dots, such as '{{{{input.topic}}}}'; write '{{{{{{{{' for '{{{{' itself"
    )


def _too_long(what: Reference | str) -> ConfigurationError:
    shown = what if isinstance(what, Reference) else repr(cut(what))
    return ConfigurationError(f"more than {MAX_CHARS:,} characters with {shown}: pass on less")


def _describe(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true or false"
    return {str: "a text", int: "a number", float: "a number"}.get(
        type(value), type(value).__name__
    )
