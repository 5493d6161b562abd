"""Options of the tool `http_fetch`."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.permissions.hosts import parse_host_rule
from agent_factory.integrations.http.messages import check_header
from agent_factory.integrations.http.texts import is_text_type

__all__ = ["HttpFetchOptions", "SecretHeader"]

LARGEST_MAX_BYTES = 1 << 26


class SecretHeader(BaseModel):
    """A header whose value is a secret.

    Attributes:
        secret: Name of the secret, which ``permissions.secrets`` has to name.
        prefix: What stands before it, such as ``"Bearer "``.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    secret: str = Field(min_length=1)
    prefix: str = Field(default="", max_length=100)


class HttpFetchOptions(BaseModel):
    """Options of `http_fetch` in a blueprint. Which hosts may be called is said by ``permissions.hosts``.

    Attributes:
        methods: The methods that the model may use.
        headers: Headers of every request, by name: a text, or a secret.
        secret_hosts: The hosts that get the secrets among the headers, as in ``permissions.hosts``; others are called
            without them.
        max_bytes: Bytes of an answer that are read, 1 byte to 64 MiB; the rest is left out.
        max_characters: Characters of text that the model gets of an answer, 1 to 1,000,000.
        max_redirects: How many redirects are followed, 0 to 20.
        timeout: Seconds that a call may take with its redirects, up to 600.
        content_types: Content types that are accepted, such as ``application/json`` or ``text/*``; every type of text if
            there are none.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    methods: list[Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]] = Field(
        default=["GET", "HEAD"], min_length=1
    )
    headers: dict[str, str | SecretHeader] = {}
    secret_hosts: list[str] = []
    max_bytes: int = Field(default=1 << 20, ge=1, le=LARGEST_MAX_BYTES)
    max_characters: int = Field(default=50_000, ge=1, le=1_000_000)
    max_redirects: int = Field(default=5, ge=0, le=20)
    timeout: float = Field(default=20.0, gt=0, le=600, allow_inf_nan=False)
    content_types: list[str] = []

    @field_validator("headers")
    @classmethod
    def _check_headers(
        cls, headers: dict[str, str | SecretHeader]
    ) -> dict[str, str | SecretHeader]:
        seen: set[str] = set()
        for name, value in headers.items():
            try:
                # A prefix may end with a space, which a header may not.
                check_header(name, value if isinstance(value, str) else f"{value.prefix}x")
            except ConfigurationError as error:
                raise ValueError(error.message) from None
            if name.lower() in seen:
                raise ValueError(f"the header {name!r} is there twice")
            seen.add(name.lower())
        return headers

    @field_validator("secret_hosts")
    @classmethod
    def _check_hosts(cls, hosts: list[str]) -> list[str]:
        for host in hosts:
            try:
                parse_host_rule(host)
            except ConfigurationError as error:
                raise ValueError(error.message) from None
        return hosts

    @field_validator("content_types")
    @classmethod
    def _check_types(cls, types: list[str]) -> list[str]:
        for item in types:
            if not is_text_type(item.removesuffix("*")):
                raise ValueError(
                    f"{item!r} is no content type of texts in lower case, such as 'application/json' or 'text/*'"
                )
        return types
