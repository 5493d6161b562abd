"""Reads answers of the Chat Completions protocol, whole ones and streamed ones.

Everything here raises `ProtocolError`.
"""

from __future__ import annotations

import json
from typing import Any, Final

from agent_factory.core.messages import Reasoning
from agent_factory.core.models import (
    FinishReason,
    ModelDelta,
    ModelResponse,
    ReasoningDelta,
    TextDelta,
    TokenLogprob,
)
from agent_factory.core.usage import Usage
from agent_factory.integrations.openai.fields import (
    ProtocolError,
    as_list,
    as_object,
    as_text,
    shown,
)
from agent_factory.integrations.openai.folding import (
    UNCOUNTED,
    PendingCall,
    assemble,
    read_model,
    read_usage,
)
from agent_factory.integrations.openai.logprobs import read_logprobs

__all__ = ["THOUGHTS_FIELDS", "StreamFold", "decode_completion"]

THOUGHTS_FIELDS: Final = ("reasoning_content", "reasoning")
"""Where servers put what a model thought: DeepSeek, vLLM and others; OpenRouter and newer releases of vLLM."""

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
    "refusal": "refusal",
}


def decode_completion(body: dict[str, Any], provider: str = "") -> ModelResponse:
    """Return the response that a whole answer holds.

    Args:
        body: The answer, from `decode_json`.
        provider: As that of `StreamFold`.

    Raises:
        ProtocolError: A field is missing, or is not what the protocol says.
    """
    choices = as_list(body.get("choices"), "choices")
    if not choices:
        raise ProtocolError("'choices' is empty")
    choice = as_object(choices[0], "choices[0]")
    message = as_object(choice.get("message"), "choices[0].message")
    fold = StreamFold(provider)
    fold.model = read_model(body)
    fold.usage = _usage(body)
    fold.add_message(message, "choices[0].message", [])
    fold.add_logprobs(choice)
    fold.finish = _finish(choice.get("finish_reason"))
    return fold.finished()


