"""Tables out of CSV and JSON files, with a type for each column."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from agent_factory.core.exceptions import ToolError
from agent_factory.integrations.tools.text import decode

__all__ = ["Column", "Table", "read_table"]

ColumnType: TypeAlias = Literal["INTEGER", "REAL", "TEXT"]
Value: TypeAlias = int | float | str | None

MAX_COLUMNS = 500
MAX_NAME = 60

# Numbers with leading zeros are codes, and what 64 bits cannot hold is kept as text.
_INTEGER = re.compile(r" *[+-]?(?:0|[1-9][0-9]{0,17}) *")
_REAL = re.compile(
    r" *[+-]?(?:(?:0|[1-9][0-9]{0,17})(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})? *"
)
_LARGEST = 1 << 63


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        name: Its name; no other column of the table has it in any case.
        type: ``INTEGER``, ``REAL`` or ``TEXT``: what all its values are.
    """

    name: str
    type: ColumnType


@dataclass(frozen=True, slots=True)
class Table:
    """A table in memory.

    Attributes:
        name: Its name: the name of its file without the ending, as an identifier.
        columns: Its columns, at least one.
        rows: Its rows, each with a value for each column.
    """

    name: str
    columns: tuple[Column, ...]
    rows: list[tuple[Value, ...]]


def read_table(path: str, content: bytes) -> Table:
    """Read a table from the bytes of a file.

    In a CSV file, the first row has the names, and the character between values is found out from it. JSON is an array of
    objects, or one object in each line. Empty values are NULL.

    Args:
        path: Path of the file: its ending says what it is, its name gives the table's.
        content: Its bytes.

    Raises:
        ToolError: It is no such table.
    """
    text = decode(path, content)
    ending = path.rpartition(".")[2].lower()
    if ending in ("json", "jsonl", "ndjson"):
        names, rows = _read_objects(path, text, ending)
    else:
        names, rows = _read_csv(path, text, ending)
    if not names:
        raise ToolError(f"{path!r} has no columns: it is empty")
    if len(names) > MAX_COLUMNS:
        raise ToolError(f"{path!r} has {len(names)} columns: at most {MAX_COLUMNS} are read")
    columns = []
    kept: list[list[Value]] = []
    for index, name in enumerate(_make_unique(names)):
        kind, values = _detect([row[index] for row in rows])
        columns.append(Column(name, kind))
        kept.append(values)
    return Table(_name_table(path), tuple(columns), list(zip(*kept, strict=True)))


def _read_csv(path: str, text: str, ending: str) -> tuple[list[str], list[list[Any]]]:
    delimiter = "\t" if ending == "tsv" else _find_delimiter(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[Any]] = []
    names: list[str] | None = None
    try:
        for fields in reader:
            if not fields:
                continue
            if names is None:
                names = [field.strip() for field in fields]
                continue
            if len(fields) > len(names):
                raise ToolError(
                    f"{path!r}, line {reader.line_num}: {len(fields)} values, and the first row names "
                    f"{len(names)} columns: correct the file"
                )
            rows.append([*fields, *[""] * (len(names) - len(fields))])
    except csv.Error as error:
        raise ToolError(f"{path!r}, line {reader.line_num}: no valid CSV: {error}") from None
    return names or [], rows


def _find_delimiter(text: str) -> str:
    """Return the most frequent separator of the first line, outside of quotation marks."""
    first = text.lstrip().partition("\n")[0]
    bare = re.sub(r'"[^"]*"', "", first)
    return max(",;\t|", key=bare.count)


def _read_objects(path: str, text: str, ending: str) -> tuple[list[str], list[list[Any]]]:
    objects = _parse(path, text, ending)
    names: dict[str, None] = {}
    for number, item in enumerate(objects, 1):
        if not isinstance(item, dict):
            raise ToolError(
                f"{path!r}: entry {number} is no JSON object, so it is no row of a table"
            )
        names.update(dict.fromkeys(item))
        if len(names) > MAX_COLUMNS:
            raise ToolError(f"{path!r} has more than {MAX_COLUMNS} keys: that is no table")
    return list(names), [[item.get(name) for name in names] for item in objects]


def _parse(path: str, text: str, ending: str) -> list[Any]:
    if ending == "json":
        found = _load(path, text)
        return found if isinstance(found, list) else [found]
    lines = enumerate(text.split("\n"), 1)
    return [_load(f"{path}:{number}", line) for number, line in lines if line.strip()]


def _load(place: str, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        reason = "nested too deep" if isinstance(error, RecursionError) else str(error)
        raise ToolError(f"{place!r}: no valid JSON: {reason}") from None


def _make_unique(names: list[str]) -> list[str]:
    """Return names that differ in any case, none of them empty."""
    taken: set[str] = set()
    unique = []
    for index, given in enumerate(names, 1):
        base = "".join(c if c.isprintable() else "_" for c in given)[:MAX_NAME] or f"column_{index}"
        name, number = base, 1
        while name.lower() in taken:
            number += 1
            name = f"{base}_{number}"
        taken.add(name.lower())
        unique.append(name)
    return unique


def _detect(values: list[Any]) -> tuple[ColumnType, list[Value]]:
    """Return the narrowest type that all values of a column have, and the values in it."""
    plain = [
        _make_plain(value) if value.__class__ is not str else value or None for value in values
    ]
    if any(value is not None for value in plain):
        for kind, convert in _CONVERTERS:
            converted = _convert_all(plain, convert)
            if converted is not None:
                return kind, converted
    return "TEXT", [None if value is None else _clean(str(value)) for value in plain]


def _convert_all(values: list[Value], convert: Callable[[Value], Value]) -> list[Value] | None:
    converted: list[Value] = []
    for value in values:
        found = None if value is None else convert(value)
        if found is None and value is not None:
            return None
        converted.append(found)
    return converted


def _make_plain(value: Any) -> Value:
    if isinstance(value, bool):
        return int(value)
    if value is None or isinstance(value, (int, float)):
        return value
    return json.dumps(value, ensure_ascii=True)


def _clean(text: str) -> str:
    # JSON can hold halves of characters, which SQLite cannot.
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _to_integer(value: Value) -> int | None:
    if isinstance(value, str):
        return int(value) if _INTEGER.fullmatch(value) else None
    if isinstance(value, int) and -_LARGEST <= value < _LARGEST:
        return value
    return None


def _to_real(value: Value) -> float | None:
    if isinstance(value, str):
        if not _REAL.fullmatch(value):
            return None
        number = float(value)
    elif isinstance(value, (int, float)) and abs(value) < _LARGEST:
        number = float(value)
    else:
        return None
    return number if math.isfinite(number) else None


_CONVERTERS: tuple[tuple[ColumnType, Callable[[Value], Value]], ...] = (
    ("INTEGER", _to_integer),
    ("REAL", _to_real),
)


def _name_table(path: str) -> str:
    stem = path.rpartition("/")[2].rpartition(".")[0] or "data"
    name = re.sub(r"\W+", "_", stem).strip("_")[:MAX_NAME] or "data"
    return f"t_{name}" if name[0].isdigit() or name.lower().startswith("sqlite_") else name
