"""Turns the exceptions of the ``openai`` package into core's errors, without importing that package.

They are told apart by the names of their classes, which are part of that package's interface.
"""

from __future__ import annotations

import json
from typing import Any

from agent_factory.core.exceptions import ModelConnectionError, ModelError, ModelResponseError
from agent_factory.integrations.openai.failures import read_failure, read_status, to_error
from agent_factory.integrations.openai.fields import ProtocolError, ReportedError
from agent_factory.integrations.openai.retry import read_retry_after

__all__ = ["class_names", "translate"]


def class_names(kind: type) -> frozenset[str]:
    """Return the names of a class and of those that it is made from."""
    return frozenset(parent.__name__ for parent in kind.__mro__)


def translate(
    error: BaseException, *, model: str, server: str, key: object, patience: str, once: bool
) -> ModelError | None:
    """Return the error of core that says what an exception says, or None for a stranger's.

    Args:
        error: What was raised while a client worked.
        model: Name of the model that was called.
        server: Address of the server, without secrets.
        key: The client's key, which no message may contain; anything but a text is none.
        patience: In which time there was no answer, for an error that is about that, and what to do about it.
        once: Whether the client made the call no more than once.
    """
    names = class_names(type(error))
    start = f"model {model!r}: "
    if isinstance(error, ReportedError):
        said = _hide({"error": error.body.get("error")}, key)
        status = read_status(error.body.get("error"))
        return to_error(read_failure(status, said), model=model, server=server)
    unreadable = isinstance(error, (ProtocolError, json.JSONDecodeError, UnicodeError))
    if unreadable or "APIResponseValidationError" in names:
        return ModelResponseError(
            f"{start}the answer of the server at {server} cannot be understood: {error}. "
            "Check that the client's base_url leads to an OpenAI-compatible server.",
            model=model,
        )
    if isinstance(error, TimeoutError):
        return ModelConnectionError(
            f"{start}the server at {server} did not answer {patience}", model=model
        )
    if "APITimeoutError" in names:
        return ModelConnectionError(
            f"{start}the server at {server} did not answer in the client's own timeout. "
            "Give the client more time, or ask for less.",
            model=model,
            details=_tell_unsent(error, once),
        )
    # The second is of the client's HTTP library: older releases let it through while they stream.
    if names & {"APIConnectionError", "TransportError"} or isinstance(error, OSError):
        cause = type(error.__cause__ or error).__name__
        return ModelConnectionError(
            f"{start}the connection to the server at {server} failed ({cause}). "
            "Check that it runs, and the client's base_url.",
            model=model,
            details=_tell_unsent(error, once),
        )
    body: Any = getattr(error, "body", None)
    if "APIStatusError" in names:
        response: Any = getattr(error, "response", None)
        return to_error(
            read_failure(int(getattr(error, "status_code", 500)), _hide({"error": body}, key)),
            model=model,
            server=server,
            retry_after=read_retry_after(getattr(response, "headers", {})),
        )
    if "APIError" in names:
        # An error in the middle of a stream has no status of its own.
        said = _hide({"error": body or str(error)}, key)
        return to_error(read_failure(read_status(body), said), model=model, server=server)
    if "OpenAIError" in names:
        return ModelError(
            f"{start}the client could not make the call ({type(error).__name__}). "
            "Check how the client was put together.",
            model=model,
        )
    return None


def _tell_unsent(error: BaseException, once: bool) -> dict[str, object]:
    """Return the details of an error that say that the request was certainly never sent, if it was not."""
    names = class_names(type(error.__cause__ or error))
    unsent = once and names & {"ConnectError", "ConnectTimeout", "PoolTimeout"}
    return {"sent": False} if unsent else {}


def _hide(body: dict[str, Any], key: object) -> bytes:
    if isinstance(body["error"], str):
        # Not JSON: a gateway's page, or plain words.
        text = body["error"]
    else:
        text = json.dumps(body, default=str) if body["error"] is not None else ""
    if isinstance(key, str) and key:
        # Some servers repeat the key that they refuse.
        text = text.replace(key, "***")
    return text.encode("utf-8", "replace")
