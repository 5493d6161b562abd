"""What goes wrong between here and a server, in words for a model."""

from __future__ import annotations

from typing import Final

import aiohttp

from agent_factory.core.exceptions import ToolError

__all__ = ["FAULTS", "translate"]

FAULTS: Final = (aiohttp.ClientError, OSError, ValueError)
"""What the HTTP library raises."""


def translate(error: Exception, server: str) -> ToolError:
    """Return the error that tells a model what happened. It quotes nothing of what the server sent.

    Args:
        error: One of `FAULTS`.
        server: The beginning of the URL.
    """
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return ToolError(
            f"the certificate of {server} is not trusted, so nothing was sent. Ask who runs the server"
        )
    if isinstance(error, aiohttp.ClientConnectorError):
        reason = error.os_error.strerror or type(error.os_error).__name__
        return ToolError(
            f"{server} cannot be reached ({reason[:100]}). Check the host and the port, or try later"
        )
    if isinstance(error, aiohttp.ClientPayloadError):
        return ToolError(f"the answer of {server} broke off before its end. Try again")
    if isinstance(error, (aiohttp.ClientResponseError, ValueError)):
        return ToolError(
            f"the answer of {server} is not valid HTTP, or has headers that are too long: it cannot be read"
        )
    return ToolError(f"the connection to {server} broke ({type(error).__name__}). Try again")