class StreamFold:
    """Puts the pieces of a streamed answer together, in time that grows linearly with them.

    The protocol numbers no pieces: one of text or of arguments that is lost on the way cannot be noticed. One that comes
    twice can be where the server marks each, which `StreamedAnswer` looks at.

    Args:
        provider: Marks the thoughts that the server may want back, see `encoding.encode_message`; empty if none is to
            be sent back.

    Attributes:
        ended: Whether nothing can follow: never known here, as the usage comes after the reason to stop.
        model: The model that answers, as the server names it.
        usage: What the call used, as far as the server said.
        finish: Why the model stopped, or None as long as it has not.
    """

    __slots__ = (
        "_calls",
        "_logprobs",
        "_provider",
        "_refused",
        "_text",
        "_thoughts",
        "_thoughts_field",
        "ended",
        "finish",
        "model",
        "usage",
    )

    def __init__(self, provider: str = "") -> None:
        self.ended = False
        self.model = ""
        self.usage = UNCOUNTED
        self.finish: FinishReason | None = None
        self._provider = provider
        self._text: list[str] = []
        self._thoughts: list[str] = []
        self._thoughts_field = ""
        self._refused = False
        # By their numbers; one whose number another one took has its identifier besides.
        self._calls: dict[int | tuple[int, str], PendingCall] = {}
        self._logprobs: list[TokenLogprob] = []

    def add(self, body: dict[str, Any], deltas: list[ModelDelta]) -> None:
        """Take one chunk.

        Args:
            body: The chunk, from `decode_json`.
            deltas: Gets the pieces of text and of thoughts in it.

        Raises:
            ProtocolError: A field is not what the protocol says.
        """
        text = _plain_text(body) if self.model else ""
        if text:
            self._text.append(text)
            deltas.append(TextDelta(text))
            return
        self.model = self.model or read_model(body)
        if body.get("usage") is not None:
            self.usage = _usage(body)
        # Absent in chunks that carry something else, such as Azure's filter results.
        choices = as_list(body.get("choices") or [], "choices")
        if not choices:
            return
        choice = as_object(choices[0], "choices[0]")
        delta = as_object(choice.get("delta") or {}, "choices[0].delta")
        self.add_message(delta, "delta", deltas)
        self.add_logprobs(choice)
        if choice.get("finish_reason") is not None:
            self.finish = _finish(choice["finish_reason"])

    def add_chunk(self, body: dict[str, Any]) -> str:
        """Take one chunk and return the text in it, which may be empty; as `add`."""
        deltas: list[ModelDelta] = []
        self.add(body, deltas)
        return "".join(delta.text for delta in deltas if isinstance(delta, TextDelta))

    def add_message(self, message: dict[str, Any], where: str, deltas: list[ModelDelta]) -> None:
        """Take a message, or a piece of one.

        Args:
            message: The message's fields.
            where: Where it stands, for messages.
            deltas: Gets its text and its thoughts.

        Raises:
            ProtocolError: A field is not what the protocol says.
        """
        self._add_thoughts(message, where, deltas)
        refusal = as_text(message.get("refusal"), f"{where}.refusal")
        text = as_text(message.get("content"), f"{where}.content") + refusal
        self._refused = self._refused or bool(refusal)
        if text:
            self._text.append(text)
            deltas.append(TextDelta(text))
        calls = as_list(message.get("tool_calls") or [], f"{where}.tool_calls")
        for position, item in enumerate(calls):
            place = f"{where}.tool_calls[{position}]"
            self._add_call(as_object(item, place), place)

    def add_logprobs(self, choice: dict[str, Any]) -> None:
        """Take how likely the tokens of a choice, or of a piece of one, were.

        Args:
            choice: The choice's fields.

        Raises:
            ProtocolError: A field is not what the protocol says.
        """
        if choice.get("logprobs") is None:
            return
        lists = as_object(choice["logprobs"], "choices[0].logprobs")
        for name in ("content", "refusal"):
            self._logprobs += read_logprobs(lists.get(name), f"choices[0].logprobs.{name}")

    def finished(self) -> ModelResponse:
        """Return the whole response.

        Raises:
            ProtocolError: The stream ended before the model did, or what it holds contradicts itself.
        """
        if self.finish is None:
            raise ProtocolError("the stream ended before the model said why it stopped")
        self._check_calls()
        return assemble(
            self._text,
            self._calls.values(),
            self.finish,
            refused=self._refused,
            usage=self.usage,
            model=self.model,
            reasoning=self._reasoning(),
            logprobs=self._logprobs,
        )

    def _reasoning(self) -> tuple[Reasoning, ...]:
        text = "".join(self._thoughts)
        if not text:
            return ()
        if not self._provider:
            return (Reasoning(text),)
        data = json.dumps({self._thoughts_field: text}, ensure_ascii=False)
        return (Reasoning(text, data, self._provider),)

    def _add_thoughts(self, message: dict[str, Any], where: str, deltas: list[ModelDelta]) -> None:
        for name in THOUGHTS_FIELDS:
            thought = message.get(name)
            # No part of OpenAI's protocol: servers that put something else there are let be.
            if isinstance(thought, str) and thought:
                thought = as_text(thought, f"{where}.{name}")
                self._thoughts_field = self._thoughts_field or name
                self._thoughts.append(thought)
                deltas.append(ReasoningDelta(thought))
                # Some servers say the same under both names.
                return

    def _check_calls(self) -> None:
        """Refuse an answer of whose tool calls one is missing."""
        numbers = [number for number in self._calls if isinstance(number, int)]
        # Some servers count the text before them too.
        if numbers and max(numbers) - min(numbers) >= len(numbers):
            raise ProtocolError(
                f"of the tool calls only those with the numbers {sorted(numbers)} arrived"
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
        call = self._calls.get(index)
        if call is not None and identifier and call.id and call.id != identifier:
            # Some servers give every call the same number: the one that was there is complete.
            self._calls[index, call.id] = self._calls.pop(index)
            call = None
        if call is None:
            call = self._calls[index] = PendingCall()
        call.id = call.id or identifier
        call.name = call.name or as_text(function.get("name"), f"{where}.function.name")
        arguments = function.get("arguments")
        if isinstance(arguments, dict):
            arguments = json.dumps(arguments, ensure_ascii=False)
        call.arguments.append(as_text(arguments, f"{where}.function.arguments"))


def _plain_text(body: dict[str, Any]) -> str:
    """Return the text of a chunk that has nothing but text, as nearly all have, else an empty one."""
    choices = body.get("choices")
    if body.get("usage") is not None or type(choices) is not list or len(choices) != 1:
        return ""
    choice = choices[0]
    if type(choice) is not dict or choice.get("finish_reason") or choice.get("logprobs"):
        return ""
    delta = choice.get("delta")
    # Some servers repeat the role in every chunk.
    if type(delta) is not dict or len(delta) > 1 + ("role" in delta):
        return ""
    text = delta.get("content")
    # What is not ASCII may hold half of a surrogate pair.
    return text if type(text) is str and text.isascii() else ""


def _finish(value: object) -> FinishReason:
    reason = _FINISH.get(value) if isinstance(value, str) else None
    if reason is None:
        raise ProtocolError(f"'choices[0].finish_reason' is {shown(value)}, which is not known")
    return reason


def _usage(body: dict[str, Any]) -> Usage:
    return read_usage(body, "prompt_tokens", "completion_tokens")
