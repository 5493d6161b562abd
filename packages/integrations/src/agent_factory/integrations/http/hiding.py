"""Takes the secrets of a request out of what comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from agent_factory.core.permissions import Grant
    from agent_factory.integrations.http.messages import HttpRequest

__all__ = ["Hiding"]

_HIDDEN = "[secret]"
_LEAST_CHARACTERS = 6


class Hiding:
    """Puts ``[secret]`` in the place of what a request had to keep.

    Args:
        grant: Knows the secrets that were handed out.
        request: The request.
    """

    __slots__ = ("_grant", "_values")

    def __init__(self, grant: Grant, request: HttpRequest) -> None:
        self._grant = grant
        values: set[str] = set()
        for value in (*request.secret_headers.values(), *request.secret_query.values()):
            values |= {value, quote(value, safe=""), quote(value), quote_plus(value)}
        # Of "Basic abcdefgh", also what comes behind the name of the scheme.
        values |= {
            value.partition(" ")[2]
            for value in request.secret_headers.values()
            if len(value.partition(" ")[2]) >= _LEAST_CHARACTERS
        }
        self._values = sorted((item for item in values if item), key=len, reverse=True)

    def has(self, text: str) -> bool:
        """Return whether a text has a secret in it.

        Args:
            text: Any text.
        """
        return self.hide(text) != text

    def hide(self, text: str) -> str:
        """Return a text without the secrets.

        Args:
            text: Any text.
        """
        for value in self._values:
            text = text.replace(value, _HIDDEN)
        return self._grant.scrub(text)

    def hide_bytes(self, body: bytes, *, truncated: bool) -> bytes:
        """Return the bytes of a text without the secrets.

        Args:
            body: The bytes.
            truncated: Whether more came behind them, so that the end may be the beginning of a secret.
        """
        # What a header or a URL holds is ASCII, and so the same in these as in nearly every other encoding.
        text = self.hide(body.decode("latin-1"))
        if truncated:
            for value in self._values:
                for size in range(min(len(value) - 1, len(text)), 3, -1):
                    if text.endswith(value[:size]):
                        text = f"{text[:-size]}{_HIDDEN}"
                        break
        return text.encode("latin-1")
