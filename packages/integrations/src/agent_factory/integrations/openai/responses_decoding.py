"""Reads answers of the Responses protocol, whole ones and streamed ones.

Everything here raises `ProtocolError`, and `ReportedError` where the server says that it failed.
"""

from __future__ import annotations

from typing import Any, Final

from agent_factory.core.models import FinishReason, ModelResponse
from agent_factory.core.usage import Usage
from agent_factory.integrations.openai.fields import (
    ProtocolError,
    ReportedError,
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

__all__ = ["ResponsesFold", "decode_response"]

_INCOMPLETE: Final[dict[str, FinishReason]] = {
    "max_output_tokens": "length",
    "max_tokens": "length",
    "content_filter": "content_filter",
}
_LAST = frozenset({"response.completed", "response.incomplete", "response.failed"})
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
    fold.add_response(body)
    return fold.finished()


class ResponsesFold:
    """Puts the events of a streamed answer together, in time that grows linearly with them.

    Text is what came as pieces; where a server sends none for an item of the output, the whole item counts.
    """

    __slots__ = (
        "_begun",
        "_calls",
        "_finish",
        "_model",
        "_pieces",
        "_read",
        "_refused",
        "_text",
        "_usage",
    )

    def __init__(self) -> None:
        self._model = ""
        self._usage = Usage(requests=1)
        self._finish: FinishReason | None = None
        self._refused = False
        self._text: list[str] = []
        # By the item's place in the output: what came in pieces, which calls began, what is whole.
        self._pieces: dict[int, list[str]] = {}
        self._begun: set[int] = set()
        self._calls: dict[int, PendingCall] = {}
        self._read: set[int] = set()

    @property
    def ended(self) -> bool:
        """Whether the last event came."""
        return self._finish is not None

    def add_chunk(self, body: dict[str, Any]) -> str:
        """Take one event and return the text in it, which may be empty. Unknown events are passed over.

        Args:
            body: The event, from `decode_json`.

        Raises:
            ProtocolError: A field is not what the protocol says.
            ReportedError: The server says that it failed.
        """
        kind = as_text(body.get("type"), "type")
        if kind in ("response.output_text.delta", "response.refusal.delta"):
            piece = as_text(body.get("delta"), "delta")
            self._refused = self._refused or (bool(piece) and kind == "response.refusal.delta")
            self._pieces.setdefault(_index(body), []).append(piece)
            return self._say(piece)
        if kind == "response.output_item.added":
            if as_object(body.get("item"), "item").get("type") == "function_call":
                self._begun.add(_index(body))
        elif kind == "response.output_item.done":
            return self._add_item(_index(body), as_object(body.get("item"), "item"), "item")
        elif kind in _LAST:
            return self.add_response(as_object(body.get("response"), "response"))
        elif kind == "error":
            raise ReportedError({"error": {**body, "type": None}})
        return ""

    def add_response(self, body: dict[str, Any]) -> str:
        """Take the whole response and return the text in it that had not come yet.

        Args:
            body: The fields of the response.

        Raises:
            ProtocolError: A field is not what the protocol says.
            ReportedError: The server says that it failed.
        """
        if body.get("error"):
            raise ReportedError(body)
        finish = _finish(body)
        self._model = read_model(body)
        self._usage = read_usage(body, "input_tokens", "output_tokens")
        text = [
            self._add_item(index, as_object(item, f"output[{index}]"), f"output[{index}]")
            for index, item in enumerate(as_list(body.get("output"), "output"))
        ]
        lost = self._begun - self._read
        if lost and finish == "stop":
            raise ProtocolError(f"output[{min(lost)}] began a tool call that was never finished")
        self._finish = finish
        return "".join(text)

    def finished(self) -> ModelResponse:
        """Return the whole response.

        Raises:
            ProtocolError: The stream ended before the model did, or what it holds contradicts itself.
        """
        if self._finish is None:
            raise ProtocolError("the stream ended before the model said why it stopped")
        return assemble(
            self._text,
            [call for _, call in sorted(self._calls.items())],
            self._finish,
            refused=self._refused,
            usage=self._usage,
            model=self._model,
        )

    def _add_item(self, index: int, item: dict[str, Any], where: str) -> str:
        if index in self._read:
            return ""
        self._read.add(index)
        if item.get("type") == "function_call":
            call = self._calls[index] = PendingCall()
            call.id = as_text(item.get("call_id"), f"{where}.call_id")
            call.name = as_text(item.get("name"), f"{where}.name")
            call.arguments.append(as_text(item.get("arguments"), f"{where}.arguments"))
        elif item.get("type") == "message":
            return self._add_message(index, item, where)
        # The rest, such as reasoning, is no part of the answer.
        return ""

    def _add_message(self, index: int, item: dict[str, Any], where: str) -> str:
        text = []
        for position, value in enumerate(as_list(item.get("content"), f"{where}.content")):
            place = f"{where}.content[{position}]"
            part = as_object(value, place)
            field = _PARTS.get(as_text(part.get("type"), f"{place}.type"))
            if field is not None:
                text.append(as_text(part.get(field), f"{place}.{field}"))
                self._refused = self._refused or (field == "refusal" and bool(text[-1]))
        whole = "".join(text)
        given = "".join(self._pieces.pop(index, []))
        if not whole.startswith(given):
            raise ProtocolError(f"'{where}' is another text than its pieces were")
        return self._say(whole[len(given) :])

    def _say(self, text: str) -> str:
        if text:
            self._text.append(text)
        return text


def _index(body: dict[str, Any]) -> int:
    index = body.get("output_index")
    if isinstance(index, bool) or not isinstance(index, int):
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
