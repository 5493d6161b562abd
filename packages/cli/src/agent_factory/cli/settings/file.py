"""Reading the settings file, and telling everything that is wrong with it at its place."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from agent_factory.cli.exceptions import SettingsError
from agent_factory.cli.settings.tree import FileSettings
from agent_factory.core.source import Location, Problem
from agent_factory.core.suggestions import describe_choices

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["SettingsFile", "check_text", "read_file"]

MAX_BYTES = 1 << 20

_PLACE = re.compile(r" \(at line (\d+), column (\d+)\)$")
_SECRET_KEY = re.compile(
    r"(api|access|private|secret)[_-]?key|token|secret|passw|credential|^key$", re.I
)
_SECRET_VALUE = re.compile(r"^(sk-|ghp_|github_pat_|xox[a-z]-|AKIA)|://[^/@\s]*@")


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """A settings file.

    Attributes:
        path: Where it is.
        exists: Whether it is there.
        values: What it says, checked.
    """

    path: Path
    exists: bool
    values: dict[str, Any] = field(default_factory=dict)


def read_file(path: Path, *, required: bool = False) -> SettingsFile:
    """Read and check the settings file.

    Args:
        path: Where it is.
        required: Whether it must be there.

    Raises:
        SettingsError: It cannot be read, or says something that cannot be used; it has every problem.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        if required:
            raise SettingsError(
                f"there is no file {path}, which AGENT_FACTORY_CONFIG names: create it or change the variable"
            ) from None
        return SettingsFile(path, exists=False)
    except OSError as error:
        raise SettingsError(f"the settings file {path} cannot be read: {error.strerror}") from error
    if len(content) > MAX_BYTES:
        raise SettingsError(f"the settings file {path} is larger than {MAX_BYTES:,} bytes")
    return SettingsFile(path, exists=True, values=check_text(content, str(path)))


def check_text(content: bytes, name: str) -> dict[str, Any]:
    """Return what a settings file says.

    Args:
        content: Its bytes.
        name: Its name for messages.

    Raises:
        SettingsError: It is no TOML, or says something that cannot be used. No message has a value of the file.
    """
    try:
        text = content.decode()
        values = tomllib.loads(text)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        column = error.start - content.rfind(b"\n", 0, error.start)
        raise _refuse(name, [Problem(Location(name, line, column), "this is not UTF-8")]) from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise _refuse(name, [_explain_syntax(str(error), content.decode(), name)]) from None
    problems = _find_secrets(values, text, name, ())
    try:
        FileSettings(**values)
    except ValidationError as error:
        known = {(item.location.line, item.location.column) for item in problems}
        for item in error.errors(include_url=False, include_input=False, include_context=False):
            problem = _explain(item["loc"], item["type"], item["msg"], text, name)
            if (problem.location.line, problem.location.column) not in known:
                problems.append(problem)
    if problems:
        problems.sort(key=lambda item: (item.location.line, item.location.column))
        raise _refuse(name, problems)
    return values


def _refuse(name: str, problems: list[Problem]) -> SettingsError:
    number = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    return SettingsError(f"the settings file {name} has {number}", problems=problems)


def _explain_syntax(message: str, text: str, name: str) -> Problem:
    match = _PLACE.search(message)
    if match is not None:
        location = Location(name, int(match[1]), int(match[2]))
    else:
        lines = text.splitlines() or [""]
        location = Location(name, len(lines), len(lines[-1]) + 1)
    said = _PLACE.sub("", message).removesuffix(" (at end of document)")
    return Problem(location, f"this is no TOML: {said[:1].lower()}{said[1:]}")


def _find_secrets(
    values: dict[str, Any], text: str, name: str, path: tuple[str, ...]
) -> list[Problem]:
    problems: list[Problem] = []
    for key, value in values.items():
        here = (*path, key)
        # The name of a model may be anything.
        is_secret = bool(_SECRET_KEY.search(key)) and path != ("prices",)
        if isinstance(value, dict) and not is_secret:
            problems += _find_secrets(value, text, name, here)
        elif is_secret or (isinstance(value, str) and _SECRET_VALUE.search(value)):
            problems.append(
                Problem(
                    _locate(text, here, name),
                    f"{'.'.join(here)} looks like a secret, which has no place in a file: take it out, and set an "
                    "environment variable such as OPENAI_API_KEY",
                )
            )
    return problems


def _explain(loc: tuple[int | str, ...], kind: str, message: str, text: str, name: str) -> Problem:
    path = tuple(str(part) for part in loc if part != "[key]")
    location = _locate(text, path, name)
    place = ".".join(path)
    if kind == "extra_forbidden":
        return Problem(
            location, f"unknown key {place!r}: {describe_choices(path[-1], _list_keys(path[:-1]))}"
        )
    if kind == "missing":
        return Problem(location, f"the key {place!r} is missing")
    if kind == "string_pattern_mismatch" and path[0] == "prices":
        message = 'must be an amount with at most 6 decimals, such as "1.25"'
    elif kind == "string_type" and path[0] == "prices":
        message = 'must be an amount in quotes, such as "1.25"'
    elif kind == "string_pattern_mismatch":
        message = "must be an address such as http://127.0.0.1:8000/v1"
    return Problem(location, f"{place}: {message[:1].lower()}{message[1:]}")


def _list_keys(path: tuple[str, ...]) -> list[str]:
    model: Any = FileSettings
    for part in path:
        fields = getattr(model, "model_fields", {})
        if part not in fields:  # the name of a model under prices
            continue
        model = fields[part].annotation
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            from agent_factory.cli.settings.tree import PriceSettings

            model = PriceSettings
    # Never advised: it is refused in a file.
    return [key for key in model.model_fields if key != "api_key"]


def _locate(text: str, path: tuple[str, ...], name: str) -> Location:
    """Return where in the text a key stands, or the closest one around it; as exact as lines can be read alone."""
    table: tuple[str, ...] = ()
    best, length = Location(name, 1, 1), 0
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if stripped.startswith("["):
            keys = table = _read_keys(stripped.partition("#")[0].strip().strip("[]"))
        elif "=" in stripped and not stripped.startswith("#"):
            keys = (*table, *_read_keys(stripped.partition("=")[0]))
        else:
            continue
        if length < len(keys) <= len(path) and keys == path[: len(keys)]:
            best, length = Location(name, number, len(line) - len(line.lstrip()) + 1), len(keys)
    return best


def _read_keys(text: str) -> tuple[str, ...]:
    try:
        value: Any = tomllib.loads(f"{text} = 0")
    except tomllib.TOMLDecodeError:
        return ()
    keys = []
    while isinstance(value, dict):
        key, value = next(iter(value.items()))
        keys.append(key)
    return tuple(keys)
