"""How the tools of an OpenAPI document show a server who they are."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.integrations.http.messages import check_header

if TYPE_CHECKING:
    from agent_factory.core.permissions import Grant

__all__ = ["OpenApiAuthentication"]


@dataclass(frozen=True, slots=True)
class OpenApiAuthentication:
    """A secret that goes along with each request, to the server of the document and to no other.

    Attributes:
        kind: ``bearer`` and ``basic`` for the header ``Authorization``; ``header`` and ``query`` for one of a name.
        secret: Name of the secret, which ``permissions.secrets`` has to name; with ``basic`` it is the password.
        name: Name of the header, or of the parameter of the query; only with those.
        user: Name of the user; only with ``basic``.

    Raises:
        ConfigurationError: A name is missing, or there where it is not used.
    """

    kind: Literal["bearer", "basic", "header", "query"]
    secret: str
    name: str = ""
    user: str = ""

    def __post_init__(self) -> None:
        """Check which names are there."""
        if self.kind not in ("bearer", "basic", "header", "query"):
            raise ConfigurationError(
                f"OpenApiAuthentication.kind must be bearer, basic, header or query, not {self.kind!r}"
            )
        if not self.secret:
            raise ConfigurationError("OpenApiAuthentication.secret must name a secret")
        if bool(self.name) != (self.kind in ("header", "query")):
            raise ConfigurationError(
                "OpenApiAuthentication.name is needed with the kinds header and query, and with no other"
            )
        if bool(self.user) != (self.kind == "basic") or ":" in self.user:
            raise ConfigurationError(
                "OpenApiAuthentication.user is needed with the kind basic, and with no other; it has no ':' in it"
            )
        if self.kind == "header":
            check_header(self.name, "x")

    @property
    def header(self) -> str:
        """Name of the header that it sets, in lower case; empty if it sets none."""
        if self.kind == "query":
            return ""
        return self.name.lower() if self.kind == "header" else "authorization"

    def create(self, grant: Grant) -> tuple[dict[str, str], dict[str, str]]:
        """Return the headers and the values of the query that have the secret in them.

        Args:
            grant: Has the secret.

        Raises:
            PermissionDeniedError: The secret is not granted.
            ConfigurationError: There is no such secret.
        """
        value = grant.get_secret(self.secret)
        if self.kind == "query":
            return {}, {self.name: value}
        if self.kind == "header":
            return {self.name: value}, {}
        if self.kind == "bearer":
            return {"Authorization": f"Bearer {value}"}, {}
        pair = base64.b64encode(f"{self.user}:{value}".encode()).decode("ascii")
        return {"Authorization": f"Basic {pair}"}, {}
