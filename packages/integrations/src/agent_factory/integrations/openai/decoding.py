"""Reads answers of the Chat Completions protocol, whole ones and streamed ones.

Everything here raises `ProtocolError`.
"""

from __future__ import annotations

import json
from typing import Any, Final

from agent_factory.core.models import FinishReason, ModelResponse
from agent_factory.core.usage import Usage
from agent_factory.integrations.openai.fields import (
    ProtocolError,
    as_list,
    as_object,
    as_text,
    shown,
)
from agent_factory.integrations.openai.folding import (
    PendingCall,
    assemble,
    read_model,
    read_usage,
)

__all__ = ["StreamFold", "decode_completion", "decode_models"]

_FINISH: Final[dict[str, FinishReason]] = {
    "stop": "stop",
    "tool_calls": "tool_calls",
    "length": "length",
    "content_filter": "content_filter",
    # Names that servers use which only claim to speak the protocol.
    "function_call": "tool_calls",
    "eos": "stop",
    "eos_token": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_length": "length",
}


def decode_completion(body: dict[str, Any]) -> ModelResponse:
    """Return the response that a whole answer holds.

    Args:
        body: The answer, from `decode_json`.

    Raises:
        ProtocolError: A field is missing, or is not what the protocol says.
    """
    choices = as_list(body.get("choices"), "choices")
    if not choices:
        raise ProtocolError("'choices' is empty")
    choice = as_object(choices[0], "choices[0]")
    message = as_object(choice.get("message"), "choices[0].message")
    fold = StreamFold()
    fold.model = read_model(body)
    fold.usage = _usage(body)
    fold.add_message(message, "choices[0].message")
    fold.finish = _finish(choice.get("finish_reason"))
    return fold.finished()


def decode_models(body: dict[str, Any]) -> tuple[str, ...]:
    """Return the sorted names in a list of models.

    Args:
        body: The answer, from `decode_json`.

    Raises:
        ProtocolError: It is no list of models.
    """
    # Ollama says null where it has none.
    items = [] if body.get("data", 0) is None else as_list(body.get("data"), "data")
    names = [as_text(as_object(item, "data[]").get("id"), "data[].id") for item in items]
    if not all(names):
        raise ProtocolError("a model in 'data' has no 'id'")
    return tuple(sorted(names))


class StreamFold:
    """Puts the pieces of a streamed answer together, in time that grows linearly with them.

    Attributes:
        model: The model that answers, as the server names it.
        usage: What the call used, as far as the server said.
        finish: Why the model stopped, or None as long as it has not.
    """

    __slots__ = ("_calls", "_refused", "_text", "finish", "model", "usage")

    def __init__(self) -> None:
        self.model = ""
        self.usage = Usage(requests=1)
        self.finish: FinishReason | None = None
        self._text: list[str] = []
        self._refused = False
        self._calls: dict[int, PendingCall] = {}

    @property
    def ended(self) -> bool:
        """Whether nothing can follow: never known here, as the usage comes after the reason to stop."""
        return False

    def add_chunk(self, body: dict[str, Any]) -> str:
        """Take one chunk and return the text in it, which may be empty.

        Args:
            body: The chunk, from `decode_json`.

        Raises:
            ProtocolError: A field is not what the protocol says.
        """
        self.model = self.model or read_model(body)
        if body.get("usage") is not None:
            self.usage = _usage(body)
        # Absent in chunks that carry something else, such as Azure's filter results.
        choices = as_list(body.get("choices") or [], "choices")
        if not choices:
            return ""
        choice = as_object(choices[0], "choices[0]")
        text = self.add_message(as_object(choice.get("delta") or {}, "choices[0].delta"), "delta")
        if choice.get("finish_reason") is not None:
            self.finish = _finish(choice["finish_reason"])
        return text

    def add_message(self, message: dict[str, Any], where: str) -> str:
        """Take a message, or a piece of one, and return its text.

        Args:
            message: The message's fields.
            where: Where it stands, for messages.

        Raises:
            ProtocolError: A field is not what the protocol says.
        """
        refusal = as_text(message.get("refusal"), f"{where}.refusal")
        text = as_text(message.get("content"), f"{where}.content") + refusal
        self._refused = self._refused or bool(refusal)
        if text:
            self._text.append(text)
        calls = as_list(message.get("tool_calls") or [], f"{where}.tool_calls")
        for position, item in enumerate(calls):
            place = f"{where}.tool_calls[{position}]"
            self._add_call(as_object(item, place), place)
        return text

    def finished(self) -> ModelResponse:
        """Return the whole response.

        Raises:
            ProtocolError: The stream ended before the model did, or what it holds contradicts itself.
        """
        if self.finish is None:
            raise ProtocolError("the stream ended before the model said why it stopped")
        return assemble(
            self._text,
            self._calls.values(),
            self.finish,
            refused=self._refused,
            usage=self.usage,
            model=self.model,
        )

    def _add_call(self, item: dict[str, Any], where: str) -> None:
        function = as_object(item.get("function") or {}, f"{where}.function")
        identifier = as_text(item.get("id"), f"{where}.id")
        index = item.get("index")
        if index is None:
            # Some servers number nothing: a piece with an id, or with a name, begins a call.
            begins = bool(identifier or function.get("name")) or not self._calls
            index = len(self._calls) if begins else len(self._calls) - 1
        if isinstance(index, bool) or not isinstance(index, int):
            raise ProtocolError(f"'{where}.index' is not a whole number")
        call = self._calls.setdefault(index, PendingCall())
        call.id = call.id or identifier
        call.name = call.name or as_text(function.get("name"), f"{where}.function.name")
        arguments = function.get("arguments")
        if isinstance(arguments, dict):
            arguments = json.dumps(arguments, ensure_ascii=False)
        call.arguments.append(as_text(arguments, f"{where}.function.arguments"))


def _finish(value: object) -> FinishReason:
    reason = _FINISH.get(value) if isinstance(value, str) else None
    if reason is None:
        raise ProtocolError(f"'choices[0].finish_reason' is {shown(value)}, which is not known")
    return reason


def _usage(body: dict[str, Any]) -> Usage:
    return read_usage(body, "prompt_tokens", "completion_tokens")
