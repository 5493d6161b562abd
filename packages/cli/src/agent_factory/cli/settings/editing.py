"""Changing the settings file, comments and layout kept."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import Any

from agent_factory.cli.exceptions import SettingsError, UsageError
from agent_factory.cli.settings.file import check_text, read_file
from agent_factory.core.suggestions import describe_choices

__all__ = ["KEYS", "parse_key", "set_value", "unset_value"]

KEYS = ("model", "color", "openai.base_url", "runs.keep.number", "runs.keep.days", "prices.MODEL")
"""What can be set in the file."""

_NUMBERS = ("runs.keep.number", "runs.keep.days")


def parse_key(key: str) -> tuple[str, ...]:
    """Return the path of a setting.

    Args:
        key: One of `KEYS`, with the name of a model after ``prices.``.

    Raises:
        UsageError: There is no such setting, or it is one that belongs into the environment.
    """
    if key.startswith("prices.") and len(key) > len("prices."):
        return "prices", key.removeprefix("prices.").strip("\"'")
    if key == "openai.api_key":
        raise UsageError(
            "keys are never kept in a file: set the environment variable OPENAI_API_KEY"
        )
    if key not in KEYS or key == "prices.MODEL":
        raise UsageError(f"there is no setting {key!r}: {describe_choices(key, KEYS)}")
    return tuple(key.split("."))


def set_value(file: Path, key: str, text: str) -> None:
    """Set a value in the settings file, which is created where there is none.

    Args:
        file: The settings file.
        key: One of `KEYS`.
        text: The value; for a price ``INPUT/OUTPUT`` or ``INPUT/OUTPUT/CACHED_INPUT``.

    Raises:
        UsageError: There is no such setting, or the value is none for it.
        SettingsError: The file cannot be used, or would not be one with this value.
    """
    import tomlkit

    path = parse_key(key)
    document = _parse(file)
    section: Any = document
    for part in path[:-1]:
        if part not in section:
            section[part] = tomlkit.table()
        section = section[part]
    section[path[-1]] = _create_value(key, path, text)
    _write(file, tomlkit.dumps(document))


def unset_value(file: Path, key: str) -> bool:
    """Take a value out of the settings file.

    Args:
        file: The settings file.
        key: One of `KEYS`.

    Returns:
        Whether it was there.

    Raises:
        UsageError: There is no such setting.
        SettingsError: The file cannot be used.
    """
    import tomlkit

    path = parse_key(key)
    document = _parse(file)
    sections: list[Any] = [document]
    for part in path[:-1]:
        if part not in sections[-1]:
            return False
        sections.append(sections[-1][part])
    if path[-1] not in sections[-1]:
        return False
    del sections[-1][path[-1]]
    _write(file, tomlkit.dumps(document))
    return True


def _parse(file: Path) -> Any:
    import tomlkit

    # It says what is wrong with the file in the usual words, before anything is changed.
    if not read_file(file).exists:
        return tomlkit.document()
    return tomlkit.parse(file.read_text(encoding="utf-8"))


def _create_value(key: str, path: tuple[str, ...], text: str) -> Any:
    import tomlkit

    if path[0] == "prices":
        amounts = [part.strip() for part in text.split("/")]
        if len(amounts) not in (2, 3):
            raise UsageError(
                f"a price is INPUT/OUTPUT or INPUT/OUTPUT/CACHED_INPUT, such as 0.25/2.00, not {text!r}"
            )
        price = tomlkit.inline_table()
        price.update(zip(("input", "output", "cached_input"), amounts, strict=False))
        return price
    if key in _NUMBERS:
        if not (text.isascii() and text.isdigit() and len(text) <= 9):
            raise UsageError(f"{key} must be a whole number, not {text!r}")
        return int(text)
    return text


def _write(file: Path, text: str) -> None:
    """Write the file at once, or not at all."""
    content = text.encode()
    check_text(content, str(file))
    # A file that is a link, as those who keep their settings elsewhere have it, stays one.
    target = file.resolve()
    temporary: Path | None = None
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Its mode is 0600.
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        temporary = Path(name)
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(target)
    except OSError as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink()
        raise SettingsError(
            f"the settings file {file} cannot be written: {error.strerror}"
        ) from error
