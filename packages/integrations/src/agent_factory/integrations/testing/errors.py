"""What OpenAI says when it refuses or fails, word for word as far as its words are known."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from agent_factory.core.exceptions import (
    ModelAuthenticationError,
    ModelContentFilterError,
    ModelContextLengthError,
    ModelError,
    ModelRateLimitError,
    ModelRequestError,
    ModelServerError,
)
from agent_factory.integrations.exceptions import IntegrationConfigurationError, ModelQuotaError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ErrorAnswer", "RefusedError", "describe_error"]

_INVALID: Final = "invalid_request_error"
_OVERLOADED: Final = (
    "That model is currently overloaded with other requests. Please try again later."
)
_KNOWN: Final[dict[int, tuple[str, str, str | None]]] = {
    # message, type, code
    400: ("Invalid request.", _INVALID, None),
    401: (
        "Incorrect API key provided: sk-***. You can find your API key at "
        "https://platform.openai.com/account/api-keys.",
        _INVALID,
        "invalid_api_key",
    ),
    403: ("You are not allowed to sample from this model.", _INVALID, None),
    404: (
        "The model does not exist or you do not have access to it.",
        _INVALID,
        "model_not_found",
    ),
    409: ("The resource was changed by another request. Please try again.", _INVALID, None),
    429: (
        "Rate limit reached for requests. Please slow down, and try again later.",
        "requests",
        "rate_limit_exceeded",
    ),
    500: (
        "The server had an error while processing your request. Sorry about that!",
        "server_error",
        None,
    ),
    503: (_OVERLOADED, "server_error", None),
}
_CODES: Final[dict[str, tuple[str, str]]] = {
    # message, type
    "insufficient_quota": (
        "You exceeded your current quota, please check your plan and billing details.",
        "insufficient_quota",
    ),
    "context_length_exceeded": (
        "This model's maximum context length is exceeded. Please reduce the length of the messages.",
        _INVALID,
    ),
    "content_filter": (
        "The response was filtered due to the prompt triggering the content management policy.",
        _INVALID,
    ),
}
_GATEWAY: Final = (
    "<html>\r\n<head><title>{status} {title}</title></head>\r\n<body>\r\n<center><h1>{status} {title}</h1></center>"
    "\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)
_PAGES: Final = {502: "Bad Gateway", 504: "Gateway Time-out"}


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """An answer that is an error, such as ``ErrorAnswer(429, retry_after=0)``.

    What is left out is what OpenAI says with that status and that code; 502 and 504 come as the HTML page of a
    gateway.

    Attributes:
        status: HTTP status, 400 to 599.
        message: What is said of it.
        type: Kind of error, such as ``invalid_request_error``.
        param: The field of the request that is wrong.
        code: Code of the error, such as ``context_length_exceeded``.
        retry_after: Seconds to wait, for the headers ``retry-after`` and ``retry-after-ms``; 0 or more.
        headers: Further headers of the answer.

    Raises:
        IntegrationConfigurationError: The status or the wait is out of its range.
    """

    status: int
    message: str = ""
    type: str = ""
    param: str | None = None
    code: str | None = None
    retry_after: float | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the ranges, and fill in what was left out."""
        if not 400 <= self.status < 600:
            raise IntegrationConfigurationError(
                f"ErrorAnswer.status must be an HTTP status from 400 to 599, not {self.status!r}"
            )
        wait = self.retry_after
        if wait is not None and not (math.isfinite(wait) and wait >= 0):
            raise IntegrationConfigurationError(
                f"ErrorAnswer.retry_after must be 0 or more seconds, not {wait!r}"
            )
        message, kind, code = _KNOWN.get(self.status, _KNOWN[500 if self.status >= 500 else 400])
        if self.code in _CODES:
            message, kind = _CODES[self.code]
        elif self.message:
            # Its words say something else than ours, so our code would not fit them.
            code = None
        for name, value in (("message", message), ("type", kind), ("code", code)):
            if not getattr(self, name):
                object.__setattr__(self, name, value)

    @property
    def is_page(self) -> bool:
        """Whether it comes as a page of a gateway rather than as JSON."""
        return self.status in _PAGES

    @property
    def fields(self) -> dict[str, Any]:
        """What stands in ``error`` of its body."""
        return {
            "message": self.message,
            "type": self.type,
            "param": self.param,
            "code": self.code,
        }

    def write(self) -> bytes:
        """Return the body."""
        if self.is_page:
            return _GATEWAY.format(status=self.status, title=_PAGES[self.status]).encode()
        return json.dumps({"error": self.fields}, indent=2).encode()

    def write_headers(self) -> dict[str, str]:
        """Return the headers, those for the wait and the limits among them."""
        headers = dict(self.headers)
        if self.retry_after is not None:
            headers["retry-after-ms"] = str(round(self.retry_after * 1000))
            headers["retry-after"] = str(math.ceil(self.retry_after))
        if self.status == 429:
            headers["x-ratelimit-limit-requests"] = "60"
            headers["x-ratelimit-remaining-requests"] = "0"
            headers["x-ratelimit-reset-requests"] = f"{self.retry_after or 0:g}s"
        if self.status in (409, 429) or self.status >= 500:
            headers.setdefault("x-should-retry", "false" if self.code in _CODES else "true")
        return headers


class RefusedError(Exception):
    """A request is not one that OpenAI would take.

    Args:
        answer: What it says to it.
    """

    def __init__(self, answer: ErrorAnswer) -> None:
        super().__init__(answer.message)
        self.answer = answer


def describe_error(error: ModelError) -> ErrorAnswer:
    """Return the answer that a client makes such an error of.

    Args:
        error: Any model error but the two that come without a good answer: `ModelConnectionError` and
            `ModelResponseError`.

    Raises:
        IntegrationConfigurationError: No answer leads to such an error.
    """
    wait = error.retry_after
    kinds: tuple[tuple[type[ModelError], int, str | None], ...] = (
        (ModelQuotaError, 429, "insufficient_quota"),
        (ModelRateLimitError, 429, None),
        (ModelAuthenticationError, 401, None),
        (ModelContextLengthError, 400, "context_length_exceeded"),
        (ModelContentFilterError, 400, "content_filter"),
        (ModelRequestError, 400, None),
        (ModelServerError, 500, None),
    )
    for kind, status, code in kinds:
        if isinstance(error, kind):
            return ErrorAnswer(error.status or status, error.message, code=code, retry_after=wait)
    raise IntegrationConfigurationError(
        f"a server has no answer that stands for {type(error).__name__}: use an ErrorAnswer or a Fault"
    )
