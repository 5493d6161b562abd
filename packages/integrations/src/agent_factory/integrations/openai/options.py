"""Checks what a client is put together from, and says what to write instead."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import yarl

from agent_factory.integrations.exceptions import IntegrationConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["check_bound", "check_extra", "check_headers", "check_model", "check_url"]


def check_url(url: str, option: str, *, secrets: bool = False) -> yarl.URL:
    """Return an address that HTTP requests can be sent to.

    Args:
        url: The address as given.
        option: Name of the option that it comes from.
        secrets: Whether it may carry a user and a password.

    Raises:
        IntegrationConfigurationError: It is no such address.
    """
    shown = repr(url) if "@" not in url else "that"
    wrong = IntegrationConfigurationError(
        f"{option} must be an http:// or https:// address such as 'http://localhost:11434/v1', not {shown}"
    )
    try:
        parsed = yarl.URL(url)
        # Refuses what no lookup could find, such as an empty or a long part between two dots.
        (parsed.raw_host or "").encode("idna")
    except ValueError:
        raise wrong from None
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise wrong
    if not secrets and (parsed.user is not None or parsed.password is not None):
        raise IntegrationConfigurationError(
            f"{option} must not contain a user or a password, because messages show it: "
            "give them as api_key or in headers"
        )
    if parsed.fragment:
        raise IntegrationConfigurationError(f"{option} must not contain '#': remove that part")
    return parsed


def check_headers(api_key: str | None, headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of every request.

    Args:
        api_key: The key, or None for none.
        headers: Further headers; they win over the client's own.

    Raises:
        IntegrationConfigurationError: A value cannot stand in a header; the message does not repeat it.
    """
    known = {"Content-Type": "application/json"}
    if api_key is not None:
        if not api_key:
            raise IntegrationConfigurationError(
                "api_key is empty: give the key, or None for a server that wants none"
            )
        if not (api_key.isascii() and api_key.isprintable()) or " " in api_key:
            raise IntegrationConfigurationError(
                "api_key contains a blank, a line break or a character that no key has: "
                "look for what was pasted along with it"
            )
        known["Authorization"] = f"Bearer {api_key}"
    for name, value in headers.items():
        if not name or not name.isascii() or not name.replace("-", "").replace("_", "").isalnum():
            raise IntegrationConfigurationError(f"headers: {name!r} is no name of a header")
        if not (value.isascii() and value.isprintable()):
            raise IntegrationConfigurationError(
                f"headers: the value of {name!r} contains a line break or a character that no "
                "header can carry"
            )
    return known | dict(headers)


def check_model(model: str) -> str:
    """Return the name of a model.

    Args:
        model: The name as given.

    Raises:
        IntegrationConfigurationError: It is empty.
    """
    if not model.strip():
        raise IntegrationConfigurationError("model must not be empty: give the server's name of it")
    return model


def check_bound(max_bytes: int) -> int:
    """Return the bytes that an answer may have.

    Args:
        max_bytes: The bound as given.

    Raises:
        IntegrationConfigurationError: It is below 1, or no whole number.
    """
    if type(max_bytes) is not int or max_bytes < 1:
        raise IntegrationConfigurationError(
            f"max_response_bytes must be a whole number of at least 1, not {max_bytes!r}"
        )
    return max_bytes


def check_extra(extra: Mapping[str, object], reserved: Iterable[str]) -> dict[str, object]:
    """Return the further fields of every request.

    Args:
        extra: The further fields.
        reserved: Fields that the client sets itself.

    Raises:
        IntegrationConfigurationError: A field is a reserved one, or a value is not JSON.
    """
    taken = sorted(set(reserved) & set(extra))
    if taken:
        raise IntegrationConfigurationError(
            f"extra_body must not contain {', '.join(map(repr, taken))}: the client sets that itself"
        )
    try:
        json.dumps(dict(extra), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise IntegrationConfigurationError(f"extra_body is not JSON: {error}") from None
    return dict(extra)
