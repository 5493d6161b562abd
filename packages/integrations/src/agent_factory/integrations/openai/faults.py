"""Turns what goes wrong below HTTP into core's errors."""

from __future__ import annotations

from typing import Final

import aiohttp

from agent_factory.core.exceptions import ModelConnectionError, ModelError, ModelResponseError

__all__ = ["CONNECT_SECONDS", "FAULTS", "UnaskedAnswerError", "translate"]

CONNECT_SECONDS: Final = 10.0
"""Seconds that it may take to reach a server."""

FAULTS: Final = (aiohttp.ClientError, OSError, ValueError)
"""What the HTTP library raises."""


class UnaskedAnswerError(aiohttp.ClientConnectionError):
    """A server answered over a connection before anything was asked; nothing was sent."""


_UNSENT: Final = (
    aiohttp.ClientConnectorError,
    aiohttp.ClientHttpProxyError,
    aiohttp.ConnectionTimeoutError,
    UnaskedAnswerError,
)


def translate(error: Exception, *, model: str, server: str, patience: str) -> ModelError:
    """Return the error of core that says what an exception says.

    Where the request was certainly never sent, the details of the error have ``"sent": False``.

    Args:
        error: One of `FAULTS`.
        model: Name of the model that was called.
        server: Address of the server, without secrets.
        patience: In which time there was no answer, for an error that is about that, and what to do about it.
    """
    name = f"model {model!r}: "
    unsent: dict[str, object] = {}
    advice = "Check that it runs, and base_url."
    if isinstance(error, aiohttp.ServerTimeoutError):
        said = f"the server at {server} could not be reached within {CONNECT_SECONDS:g} s. {advice}"
    elif isinstance(error, TimeoutError):
        said = f"the server at {server} did not answer {patience}"
    elif isinstance(error, aiohttp.ClientConnectorCertificateError):
        said = (
            f"the server at {server} has a certificate that is not trusted ({error.certificate_error}). "
            "Check base_url, or install the certificate of its authority."
        )
    elif isinstance(error, aiohttp.ClientProxyConnectionError):
        said = f"the proxy cannot be reached ({error.os_error}). Check that it runs, and proxy."
    elif isinstance(error, aiohttp.ClientHttpProxyError):
        said = (
            f"the proxy does not connect to the server at {server} (HTTP {error.status}). "
            "Check what it permits, and proxy."
        )
    elif isinstance(error, aiohttp.ClientConnectorError):
        said = f"the server at {server} cannot be reached ({error.os_error}). {advice}"
    elif isinstance(error, (aiohttp.ClientResponseError, aiohttp.InvalidURL, ValueError)):
        return ModelResponseError(
            f"{name}what answers at {server} does not speak HTTP "
            f"({type(error).__name__}). Check base_url.",
            model=model,
        )
    else:
        said = (
            f"the connection to the server at {server} broke ({type(error).__name__}). Try again."
        )
    if isinstance(error, _UNSENT):
        unsent = {"sent": False}
    return ModelConnectionError(f"{name}{said}", model=model, details=unsent)
