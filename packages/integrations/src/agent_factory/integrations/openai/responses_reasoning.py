"""Reads and writes what a model thought before it answered, in the Responses protocol."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from agent_factory.core.messages import Reasoning
from agent_factory.core.models import ModelDelta, ReasoningDelta
from agent_factory.integrations.openai.fields import ProtocolError, as_list, as_object, as_text

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["PROVIDER", "Thoughts", "encode_reasoning"]

PROVIDER: Final = "openai.responses"
"""Marks the thoughts that belong to this protocol."""

_BETWEEN = "\n\n"
"""Stands between the parts of a summary."""


class Thoughts:
    """The reasoning of one answer, as far as it has arrived.

    What a server shows of it is a summary in parts, or the thoughts themselves; the text of both is what came in
    pieces, or, where none did, what the whole item holds.
    """

    __slots__ = ("_items", "_part", "_pieces")

    def __init__(self) -> None:
        # By the item's place in the output.
        self._pieces: dict[int, list[str]] = {}
        self._part: dict[int, tuple[object, object]] = {}
        self._items: dict[int, dict[str, Any]] = {}

    def add_piece(self, index: int, event: dict[str, Any], deltas: list[ModelDelta]) -> None:
        """Take a piece of a text.

        Args:
            index: The item's place in the output.
            event: The event that brings it.
            deltas: Gets the piece.

        Raises:
            ProtocolError: It is no text.
        """
        piece = as_text(event.get("delta"), "delta")
        if not piece:
            return
        pieces = self._pieces.setdefault(index, [])
        part = (event.get("summary_index"), event.get("content_index"))
        if pieces and part != self._part[index]:
            piece = _BETWEEN + piece
        self._part[index] = part
        pieces.append(piece)
        deltas.append(ReasoningDelta(piece))

    def add_item(
        self, index: int, item: dict[str, Any], where: str, deltas: list[ModelDelta]
    ) -> None:
        """Take a whole item.

        Args:
            index: Its place in the output.
            item: Its fields.
            where: Where it stands, for messages.
            deltas: Gets its text, if that did not come in pieces.

        Raises:
            ProtocolError: A field is not what the protocol says.
        """
        self._items[index] = item
        texts = []
        for field in ("summary", "content"):
            parts = []
            for position, value in enumerate(as_list(item.get(field) or [], f"{where}.{field}")):
                place = f"{where}.{field}[{position}]"
                parts.append(as_text(as_object(value, place).get("text"), f"{place}.text"))
            texts.append(_BETWEEN.join(filter(None, parts)))
        text = _BETWEEN.join(filter(None, texts))
        if index in self._pieces:
            # Servers that think aloud may send both, and only one of them in pieces.
            if text and "".join(self._pieces[index]) not in (text, *texts):
                raise ProtocolError(f"'{where}' is another text than its pieces were")
        elif text:
            self._pieces[index] = [text]
            deltas.append(ReasoningDelta(text))

    def build(self) -> list[Reasoning]:
        """Return the thoughts in the order of the output; what nobody can make use of is left out."""
        built = []
        for index in sorted(self._pieces.keys() | self._items.keys()):
            text = "".join(self._pieces.get(index, ()))
            item = self._items.get(index, {})
            # The server has stored nothing: an item without its content means nothing to it.
            if item.get("encrypted_content") or item.get("content"):
                data = json.dumps(item, ensure_ascii=False)
                built.append(Reasoning(text, data, PROVIDER))
            elif text:
                built.append(Reasoning(text))
        return built


def encode_reasoning(reasoning: Sequence[Reasoning]) -> list[dict[str, Any]]:
    """Return the items to send back: those that this protocol brought, as they came.

    Args:
        reasoning: What a model thought before one of its messages.

    Raises:
        ValueError: The data is not the item that it was.
    """
    items = []
    for thought in reasoning:
        if thought.provider == PROVIDER and thought.data:
            item = json.loads(thought.data)
            if not isinstance(item, dict) or item.get("type") != "reasoning":
                raise ValueError("it is not an item of reasoning")
            items.append(item)
    return items
