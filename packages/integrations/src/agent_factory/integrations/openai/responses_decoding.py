"""Reads answers of the Responses protocol, whole ones and streamed ones.

Everything here raises `ProtocolError`, and `ReportedError` where the server says that it failed.
"""

from __future__ import annotations

from typing import Any, Final

from agent_factory.core.models import (
    FinishReason,
    ModelDelta,
    ModelResponse,
    TextDelta,
    TokenLogprob,
)
from agent_factory.integrations.openai.fields import (
    ProtocolError,
    ReportedError,
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
from agent_factory.integrations.openai.responses_reasoning import Thoughts

__all__ = ["ResponsesFold", "decode_response"]

_INCOMPLETE: Final[dict[str, FinishReason]] = {
    "max_output_tokens": "length",
    "max_tokens": "length",
    "content_filter": "content_filter",
}
_LAST = frozenset({"response.completed", "response.incomplete", "response.failed"})
_SPOKEN = frozenset({"response.output_text.delta", "response.refusal.delta"})
_THOUGHT = frozenset({"response.reasoning_summary_text.delta", "response.reasoning_text.delta"})
_PARTS = {"output_text": "text", "refusal": "refusal"}


def decode_response(body: dict[str, Any]) -> ModelResponse:
    """Return the response that a whole answer holds.

    Args:
        body: The answer, from `decode_json`.

    Raises:
        ProtocolError: A field is missing, or is not what the protocol says.
        ReportedError: The server says that it failed.
    """
    fold = ResponsesFold()
    fold.add_response(body, [])
    return fold.finished()


class ResponsesFold:
    """Puts the events of a streamed answer together, in time that grows linearly with them.

    Text is what came as pieces; where a server sends none for an item of the output, the whole item counts.

    Attributes:
        ended: Whether the last event came.
    """

    __slots__ = (
        "_begun",
        "_calls",
        "_finish",
        "_logprobs",
        "_model",
        "_pieces",
        "_read",
        "_refused",
        "_text",
        "_thoughts",
        "_usage",
        "ended",
    )

    def __init__(self) -> None:
        self.ended = False
        self._model = ""
        self._usage = UNCOUNTED
        self._finish: FinishReason = "stop"
        self._refused = False
        self._text: list[str] = []
        self._thoughts = Thoughts()
        # By the item's place in the output: what came in pieces, which calls began, what is whole.
        self._pieces: dict[int, list[str]] = {}
        self._logprobs: dict[int, list[TokenLogprob]] = {}
        self._begun: set[int] = set()
        self._calls: dict[int, PendingCall] = {}
        self._read: set[int] = set()

    def add(self, body: dict[str, Any], deltas: list[ModelDelta]) -> None:
        """Take one event. Unknown events are passed over.

        Args:
            body: The event, from `decode_json`.
            deltas: Gets the pieces of text and of thoughts in it.

        Raises:
            ProtocolError: A field is not what the protocol says.
            ReportedError: The server says that it failed.
        """
        kind = body.get("type")
        if kind in _SPOKEN:
            self._add_piece(body, deltas)
        elif kind in _THOUGHT:
            self._thoughts.add_piece(_index(body), body, deltas)
        elif kind == "response.output_item.added":
            if as_object(body.get("item"), "item").get("type") == "function_call":
                self._begun.add(_index(body))
        elif kind == "response.output_item.done":
            self._add_item(_index(body), as_object(body.get("item"), "item"), "item", deltas)
        elif kind in _LAST:
            self.add_response(as_object(body.get("response"), "response"), deltas)
        elif kind == "error":
            raise ReportedError({"error": {**body, "type": None}})
        else:
            as_text(kind, "type")

    def add_response(self, body: dict[str, Any], deltas: list[ModelDelta]) -> None:
        """Take the whole response.

        Args:
            body: The fields of the response.
            deltas: Gets the text and the thoughts in it that had not come yet.

        Raises:
            ProtocolError: A field is not what the protocol says.
            ReportedError: The server says that it failed.
        """
        if body.get("error"):
            raise ReportedError(body)
        finish = _finish(body)
        self._model = read_model(body)
        self._usage = read_usage(body, "input_tokens", "output_tokens")
        for index, item in enumerate(as_list(body.get("output"), "output")):
            place = f"output[{index}]"
            self._add_item(index, as_object(item, place), place, deltas)
        lost = self._begun - self._read
        if lost and finish == "stop":
            raise ProtocolError(f"output[{min(lost)}] began a tool call that was never finished")
        self._finish = finish
        self.ended = True

    def finished(self) -> ModelResponse:
        """Return the whole response.

        Raises:
            ProtocolError: The stream ended before the model did, or what it holds contradicts itself.
        """
        if not self.ended:
            raise ProtocolError("the stream ended before the model said why it stopped")
        return assemble(
            self._text,
            [call for _, call in sorted(self._calls.items())],
            self._finish,
            refused=self._refused,
            usage=self._usage,
            model=self._model,
            reasoning=self._thoughts.build(),
            logprobs=[token for _, item in sorted(self._logprobs.items()) for token in item],
        )

    def _add_piece(self, body: dict[str, Any], deltas: list[ModelDelta]) -> None:
        piece, index = as_text(body.get("delta"), "delta"), _index(body)
        if body["type"] == "response.refusal.delta":
            self._refused = self._refused or bool(piece)
        if index in self._pieces:
            self._pieces[index].append(piece)
        else:
            self._pieces[index] = [piece]
        if body.get("logprobs"):
            tokens = read_logprobs(body["logprobs"], "logprobs")
            self._logprobs.setdefault(index, []).extend(tokens)
        self._say(piece, deltas)

    def _add_item(
        self, index: int, item: dict[str, Any], where: str, deltas: list[ModelDelta]
    ) -> None:
        if index in self._read:
            return
        self._read.add(index)
        kind = item.get("type")
        if kind == "function_call":
            call = self._calls[index] = PendingCall()
            call.id = as_text(item.get("call_id"), f"{where}.call_id")
            call.name = as_text(item.get("name"), f"{where}.name")
            call.arguments.append(as_text(item.get("arguments"), f"{where}.arguments"))
        elif kind == "message":
            self._add_message(index, item, where, deltas)
        elif kind == "reasoning":
            self._thoughts.add_item(index, item, where, deltas)
        # The rest is no part of the answer.

    def _add_message(
        self, index: int, item: dict[str, Any], where: str, deltas: list[ModelDelta]
    ) -> None:
        text = []
        tokens: list[TokenLogprob] = []
        for position, value in enumerate(as_list(item.get("content"), f"{where}.content")):
            place = f"{where}.content[{position}]"
            part = as_object(value, place)
            field = _PARTS.get(as_text(part.get("type"), f"{place}.type"))
            if field is not None:
                text.append(as_text(part.get(field), f"{place}.{field}"))
                self._refused = self._refused or (field == "refusal" and bool(text[-1]))
                tokens += read_logprobs(part.get("logprobs"), f"{place}.logprobs")
        if tokens:
            self._logprobs[index] = tokens
        whole = "".join(text)
        given = "".join(self._pieces.pop(index, []))
        if not whole.startswith(given):
            raise ProtocolError(f"'{where}' is another text than its pieces were")
        self._say(whole[len(given) :], deltas)

    def _say(self, text: str, deltas: list[ModelDelta]) -> None:
        if text:
            self._text.append(text)
            deltas.append(TextDelta(text))


def _index(body: dict[str, Any]) -> int:
    index = body.get("output_index")
    if type(index) is not int:
        raise ProtocolError(f"'output_index' is {shown(index)} instead of a whole number")
    return index


def _finish(body: dict[str, Any]) -> FinishReason:
    status = body.get("status")
    if status == "completed":
        return "stop"
    if status != "incomplete":
        raise ProtocolError(f"'status' is {shown(status)}, which is no end of an answer")
    details = as_object(body.get("incomplete_details"), "incomplete_details")
    reason = details.get("reason")
    finish = _INCOMPLETE.get(reason) if isinstance(reason, str) else None
    if finish is None:
        raise ProtocolError(f"'incomplete_details.reason' is {shown(reason)}, which is not known")
    return finish
