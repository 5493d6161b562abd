"""Turns a server's refusals into core's errors, with words that say what to do next."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agent_factory.core.exceptions import (
    ModelAuthenticationError,
    ModelConnectionError,
    ModelContentFilterError,
    ModelContextLengthError,
    ModelError,
    ModelRateLimitError,
    ModelRequestError,
    ModelResponseError,
    ModelServerError,
)
from agent_factory.integrations.exceptions import ModelQuotaError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Failure", "read_failure", "read_status", "to_error"]

_LONGEST = 500
_QUOTA = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
_TOO_LONG = frozenset({"context_length_exceeded", "exceed_context_size_error"})
_FILTERED = frozenset(
    {
        "bio_policy",
        "content_filter",
        "image_content_policy_violation",
        "misalignment_policy_violation",
    }
)
_LIMITED = frozenset({"rate_limit_error", "rate_limit_exceeded"})
_INVALID = frozenset({"data_residency_mismatch", "invalid_prompt", "invalid_request_error"})
_TOO_LONG_WORDS = re.compile(r"context (length|size|window)|maximum context|too many tokens", re.I)


@dataclass(frozen=True, slots=True)
class Failure:
    """What a server says of a failure.

    Attributes:
        status: HTTP status.
        message: Its words, shortened; empty if it has none.
        code: Its code and its type, as far as it gives them.
    """

    status: int
    message: str = ""
    code: frozenset[str] = frozenset()


def read_failure(status: int, body: bytes | dict[str, Any]) -> Failure:
    """Return what the body of a failed answer says.

    Servers differ: ``{"error": {"message": …}}``, ``{"error": "…"}``, ``{"message": …}``, ``{"detail": …}``,
    plain text, or a gateway's HTML page.

    Args:
        status: HTTP status.
        body: The answer's body, or the JSON object in it.
    """
    if isinstance(body, bytes):
        text = body.decode(errors="replace").strip()
        try:
            body = json.loads(text)
        except (ValueError, RecursionError):
            # Nothing in it can backtrack: whoever sends the page may mean harm.
            page = re.search(r"<title>([^<]*)", text, re.I)
            plain = page.group(1) if page else "" if text.startswith("<") else text
            return Failure(status, _shorten(plain))
    error: Any = body.get("error", body) if isinstance(body, dict) else body
    if not isinstance(error, dict):
        return Failure(status, _shorten(str(error)) if error else "")
    message = error.get("message") or error.get("detail") or ""
    codes = [error.get("code"), error.get("type")]
    return Failure(
        status,
        _shorten(message if isinstance(message, str) else json.dumps(message)),
        frozenset(code for code in codes if isinstance(code, str)),
    )


def read_status(error: object) -> int:
    """Return the HTTP status that an error would have had, had it not come in a good answer.

    Args:
        error: What the server says of the error; servers that give a number give it as its code.
    """
    if not isinstance(error, dict):
        return 500
    number = error.get("code")
    if type(number) is int and 400 <= number < 600:
        return number
    codes = {code for code in (number, error.get("type")) if isinstance(code, str)}
    if codes & (_LIMITED | _QUOTA):
        return 429
    return 400 if codes & (_TOO_LONG | _FILTERED | _INVALID) else 500


def to_error(
    failure: Failure,
    *,
    model: str,
    server: str,
    retry_after: float | None = None,
    offered: Sequence[str] | None = None,
) -> ModelError:
    """Return the error for a refused call.

    Args:
        failure: What the server said.
        model: Name of the model that was called.
        server: Address of the server, without secrets.
        retry_after: Seconds the server asks to wait.
        offered: The models that the server has, if it could be asked; used where the model was not found.
    """
    status, code = failure.status, failure.code
    kind: type[ModelError]
    if code & _QUOTA:
        kind = ModelQuotaError
        said = "refused the call because the account has no credit left"
        advice = "Waiting does not help: add credit, or use another key"
    elif status in (401, 403):
        kind = ModelAuthenticationError
        said = "refused the key" if status == 401 else "does not permit this call to the key"
        advice = "Check the API key and what it is allowed to do"
    elif status == 429:
        kind = ModelRateLimitError
        said = "accepts no more requests for now"
        wait = "a while" if retry_after is None else f"{retry_after:g} s"
        advice = f"Wait {wait}, or lower the rate of calls"
    elif status == 404:
        kind = ModelRequestError
        said = "did not find the model, or the address is wrong"
        advice = _advise_on_models(offered)
    elif status == 408:
        kind = ModelConnectionError
        said = "gave up waiting"
        advice = "Try again"
    elif status == 409 or status >= 500:
        kind = ModelServerError
        gateway = status in (502, 503, 504)
        said = "is behind a gateway that gets no answer from it" if gateway else "failed"
        advice = "Try again later"
    elif code & _TOO_LONG or (status == 400 and _TOO_LONG_WORDS.search(failure.message)):
        kind = ModelContextLengthError
        said = "says that the conversation is longer than the model can read"
        advice = (
            "Shorten the prompt, the history or the tools' results, or use a model that reads more"
        )
    elif code & _FILTERED:
        kind = ModelContentFilterError
        said = "stopped the conversation by its content filter"
        advice = "Rephrase the prompt, or look at what the tools returned"
    elif 300 <= status < 400 and status != 304:
        kind = ModelRequestError
        said = "points to another address"
        advice = "Give the server's final address as base_url"
    elif status < 400:
        kind = ModelResponseError
        said = "answered with a status that no answer of a model has"
        advice = "Check that base_url leads to an OpenAI-compatible server"
    else:
        kind = ModelRequestError
        said = "refused the request"
        advice = "Correct the request; the same one fails again"
    words = f": {failure.message.rstrip('.')}" if failure.message else ""
    return kind(
        f"model {model!r}: the server at {server} {said} (HTTP {status}){words}. {advice}.",
        model=model,
        # Only a refusal has one: what was not refused may have to be paid for.
        status=None if kind is ModelResponseError else status,
        retry_after=retry_after,
        details={"server_codes": sorted(code)} if code else None,
    )


def _advise_on_models(offered: Sequence[str] | None) -> str:
    if offered:
        return f"It offers: {_enumerate(offered)}"
    if offered is not None:
        return "It offers no models at all: load one first"
    return "Check the model's name and base_url, which usually ends with /v1"


def _enumerate(names: Sequence[str], most: int = 20) -> str:
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def _shorten(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _LONGEST else f"{flat[:_LONGEST]}…"
