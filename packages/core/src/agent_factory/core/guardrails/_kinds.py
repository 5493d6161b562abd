"""Finds personal data of chosen kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.guardrails import _accounts, _contacts
from agent_factory.core.guardrails.personal_data import PERSONAL_DATA

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from agent_factory.core.guardrails._findings import Finding, Scan
    from agent_factory.core.guardrails.personal_data import PersonalData

__all__ = ["scan_personal_data"]

_FINDERS: dict[str, Callable[[str], Iterator[Finding]]] = {
    "email": _contacts.find_emails,
    "phone": _contacts.find_phones,
    "iban": _accounts.find_ibans,
    "card": _accounts.find_cards,
    "ip": _contacts.find_ips,
    "ssn": _accounts.find_ssns,
}


def scan_personal_data(kinds: Iterable[PersonalData]) -> Scan:
    """Return a function that finds personal data in a text.

    Args:
        kinds: What to look for; at least one.

    Raises:
        ConfigurationError: A kind is unknown, or there is none.
    """
    given: Any = kinds
    wanted = frozenset() if isinstance(given, str) else frozenset(given)
    if not wanted or not wanted <= set(PERSONAL_DATA):
        raise ConfigurationError(
            f"kinds of personal data must be several of {', '.join(PERSONAL_DATA)}, not {given!r}"
        )
    finders = [_FINDERS[kind] for kind in PERSONAL_DATA if kind in wanted]

    def scan(text: str, _key: str) -> Iterator[Finding]:
        for find in finders:
            yield from find(text)

    return scan
