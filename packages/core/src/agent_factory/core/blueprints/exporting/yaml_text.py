"""Plain data written as YAML that people like to read and that the strict reader of blueprints takes for the same data."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from agent_factory.core.blueprints.document import MAX_BYTES, MAX_DEPTH, MAX_VALUES
from agent_factory.core.blueprints.exporting.texts import write_block, write_key, write_line
from agent_factory.core.blueprints.scalars import MAX_DIGITS
from agent_factory.core.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agent_factory.core.blueprints.document import Path

__all__ = ["write_yaml"]

_INDENT = "  "
_MAX_LINE = 100
# YAML looks no further than this for the colon behind a key.
_MAX_KEY = 1000


def write_yaml(data: Mapping[str, Any]) -> str:
    """Return data as the text of a YAML file.

    Args:
        data: The data: mappings with texts as keys, lists, texts, numbers, truth values and None.

    Raises:
        ConfigurationError: A value is something else, or beyond what may stand in a blueprint: a number of too many digits, a
            text with half of a character, too many levels, values or bytes.
    """
    writer = _Writer()
    lines = writer.write_mapping(data, ())
    text = "\n".join(lines) + "\n"
    size = len(text.encode())
    if writer.count > MAX_VALUES or size > MAX_BYTES:
        raise ConfigurationError(
            f"the blueprint has {writer.count:,} values and {size:,} bytes; at most {MAX_VALUES:,} and {MAX_BYTES:,} can be "
            "read: put its prompts and evals into files of their own"
        )
    return text


class _Writer:
    def __init__(self) -> None:
        self.count = 1

    def write_mapping(self, data: Mapping[str, Any], path: Path) -> list[str]:
        lines: list[str] = []
        for key, value in data.items():
            given: object = key
            if not isinstance(given, str):
                raise _refuse((*path, str(key)), f"has a key that is no text: {key!r}")
            written = self._try(write_key, key, path)
            head = f"{written}:" if len(written) <= _MAX_KEY else f"? {written}\n:"
            first, rest = self._write(value, (*path, key))
            lines += [*(f"{head} {first}" if first else head).split("\n"), *rest]
        return lines

    def _write_list(self, items: Sequence[Any], path: Path) -> list[str]:
        lines: list[str] = []
        for index, item in enumerate(items):
            first, rest = self._write(item, (*path, index))
            if first:
                lines += [f"- {first}", *rest]
            else:
                # The first line of a list or mapping stands behind the dash.
                lines += [f"- {rest[0].removeprefix(_INDENT)}", *rest[1:]]
        return lines

    def _write(self, value: Any, path: Path) -> tuple[str, list[str]]:
        """Return a value as what stands behind its key or dash, and the lines that follow."""
        self.count += 1
        if len(path) > MAX_DEPTH:
            raise _refuse(
                path[:4], f"is nested deeper than {MAX_DEPTH} levels, which cannot be read"
            )
        if isinstance(value, dict):
            return self._indent(self.write_mapping(value, path), "{}")
        if isinstance(value, (list, tuple)):
            short = self._write_short(value, path)
            if short is not None:
                self.count += len(value)
                return short, []
            return self._indent(self._write_list(value, path), "[]")
        if isinstance(value, str):
            block = self._try(write_block, value, path)
            if block is not None:
                return block[0], [_INDENT + line if line else "" for line in block[1]]
        return self._write_scalar(value, path), []

    @staticmethod
    def _indent(lines: list[str], empty: str) -> tuple[str, list[str]]:
        if not lines:
            return empty, []
        return "", [_INDENT + line if line else "" for line in lines]

    def _write_short(self, items: Sequence[Any], path: Path) -> str | None:
        """Return a list of words and numbers in one line, if it fits."""
        if not items or len(path) >= MAX_DEPTH or isinstance(path[-1], int):
            return None
        parts: list[str] = []
        for index, item in enumerate(items):
            if isinstance(item, (dict, list, tuple)) or (isinstance(item, str) and "\n" in item):
                return None
            parts.append(self._write_scalar(item, (*path, index), within_list=True))
        line = f"[{', '.join(parts)}]"
        width = len(_INDENT) * len(path) + len(str(path[-1])) + len(line)
        return line if width <= _MAX_LINE else None

    def _write_scalar(self, value: Any, path: Path, *, within_list: bool = False) -> str:
        if value is None:
            return "null"
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int):
            if len(str(abs(value))) > MAX_DIGITS:
                raise _refuse(path, f"has more than {MAX_DIGITS} digits, which cannot be read")
            return str(value)
        if isinstance(value, float):
            if not math.isfinite(value):
                raise _refuse(path, "is no finite number")
            return repr(value)
        if isinstance(value, str):
            try:
                return write_line(value, within_list=within_list)
            except ConfigurationError as error:
                raise _refuse(path, f"cannot be written: {error.message}") from None
        raise _refuse(path, f"is {type(value).__name__}, and no plain data")

    @staticmethod
    def _try(write: Any, text: str, path: Path) -> Any:
        try:
            return write(text)
        except ConfigurationError as error:
            raise _refuse(path, f"cannot be written: {error.message}") from None


def _refuse(path: Path, reason: str) -> ConfigurationError:
    place = ".".join(
        ascii(item).strip("'") if isinstance(item, str) else str(item) for item in path
    )
    return ConfigurationError(f"{place or 'the blueprint'} {reason}")
