from __future__ import annotations

import asyncio

import pytest

from agent_factory.core import (
    AssistantMessage,
    ConfigurationError,
    Model,
    ModelConnectionError,
    ModelDelta,
    ModelRequest,
    ModelResponse,
    TextDelta,
    ToolCall,
    Usage,
    UserMessage,
)
from agent_factory.core.testing import FunctionModel, ScriptedModel, create_tool_call

REQUEST = ModelRequest((UserMessage("Hi."),))


async def read(model: Model) -> list[ModelDelta | ModelResponse]:
    """Return everything that a model streams."""
    return [item async for item in model.stream(REQUEST)]


def test_models_for_tests_are_models() -> None:
    assert isinstance(ScriptedModel([]), Model)
    assert isinstance(FunctionModel(lambda request: "x"), Model)


@pytest.mark.parametrize(
    ("answer", "message", "reason"),
    [
        ("text", AssistantMessage("text"), "stop"),
        (ToolCall("1", "t", "{}"), AssistantMessage("", (ToolCall("1", "t", "{}"),)), "tool_calls"),
        (AssistantMessage("said"), AssistantMessage("said"), "stop"),
    ],
)
def test_answers_are_completed_to_responses(
    answer: str | ToolCall | AssistantMessage, message: AssistantMessage, reason: str
) -> None:
    response = asyncio.run(ScriptedModel([answer], name="m").respond(REQUEST))

    assert (response.message, response.finish_reason) == (message, reason)
    assert (response.usage, response.model) == (Usage(requests=1), "m")


def test_whole_response_is_given_as_it_is() -> None:
    response = ModelResponse(AssistantMessage("x"), Usage(1, 2, 3), "length", "other")

    assert asyncio.run(ScriptedModel([response]).respond(REQUEST)) is response


@pytest.mark.parametrize("text", ["", "one", "two words", " spaces  inside ", "line\nbreak"])
def test_streamed_pieces_are_not_empty_and_make_up_the_text(text: str) -> None:
    *pieces, response = asyncio.run(read(ScriptedModel([text])))

    assert isinstance(response, ModelResponse)
    texts = [piece.text for piece in pieces if isinstance(piece, TextDelta)]
    assert all(texts)
    assert "".join(texts) == response.message.text == text


def test_error_in_the_script_is_raised() -> None:
    error = ModelConnectionError("refused", model="m")

    with pytest.raises(ModelConnectionError):
        asyncio.run(ScriptedModel([error]).respond(REQUEST))


def test_requests_are_recorded_when_responding_and_when_streaming() -> None:
    model = ScriptedModel(["one", "two"])

    asyncio.run(model.respond(REQUEST))
    asyncio.run(read(model))

    assert model.requests == [REQUEST, REQUEST]


def test_request_beyond_the_script_says_what_came_last() -> None:
    model = ScriptedModel([], name="m")

    with pytest.raises(ConfigurationError, match=r"model 'm' has no answer .* number 1.*'Hi\.'"):
        asyncio.run(model.respond(REQUEST))


def test_tool_call_is_written_as_json() -> None:
    assert create_tool_call("add", {"a": [1, None]}, call_id="7") == ToolCall(
        "7", "add", '{"a": [1, null]}'
    )
