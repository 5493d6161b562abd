"""Writes the body of a request, and writes nothing twice: neither a message in a run, nor the tools of an agent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

from agent_factory.core.exceptions import ModelRequestError
from agent_factory.core.messages import SystemMessage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from agent_factory.core.messages import Message
    from agent_factory.core.models import ModelRequest, OutputSchema, ToolSpec

__all__ = ["RequestWriter", "write_json"]

_KEPT = 64
"""Sets of fields that one writer keeps: an agent needs two of them, whole and streamed."""

_MOST_KEPT = 20_000
"""Characters of instructions that are kept from run to run."""

# Mappings of any kind are objects.
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=dict)


class _EncodeFields(Protocol):
    def __call__(
        self,
        tools: Sequence[ToolSpec],
        output: OutputSchema | None,
        *,
        streaming: bool,
        extra: Mapping[str, object],
    ) -> dict[str, Any]: ...


def write_json(value: object) -> bytes:
    """Return a value as JSON; mappings of any kind are objects.

    Args:
        value: A part of a request.
    """
    # Half of a surrogate pair is no character; servers answer it with an error that helps nobody.
    return _JSON.encode(value).encode("utf-8", "replace")


class _Written:
    """The messages of a run as far as they were written."""

    __slots__ = ("joined", "known", "messages")

    def __init__(self) -> None:
        self.messages: tuple[Message, ...] = ()
        self.joined = b""
        # By identity; the message beside its bytes keeps it alive, so that no other takes its number.
        self.known: dict[int, tuple[Message, bytes]] = {}


class RequestWriter:
    """Writes the requests of one model.

    Args:
        model: Name of the model.
        conversation: Name of the field with the messages.
        encode_message: Returns a message as the protocol has it: one or more items of the conversation.
        encode_fields: Returns all other fields but the model's.
        extra: The further fields that the user gave.
        limits: Names that the bound of an answer's tokens may have, the usual one first.
        seeds: Whether the protocol has a field for the seed of a request, and the user gave none.
    """

    __slots__ = (
        "_encode_fields",
        "_encode_message",
        "_extra",
        "_fields",
        "_given",
        "_instructions",
        "_limits",
        "_model",
        "_seeds",
        "_start",
    )

    def __init__(
        self,
        model: str,
        *,
        conversation: str,
        encode_message: Callable[[Message], list[dict[str, Any]]],
        encode_fields: _EncodeFields,
        extra: Mapping[str, object],
        limits: Sequence[str],
        seeds: bool = False,
    ) -> None:
        self._model = model
        self._seeds = seeds
        self._start = write_json({"model": model})[:-1] + b"," + write_json(conversation) + b":["
        self._encode_message = encode_message
        self._encode_fields = encode_fields
        self._given = extra
        self._extra = {name: value for name, value in extra.items() if name not in limits}
        self._limits = limits
        self._instructions: dict[str, bytes] = {}
        self._fields: dict[tuple[object, ...], tuple[object, bytes]] = {}

    def write(self, request: ModelRequest, key: tuple[object, ...], *, streaming: bool) -> bytes:
        """Return the body of a request.

        Args:
            request: What the agent asks.
            key: Under which the run's memo keeps the messages; two writers never share one.
            streaming: Whether the answer is to come piece by piece.

        Raises:
            ModelRequestError: A message cannot be written.
        """
        written = request.memo.get(key)
        if written is None:
            written = request.memo[key] = _Written()
        conversation = self._join(request.messages, written)
        limits = _bound_tokens(self._given, self._limits, request.max_output_tokens)
        if request.seed is not None and self._seeds:
            limits["seed"] = request.seed
        end = write_json(limits).replace(b"{", b",", 1) if limits else b"}"
        return b"".join((self._start, conversation, self._write_fields(request, streaming), end))

    def forget(self) -> None:
        """Write the fields anew from now on, because `encode_fields` changed its mind."""
        self._fields.clear()

    def _join(self, messages: tuple[Message, ...], written: _Written) -> bytes:
        known = len(written.messages)
        # Nearly always a conversation only grew. Comparing goes by identity first.
        if known and messages[:known] == written.messages:
            fresh = messages[known:]
            if not fresh:
                return written.joined
            parts = [written.joined, *(self._write_message(item, written) for item in fresh)]
        else:
            parts = [self._write_message(item, written) for item in messages]
        written.joined = b",".join(parts)
        written.messages = messages
        return written.joined

    def _write_message(self, message: Message, written: _Written) -> bytes:
        entry = written.known.get(id(message))
        if entry is None:
            # Instructions are the same text in every run.
            instructions = message.text if isinstance(message, SystemMessage) else None
            kept = None if instructions is None else self._instructions.get(instructions)
            if kept is not None:
                written.known[id(message)] = (message, kept)
                return kept
            try:
                items = self._encode_message(message)
            except ValueError as error:
                raise ModelRequestError(
                    f"model {self._model!r}: the reasoning in a message of the history is not what the provider "
                    f"sent ({error}). Take it out of the history.",
                    model=self._model,
                    details={"sent": False},
                ) from None
            text = write_json(items)[1:-1]
            entry = written.known[id(message)] = (message, text)
            if instructions is not None and len(instructions) <= _MOST_KEPT:
                if len(self._instructions) >= _KEPT:
                    self._instructions.clear()
                self._instructions[instructions] = text
        return entry[1]

    def _write_fields(self, request: ModelRequest, streaming: bool) -> bytes:
        # By identity, as schemas have no hash; what is kept beside the bytes stays alive.
        key = (streaming, id(request.output), *map(id, request.tools))
        entry = self._fields.get(key)
        if entry is None:
            fields = self._encode_fields(
                request.tools, request.output, streaming=streaming, extra=self._extra
            )
            text = b"]" + (b"," + write_json(fields)[1:-1] if fields else b"")
            if len(self._fields) >= _KEPT:
                self._fields.clear()
            entry = self._fields[key] = ((request.tools, request.output), text)
        return entry[1]


def _bound_tokens(
    extra: Mapping[str, object], names: Sequence[str], allowed: int | None
) -> dict[str, object]:
    """Return the fields that bound the tokens of an answer: the smaller bound counts.

    Args:
        extra: The further fields that the user gave.
        names: The names that the bound may have; the first is used where the user gave none.
        allowed: The bound of the request, or None.
    """
    given = {name: extra[name] for name in names if name in extra}
    if allowed is None:
        return given
    return {
        name: min(value, allowed) if type(value) is int else allowed
        for name, value in (given or {names[0]: allowed}).items()
    }
