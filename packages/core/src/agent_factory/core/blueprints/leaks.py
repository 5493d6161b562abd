"""Secrets that stand in a blueprint, where they never belong: finding them, and keeping them out of messages."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from agent_factory.core.blueprints.document import Document, Path
    from agent_factory.core.source import Problem

__all__ = ["find_hidden", "find_leaks", "find_secrets", "hide_secrets", "is_secret_name"]

_SHORT = 6  # What is shorter stands in the words of messages too.
_NAME = re.compile(r"[A-Z_][A-Z0-9_]{0,127}")

_MESSAGE = (
    "this looks like a real secret, which never stands in a blueprint: put it into an environment variable, name that in "
    "permissions.secrets, and have the secret withdrawn"
)


def find_secrets(text: str) -> list[str]:
    """Return the parts of a text that have the form of a real secret: tokens of known kinds, keys, passwords in addresses.

    Args:
        text: Any text.
    """
    return [text[start:end] for start, end in _find_spans(text)]


def is_secret_name(text: str) -> bool:
    """Return whether a text is the name of a secret, and not rather its value.

    Args:
        text: An entry of ``permissions.secrets``.
    """
    return bool(_NAME.fullmatch(text)) and not find_secrets(text)


def find_hidden(value: object) -> list[str]:
    """Return the texts of a blueprint that no message may repeat.

    Args:
        value: The blueprint as plain data, whether or not it is valid.
    """
    texts = [text for _, text in _list_texts(value)]
    hidden = [item for text in texts for item in find_secrets(text) if len(item) >= _SHORT]
    permissions = value.get("permissions") if isinstance(value, dict) else None
    named = permissions.get("secrets") if isinstance(permissions, dict) else None
    for item in named if isinstance(named, list) else [named]:
        if isinstance(item, str) and item.strip() and not is_secret_name(item):
            hidden.append(item)
    return hidden


def find_leaks(document: Document) -> list[Problem]:
    """Return a problem for each text of a blueprint that has a real secret in it, but for its test cases.

    Args:
        document: The blueprint.
    """
    return [
        document.create_problem(path, _MESSAGE)
        for path, text in _list_texts(document.value)
        # Those of a test case are made up, to see what becomes of them; of a permission, its own check tells.
        if path[0] != "evals" and path[:2] != ("permissions", "secrets") and find_secrets(text)
    ]


def hide_secrets(problems: Iterable[Problem], hidden: Iterable[str] = ()) -> list[Problem]:
    """Return problems whose messages and lines show no secret.

    Args:
        problems: The problems.
        hidden: Texts that must not be shown, besides what looks like a secret by itself.
    """
    known = sorted(set(hidden), key=len, reverse=True)
    return [
        replace(
            item, message=_hide(item.message, known, _SHORT), excerpt=_hide(item.excerpt, known)
        )
        for item in problems
    ]


def _hide(text: str, known: list[str], least: int = 1) -> str:
    for secret in known:
        if len(secret) >= least:
            # As long as before, so that the place in the line stays where it is.
            text = text.replace(secret, "*" * len(secret))
    for start, end in _find_spans(text):
        text = f"{text[:start]}{'*' * (end - start)}{text[end:]}"
    return text


def _find_spans(text: str) -> list[tuple[int, int]]:
    from agent_factory.core.guardrails._tokens import find_keys, find_tokens

    return [(found.start, found.end) for found in (*find_tokens(text), *find_keys(text))]


def _list_texts(value: Any) -> Iterator[tuple[Path, str]]:
    waiting: list[tuple[Path, Any]] = [((), value)]
    while waiting:
        path, item = waiting.pop()
        if isinstance(item, str):
            if path:
                yield path, item
        elif isinstance(item, dict):
            waiting += [((*path, key), inner) for key, inner in item.items()]
        elif isinstance(item, list):
            waiting += [((*path, index), inner) for index, inner in enumerate(item)]
