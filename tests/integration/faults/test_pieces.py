"""Streams of which one event is repeated or lost, while the connection is in order."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Literal, TypeAlias

import pytest

from agent_factory.core import AssistantMessage, ModelResponseError, ToolCall
from agent_factory.integrations.testing import ReceivedRequest
from tests.integration.faults.proxy import Exchange, frame, take_body
from tests.integration.faults.runs import (
    SAYING,
    TEXT,
    Ending,
    Kind,
    answer_with_tool,
    put_up,
)

pytestmark = pytest.mark.integration

How: TypeAlias = Literal["repeated", "lost"]
Events: TypeAlias = list[bytes]


async def distort_each(
    kind: Kind, how: How, script: Callable[[ReceivedRequest], str | AssistantMessage]
) -> tuple[Events, list[Ending]]:
    """Return the events of the first answer, and how a run ends that has one of them repeated or lost."""
    events: Events = []
    endings = []
    at = -1

    async def distort(exchange: Exchange) -> None:
        head, pieces = take_body(await exchange.ask())
        if b"call_1" not in exchange.request:
            events[:] = pieces
            if at >= 0:
                pieces[at : at + 1] = [pieces[at]] * 2 if how == "repeated" else []
        await exchange.send(frame(head, pieces))

    async with put_up(kind, always=distort, script=script, chunk_tokens=1) as bench:
        assert (await bench.run(stream=True)).output == TEXT
        for index in range(len(events)):
            at = index
            endings.append(await bench.run(stream=True))
    return events, endings


def sort(event: bytes) -> str:
    """Return what an event of Chat Completions brings."""
    data = event.removeprefix(b"data: ").strip()
    if data == b"[DONE]":
        return "done"
    body = json.loads(data)
    if not body["choices"]:
        return "usage"
    choice = body["choices"][0]
    if choice["finish_reason"]:
        return "finish"
    if "tool_calls" in choice["delta"]:
        return "call" if "id" in choice["delta"]["tool_calls"][0] else "arguments"
    return "text" if choice["delta"]["content"] else "role"


@pytest.mark.parametrize("how", ["repeated", "lost"])
def test_any_event_of_a_response_may_be_repeated_or_lost(how: How) -> None:
    events, endings = asyncio.run(distort_each("responses", how, answer_with_tool))
    assert len(endings) == len(events) > 10
    for event, ending in zip(events, endings, strict=True):
        if ending.error is None:
            assert (ending.output, ending.text) == (TEXT, SAYING + TEXT), event
            assert ending.calls == [(1, 2)], event
        else:
            assert isinstance(ending.error, ModelResponseError), event
            assert ending.calls == [], event
    failed = [event for event, ending in zip(events, endings, strict=True) if ending.error]
    # The texts are there twice, so that pieces which do not fit are noticed.
    assert any(b"output_text.delta" in event for event in failed)
    assert how == "repeated" or any(b"response.completed" in event for event in failed)


def test_what_frames_a_chat_answer_is_noticed_or_does_not_matter() -> None:
    events, endings = asyncio.run(distort_each("chat", "lost", answer_with_tool))
    seen = set()
    for event, ending in zip(events, endings, strict=True):
        kind = sort(event)
        seen.add(kind)
        if kind in ("text", "arguments"):
            continue
        if kind in ("call", "finish"):
            assert isinstance(ending.error, ModelResponseError), event
            assert ending.calls == [], event
        else:
            assert (ending.output, ending.text) == (TEXT, SAYING + TEXT), event
            assert ending.calls == [(1, 2)], event
        counted = kind != "usage" and ending.error is None
        # What the server did not count, or nobody knows, counts as all that was set aside.
        assert (ending.used.tokens < 1000) is counted, event
    assert seen == {"role", "text", "call", "arguments", "finish", "usage", "done"}


def test_a_lost_piece_of_a_chat_answer_has_no_number_by_which_it_would_be_missed() -> None:
    events, endings = asyncio.run(distort_each("chat", "lost", answer_with_tool))
    for event, ending in zip(events, endings, strict=True):
        if sort(event) == "text":
            piece = json.loads(event[6:])["choices"][0]["delta"]["content"]
            assert ending.text == SAYING.replace(piece, "") + TEXT
        elif sort(event) == "arguments":
            # Broken arguments are told to the model; only such as are JSON again can reach the tool.
            assert ending.output == TEXT
            assert (1, 2) not in ending.calls


def test_a_repeated_event_of_a_chat_answer_is_noticed() -> None:
    events, endings = asyncio.run(distort_each("chat", "repeated", answer_with_tool))
    for event, ending in zip(events, endings, strict=True):
        if event.strip() != b"data: [DONE]":
            assert isinstance(ending.error, ModelResponseError)
            assert "an event came twice" in ending.error.message
            assert ending.calls == []


def test_a_lost_call_of_several_is_noticed() -> None:
    def script(request: ReceivedRequest) -> str | AssistantMessage:
        if "call_2" in str(request.body):
            return TEXT
        calls = [ToolCall(f"call_{n}", "add", '{"a": 1, "b": 2}') for n in (1, 2, 3)]
        return AssistantMessage("", tuple(calls))

    async def lose(exchange: Exchange) -> None:
        head, pieces = take_body(await exchange.ask())
        left = [piece for piece in pieces if b'"tool_calls":[{"index":1' not in piece]
        await exchange.send(frame(head, left))

    async def call() -> Ending:
        async with put_up("chat", [lose], script=script) as bench:
            return await bench.run(stream=True)

    ending = asyncio.run(call())
    assert isinstance(ending.error, ModelResponseError)
    assert "only those with the numbers [0, 2] arrived" in ending.error.message
    assert ending.calls == []


def test_calls_under_one_number_are_told_apart_by_their_identifiers() -> None:
    def script(request: ReceivedRequest) -> str | AssistantMessage:
        if "call_1" in str(request.body):
            return TEXT
        first = ToolCall("call_1", "add", '{"a": 1, "b": 2}')
        return AssistantMessage("", (first, ToolCall("call_2", "add", '{"a": 3, "b": 4}')))

    async def renumber(exchange: Exchange) -> None:
        head, pieces = take_body(await exchange.ask())
        old, new = b'"tool_calls":[{"index":1', b'"tool_calls":[{"index":0'
        await exchange.send(frame(head, [piece.replace(old, new) for piece in pieces]))

    async def call() -> Ending:
        async with put_up("chat", [renumber], script=script) as bench:
            return await bench.run(stream=True)

    ending = asyncio.run(call())
    assert (ending.output, ending.calls) == (TEXT, [(1, 2), (3, 4)])


def test_thoughts_of_which_a_piece_is_repeated_are_noticed() -> None:
    item = '{"id": "rs_1", "type": "reasoning", "summary": [{"type": "summary_text", "text": "So so."}]}'
    piece = (
        b'data: {"type":"response.reasoning_summary_text.delta","output_index":0,'
        b'"summary_index":0,"delta":"so"}\n\n'
    )
    done = f'data: {{"type":"response.output_item.done","output_index":0,"item":{item}}}\n\n'

    async def think(exchange: Exchange) -> None:
        head, _ = take_body(await exchange.ask())
        await exchange.send(frame(head, [piece, piece, done.encode()]))

    async def call() -> Ending:
        async with put_up("responses", always=think) as bench:
            return await bench.run(stream=True)

    ending = asyncio.run(call())
    assert isinstance(ending.error, ModelResponseError)
    assert "another text than its pieces" in ending.error.message
