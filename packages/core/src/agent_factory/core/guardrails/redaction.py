"""Texts without secrets and personal data, for whoever writes texts down."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_factory.core.guardrails.personal_data import PERSONAL_DATA

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agent_factory.core.guardrails.personal_data import PersonalData

__all__ = ["redact_personal_data", "redact_secrets"]


def redact_secrets(text: str) -> str:
    """Return a text with ``[secret]`` in place of each secret that `detect_secrets` knows.

    JSON stays JSON, and a text without secrets stays as it is. Doing it twice changes nothing more.

    Args:
        text: Any text.
    """
    from agent_factory.core.guardrails._findings import redact
    from agent_factory.core.guardrails._tokens import scan_secrets

    return redact(text, scan_secrets, fallback="secret").text


def redact_personal_data(text: str, kinds: Iterable[PersonalData] = PERSONAL_DATA) -> str:
    """Return a text with placeholders such as ``[email]`` in place of personal data.

    JSON stays JSON, and a text without personal data stays as it is. Doing it twice changes nothing more.

    Args:
        text: Any text.
        kinds: What to look for.

    Raises:
        ConfigurationError: A kind is unknown.
    """
    from agent_factory.core.guardrails._findings import redact
    from agent_factory.core.guardrails._kinds import scan_personal_data

    return redact(text, scan_personal_data(kinds), fallback="personal data").text
