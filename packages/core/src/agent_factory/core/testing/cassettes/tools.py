"""A tool whose results come from a cassette, or are recorded."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic_core import to_json

from agent_factory.core.testing.cassettes.answers import decode_error, encode_error
from agent_factory.core.testing.cassettes.canonical import canonical_call

if TYPE_CHECKING:
    from agent_factory.core.testing.cassettes.cassette import Cassette
    from agent_factory.core.tools import Tool, ToolContext

__all__ = ["wrap_tool"]

DepsT = TypeVar("DepsT")


def wrap_tool(cassette: Cassette, tool: Tool[DepsT]) -> Tool[DepsT]:
    """Return a tool that answers from a cassette, or records what the given one answers.

    A result is told apart by the tool's name, the arguments, and how often they came before. A call that was cut
    off by its timeout waits until it is cut off again.

    Args:
        cassette: The cassette, whose mode decides.
        tool: The real tool; a replay does not run it.
    """

    async def record(context: ToolContext[DepsT], arguments: str) -> object:
        recording = cassette.begin("tool", canonical_call(tool.name, arguments))
        try:
            result = await tool.call(context, arguments)
        except asyncio.CancelledError:
            recording.answer = {"cut_off": True}
            raise
        except Exception as error:
            recording.answer = {"error": encode_error(error)}
            raise
        recording.answer = _encode(result)
        return result

    async def play(_: ToolContext[DepsT], arguments: str) -> object:
        answer = cassette.replay(canonical_call(tool.name, arguments))
        if answer.get("cut_off"):
            await asyncio.Event().wait()
        try:
            if "error" not in answer:
                return answer["result"]
            error = decode_error(answer["error"])
        except (KeyError, TypeError) as damage:
            raise cassette.refuse(damage) from damage
        raise error

    return replace(tool, call=record if cassette.recording else play)


def _encode(result: object) -> dict[str, Any]:
    """Return a result as the model sees it: a text, or the data of its JSON text."""
    if isinstance(result, str):
        return {"result": result}
    try:
        return {"result": json.loads(to_json(result, inf_nan_mode="strings"))}
    except ValueError as error:  # what called the tool refuses it as well
        return {"error": encode_error(error)}
