"""What models and tools answered, as plain data, and back."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from pydantic import ConfigDict, TypeAdapter

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
    ToolArgumentsError,
    ToolDeniedError,
    ToolError,
    ToolNotFoundError,
    ToolOutcomeUnknownError,
    ToolTimeoutError,
)
from agent_factory.core.models import ModelDelta, ModelResponse, ReasoningDelta, TextDelta
from agent_factory.core.serialization import to_plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agent_factory.core.testing.cassettes.scrubbing import Scrubber

__all__ = [
    "decode_deltas",
    "decode_error",
    "decode_response",
    "encode_deltas",
    "encode_error",
    "encode_response",
    "scrub_answer",
]

_ERRORS: dict[str, type[ModelError | ToolError]] = {
    error.code: error
    for error in (
        ModelAuthenticationError,
        ModelConnectionError,
        ModelContentFilterError,
        ModelContextLengthError,
        ModelError,
        ModelRateLimitError,
        ModelRequestError,
        ModelResponseError,
        ModelServerError,
        ToolArgumentsError,
        ToolDeniedError,
        ToolError,
        ToolNotFoundError,
        ToolOutcomeUnknownError,
        ToolTimeoutError,
    )
}


def encode_deltas(deltas: Iterable[ModelDelta]) -> list[Any]:
    """Return the pieces of an answer as plain data: a text for text, a mapping for thoughts.

    Args:
        deltas: The pieces in their order.
    """
    return [
        delta.text if isinstance(delta, TextDelta) else {"reasoning": delta.text}
        for delta in deltas
    ]


def decode_deltas(data: Iterable[Any]) -> list[ModelDelta]:
    """Return the pieces that data holds.

    Args:
        data: What `encode_deltas` returned.

    Raises:
        KeyError: It holds something else.
        TypeError: It holds something else.
    """
    return [
        TextDelta(item) if isinstance(item, str) else ReasoningDelta(item["reasoning"])
        for item in data
    ]


def encode_response(response: ModelResponse) -> dict[str, Any]:
    """Return a whole answer as plain data, what is at its default left out.

    Args:
        response: The answer.
    """
    plain: dict[str, Any] = to_plain(response)
    return plain


def decode_response(data: Any) -> ModelResponse:
    """Return the whole answer that data holds.

    Args:
        data: What `encode_response` returned.

    Raises:
        ValidationError: It holds something else.
    """
    (response,) = _responses().validate_python([data])
    return response


@cache
def _responses() -> TypeAdapter[list[ModelResponse]]:
    # Made at the first use, since building it takes time that an import must not cost. Of a list, since a
    # dataclass by itself takes no settings.
    return TypeAdapter(list[ModelResponse], config=ConfigDict(extra="forbid"))


def encode_error(error: Exception) -> dict[str, Any]:
    """Return an error as plain data.

    Args:
        error: What a model or a tool raised.
    """
    if not isinstance(error, (ModelError, ToolError)):
        return {"type": type(error).__name__, "message": str(error)}
    # A subclass of somebody else comes back as the class of core that it is one of.
    codes = {kind: code for code, kind in _ERRORS.items()}
    code = next(codes[kind] for kind in type(error).__mro__ if kind in codes)
    details = {"details": error.details} if error.details else {}
    return {"code": code, "message": error.message, **details}


def decode_error(data: dict[str, Any]) -> Exception:
    """Return the error that data holds; one that is no error of core comes back as a `RuntimeError`.

    Args:
        data: What `encode_error` returned.

    Raises:
        KeyError: It holds something else.
        TypeError: It holds something else.
    """
    message: object = data["message"]
    if "code" not in data:
        return RuntimeError(f"{data['type']}: {message}")
    kind = _ERRORS[data["code"]]
    details: object = data.get("details", {})
    if not isinstance(message, str) or not isinstance(details, dict):
        raise TypeError("the error has no text, or its details are no object")
    if issubclass(kind, ModelError):
        return kind(
            message,
            model=details.get("model", ""),
            status=details.get("status"),
            retry_after=details.get("retry_after"),
            details=details,
        )
    return kind(message, tool=details.get("tool"), details=details)


def scrub_answer(answer: dict[str, Any], scrubber: Scrubber) -> dict[str, Any]:
    """Return an answer without secrets, also without those that its pieces only make up together.

    Args:
        answer: The parts of a recorded answer.
        scrubber: What replaces secrets.
    """
    answer = dict(answer)
    deltas = answer.pop("deltas", None)
    response = dict(answer.pop("response", {}))
    logprobs = response.pop("logprobs", None)
    cleaned: dict[str, Any] = scrubber.data(answer)
    if deltas is not None:
        cleaned = {"deltas": _scrub_deltas(deltas, scrubber), **cleaned}
    if response:
        message = scrubber.data(response["message"])
        for call, original in zip(
            message.get("tool_calls", ()), response["message"].get("tool_calls", ()), strict=True
        ):
            # It has to stay unique, also where it looks like a token.
            call["id"] = original["id"]
        cleaned["response"] = {**scrubber.data(response), "message": message}
        # Tokens are pieces as well. With a secret among them, they would no longer be those of the text.
        if logprobs is not None and message["text"] == response["message"]["text"]:
            cleaned["response"]["logprobs"] = logprobs
    return cleaned


def _scrub_deltas(deltas: list[Any], scrubber: Scrubber) -> list[Any]:
    pieces = decode_deltas(deltas)
    for kind in (TextDelta, ReasoningDelta):
        text = "".join(piece.text for piece in pieces if isinstance(piece, kind))
        cleaned = scrubber.text(text)
        if cleaned != text:
            first = next(i for i, piece in enumerate(pieces) if isinstance(piece, kind))
            others = [piece for piece in pieces[first:] if not isinstance(piece, kind)]
            pieces = [*pieces[:first], kind(cleaned), *others]
    return encode_deltas(pieces)
