"""Texts as they stand in YAML: plain where every reader takes them for the same text, else in quotes or as a block."""

from __future__ import annotations

import re

import yaml

from agent_factory.core.blueprints.scalars import resolve_scalar
from agent_factory.core.exceptions import ConfigurationError

__all__ = ["write_block", "write_key", "write_line"]

# What no blueprint may have outside of escape sequences, and what nobody sees.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff0-\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_SPECIAL_START = re.compile(r"[-?:,\[\]{}#&*!|>'\"%@`\s]|\.\.\.")
_SPECIAL = re.compile(r":(?=\s|$)|\s#|[\s\xa0]$|[\t\n\r]")
_FLOW = re.compile(r"[,\[\]{}?]")
_KEY = re.compile(r"[A-Za-z_$][A-Za-z0-9_.$-]*")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_QUOTED = re.compile(rf'[\\"\t\n\r]|{_HIDDEN.pattern}')


def write_line(text: str, *, within_list: bool = False) -> str:
    """Return a text as it stands in one line.

    Args:
        text: The text.
        within_list: Whether it stands between brackets, where more characters have a meaning.

    Raises:
        ConfigurationError: It has a character that no blueprint can have.
    """
    _check_text(text)
    if _HIDDEN.search(text) or any(mark in text for mark in "\t\n\r"):
        return _quote(text)
    if _is_plain(text) and not (within_list and _FLOW.search(text)):
        return text
    if '"' in text or "\\" in text:
        return "'" + text.replace("'", "''") + "'"
    return _quote(text)


def write_key(text: str) -> str:
    """Return a text as it stands before a colon.

    Args:
        text: The text.

    Raises:
        ConfigurationError: It has a character that no blueprint can have.
    """
    if _KEY.fullmatch(text) and _is_plain(text):
        return text
    _check_text(text)
    return _quote(text)


def write_block(text: str) -> tuple[str, list[str]] | None:
    """Return a text of several lines as a literal block: its mark, and its lines. None where it cannot be one.

    Args:
        text: The text.

    Raises:
        ConfigurationError: It has a character that no blueprint can have.
    """
    _check_text(text)
    # The last line has to be one that people see, and the first line one that tells how far the block is indented.
    if "\n" not in text or "\r" in text or _HIDDEN.search(text):
        return None
    body = text.rstrip("\n")
    lines = body.split("\n")
    if not lines[-1].strip(" \t\xa0") or not any(line.strip() for line in lines):
        return None
    end = len(text) - len(body)
    first = next(line for line in lines if line)
    indicator = "2" if first[0] in " \t" or not lines[0] else ""
    mark = f"|{indicator}{('-', '', '+')[min(end, 2)]}"
    return mark, [*lines, *[""] * max(0, end - 1)]


def _check_text(text: str) -> None:
    """Make sure that a text can be written at all.

    Args:
        text: The text.

    Raises:
        ConfigurationError: It has a character that no blueprint can have.
    """
    if _SURROGATE.search(text):
        raise ConfigurationError(
            f"the text {_shorten(text)} has half of a character (a lone surrogate), which UTF-8 cannot hold: decode the bytes "
            "that it came from as UTF-8"
        )
    if "\0" in text:
        raise ConfigurationError(
            f"the text {_shorten(text)} has the character '\\0', which no blueprint can have: take it out"
        )


def _is_plain(text: str) -> bool:
    if not text or _SPECIAL_START.match(text) or _SPECIAL.search(text):
        return False
    value, wrong = resolve_scalar(text)
    if wrong is not None or not isinstance(value, str):
        return False
    # Readers of YAML 1.1 take 'yes' for a truth value, and a day for a date.
    resolvers = yaml.SafeLoader.yaml_implicit_resolvers.get(text[0], ())
    return not any(pattern.match(text) for _, pattern in resolvers)


def _quote(text: str) -> str:
    return f'"{_QUOTED.sub(_escape, text)}"'


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    if character in _ESCAPES:
        return _ESCAPES[character]
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _shorten(text: str) -> str:
    return ascii(text if len(text) <= 40 else f"{text[:37]}...")
