"""What must not be written into a cassette is replaced before it is."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.testing.cassettes.canonical import parse_json

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["PLACEHOLDER", "Scrubber"]

PLACEHOLDER = "[secret]"  # as redact_secrets writes it

_SHORTEST = 4
_KEY = re.compile(
    r"(?:^|_)(?:authorization|cookie|pass(?:word|wd|phrase)|secret|credentials?|token"
    r"|(?:api|access|private|secret)_?key)$"
)
_HEADER = re.compile(
    r"^([ \t>]*(?:(?:proxy-)?authorization|(?:set-)?cookie|(?:x-)?api-key)[ \t]*[:=][ \t]*)\S.*$",
    re.IGNORECASE | re.MULTILINE,
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class Scrubber:
    """Replaces secrets: values that were named, values under keys that tell, and what looks like a known token.

    Scrubbing twice is scrubbing once, so what comes from a scrubbed cassette is found again.

    Args:
        secrets: Values to replace wherever they stand; empty ones are passed over.

    Raises:
        ConfigurationError: A value is too short to be told from ordinary text.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._forms: list[str] = []
        # Each request of a conversation carries the texts of the one before.
        self._known: dict[str, str] = {}
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """Replace one more value.

        Args:
            secret: The value, of at least 4 characters, or empty.

        Raises:
            ConfigurationError: The value is too short.
        """
        if not secret:
            return
        if len(secret) < _SHORTEST:
            raise ConfigurationError(
                f"a secret of a cassette needs at least {_SHORTEST} characters, one has {len(secret)}: "
                "replacing it would garble ordinary text"
            )
        from urllib.parse import quote

        forms = {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
        forms |= {quote(secret, safe=safe, errors="surrogatepass") for safe in ("", "/")}
        self._known.clear()
        # The longest first: a form may be a part of another one.
        self._forms = sorted({*self._forms, *forms}, key=len, reverse=True)

    def text(self, text: str) -> str:
        """Return a text without secrets; a text that is JSON is looked through by its keys too.

        Args:
            text: Any text.
        """
        if (cleaned := self._known.get(text)) is None:
            cleaned = self._known[text] = self._clean(text)
        return cleaned

    def request(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return a request in its canonical form without secrets.

        Args:
            request: The request.
        """
        # In a JSON Schema, what stands under a name that tells is the description of a value, not the value.
        return {
            key: self.data(item, by_key=key not in ("tools", "output"))
            for key, item in request.items()
        }

    def data(self, data: Any, *, by_key: bool = True) -> Any:
        """Return plain data without secrets.

        Args:
            data: What JSON can hold.
            by_key: Whether to replace also what stands under a key such as ``password``.
        """
        if isinstance(data, str):
            return self.text(data)
        if isinstance(data, list):
            return [self.data(item, by_key=by_key) for item in data]
        if isinstance(data, dict):
            return {
                self.text(key): (
                    self.data(_hide(item))
                    if by_key and _is_telling(key)
                    else self.data(item, by_key=by_key)
                )
                for key, item in data.items()
            }
        return data

    def _clean(self, text: str) -> str:
        from agent_factory.core.guardrails.redaction import redact_secrets

        if (data := parse_json(text)) is not text:
            cleaned = self.data(data)
            if cleaned != data:
                text = json.dumps(cleaned, ensure_ascii=False, separators=(",", ":"))
        for form in self._forms:
            # Piece by piece, so that no form is found in a placeholder, or across one.
            text = PLACEHOLDER.join(
                piece.replace(form, PLACEHOLDER) for piece in text.split(PLACEHOLDER)
            )
        return redact_secrets(_HEADER.sub(rf"\g<1>{PLACEHOLDER}", text))


def _hide(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _hide(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_hide(item) for item in value]
    if value is None or value == "" or isinstance(value, bool):
        return value
    return PLACEHOLDER


def _is_telling(key: str) -> bool:
    plain = _CAMEL.sub("_", key).lower().replace("-", "_").replace(" ", "_")
    return _KEY.search(plain) is not None
