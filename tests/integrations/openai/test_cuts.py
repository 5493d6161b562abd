"""A stream that ends too early, wherever that is."""

from __future__ import annotations

import asyncio
import json

import pytest
from aiohttp import web

from agent_factory.core import (
    Model,
    ModelConnectionError,
    ModelError,
    ModelRequest,
    ModelResponse,
    ModelResponseError,
    TextDelta,
    UserMessage,
)
from agent_factory.integrations.openai import RetryPolicy
from tests.integrations.openai.clients import Kind, connected
from tests.integrations.openai.server import (
    chunk,
    delta,
    events,
    message,
    response,
    serving,
    terminal,
)

ASK = ModelRequest((UserMessage("Hi"),))
TEXT = "Grüße 🎉"


def written(kind: Kind) -> bytes:
    """Return the bytes of a whole stream."""
    items = (
        (delta("Grüße "), delta("🎉"), terminal(response(message(TEXT))))
        if kind == "responses"
        else (chunk("Grüße "), chunk("🎉"), chunk(finish_reason="stop"))
    )
    return b"".join(
        b"data: %s\n\n" % json.dumps(item, ensure_ascii=False).encode() for item in items
    )


async def ask(model: Model) -> tuple[str, ModelResponse | ModelError]:
    """Return the text that a call gives out, and how it ends."""
    text = ""
    try:
        async for item in model.stream(ASK):
            if isinstance(item, ModelResponse):
                return text, item
            assert isinstance(item, TextDelta)
            text += item.text
    except ModelError as error:
        return text, error
    raise AssertionError("a stream ends with a response")


@pytest.mark.parametrize("abort", [False, True], ids=["ends", "breaks"])
@pytest.mark.parametrize("kind", ["chat", "responses"])
def test_a_stream_cut_at_any_byte_is_an_error_or_whole(kind: Kind, abort: bool) -> None:
    whole = written(kind)
    lengths = range(len(whole) + 1)

    async def call() -> list[tuple[str, ModelResponse | ModelError]]:
        left = iter(lengths)

        async def answer(request: web.Request) -> web.StreamResponse:
            return await events(whole[: next(left)], done=False, abort=abort)(request)

        retry = RetryPolicy(max_retries=0)
        async with serving(answer) as server, connected(kind, server, retry=retry) as model:
            return [await ask(model) for _ in lengths]

    ends = asyncio.run(call())
    for text, end in ends:
        assert TEXT.startswith(text)
        if isinstance(end, ModelResponse):
            assert text == end.message.text == TEXT
        else:
            assert isinstance(end, (ModelResponseError, ModelConnectionError))
    # Enough was cut off nearly always, and nothing in the last case.
    assert sum(isinstance(end, ModelError) for _, end in ends) > len(whole) - 10
    assert abort or isinstance(ends[-1][1], ModelResponse)
