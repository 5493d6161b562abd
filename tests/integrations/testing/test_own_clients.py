"""Our own clients of both protocols against the server: what one writes, the other reads."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agent_factory.core.exceptions import (
    ModelAuthenticationError,
    ModelContextLengthError,
    ModelError,
    ModelRateLimitError,
    ModelRequestError,
)
from agent_factory.core.messages import (
    AssistantMessage,
    Image,
    Message,
    Reasoning,
    SystemMessage,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from agent_factory.core.models import (
    ModelRequest,
    ModelResponse,
    OutputSchema,
    TextDelta,
    ToolSpec,
)
from agent_factory.integrations.openai import RetryPolicy
from agent_factory.integrations.testing import ErrorAnswer, Fault, OpenAIServer
from tests.integrations.testing.clients import PARAMETERS, chat_model, responses_model

CLIENTS = [chat_model, responses_model]
ASK = ModelRequest((UserMessage("Hi"),))
ADD = ToolCall("call_1", "add", '{"a": 1, "b": 2}')
CONVERSATION: tuple[Message, ...] = (
    SystemMessage("Be brief."),
    UserMessage("Look.", (Image("https://a.test/b.png", "low"),)),
    AssistantMessage("I add.", (ADD, ToolCall("call_2", "add", '{"a": 3, "b": 4}'))),
    ToolMessage("call_1", "add", "3"),
    ToolMessage("call_2", "add", "7"),
)
FULL = ModelRequest(
    CONVERSATION,
    (ToolSpec("add", "Adds.", PARAMETERS),),
    OutputSchema("sum", {**PARAMETERS, "title": "Sum"}),
    max_output_tokens=100,
)


def called(
    client: Any, answers: Any, request: ModelRequest = ASK, *, stream: bool, **options: Any
) -> tuple[ModelResponse, str, OpenAIServer]:
    """Return the response of a call, the text that came piece by piece, and the server."""

    async def run() -> tuple[ModelResponse, str, OpenAIServer]:
        async with OpenAIServer(answers, unix=True, **options) as server, client(server) as model:
            if not stream:
                response = await model.respond(request)
                return response, response.message.text, server
            items = [item async for item in model.stream(request)]
            text = "".join(item.text for item in items if isinstance(item, TextDelta))
            assert isinstance(items[-1], ModelResponse)
            return items[-1], text, server

    return asyncio.run(run())


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("client", CLIENTS)
def test_what_a_client_sends_is_what_the_server_read(client: Any, stream: bool) -> None:
    _, _, server = called(client, ["{}"], FULL, stream=stream)
    (request,) = server.requests
    assert request.messages == CONVERSATION
    assert [spec.name for spec in request.tools] == ["add"]
    assert request.output is not None
    assert request.output.name == "sum"
    assert (request.stream, request.max_output_tokens) == (stream, 100)
    assert server.refusals == []


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("client", CLIENTS)
def test_what_the_script_says_is_what_a_client_read(client: Any, stream: bool) -> None:
    message = AssistantMessage("I add.", (ADD,), (Reasoning("Hm, a sum."),))
    response, text, _ = called(client, [message], FULL, stream=stream)
    assert response.message.text == text == "I add."
    assert response.message.tool_calls == (ADD,)
    assert [thought.text for thought in response.message.reasoning] == ["Hm, a sum."]
    assert (response.finish_reason, response.model) == ("tool_calls", "tiny")
    assert response.usage.input_tokens > response.usage.output_tokens > 0


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("client", CLIENTS)
def test_a_refusal_arrives_as_one(client: Any, stream: bool) -> None:
    refusal = ModelResponse(AssistantMessage("I cannot."), finish_reason="refusal")
    response, _, _ = called(client, [refusal], stream=stream)
    assert (response.finish_reason, response.message.text) == ("refusal", "I cannot.")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("client", CLIENTS)
def test_a_storm_of_refusals_is_outlived(client: Any, stream: bool) -> None:
    storm = [Fault(status=429, retry_after=0), Fault(status=503)]
    response, _, server = called(client, ["Paris."], stream=stream, faults=storm)
    assert response.message.text == "Paris."
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (ErrorAnswer(401), ModelAuthenticationError),
        (ErrorAnswer(429), ModelRateLimitError),
        (ErrorAnswer(400, code="context_length_exceeded"), ModelContextLengthError),
        (ErrorAnswer(404), ModelRequestError),
    ],
)
@pytest.mark.parametrize("client", CLIENTS)
def test_an_error_in_the_script_is_the_clients_error(
    client: Any, answer: ErrorAnswer, kind: type[ModelError]
) -> None:
    async def run() -> None:
        server = OpenAIServer([answer], unix=True)
        async with server, client(server, retry=RetryPolicy(max_retries=0)) as model:
            with pytest.raises(kind):
                await model.respond(ASK)

    asyncio.run(run())


@pytest.mark.parametrize("client", CLIENTS)
def test_a_stream_cut_anywhere_ends_with_an_error_and_never_with_a_wrong_answer(
    client: Any,
) -> None:
    async def run() -> int:
        texts = []
        server = OpenAIServer(
            lambda request: "Paris.",
            faults=(Fault(cut_after=size) for size in range(0, 4000, 97)),
            unix=True,
        )
        async with server, client(server, retry=RetryPolicy(max_retries=0)) as model:
            failures = 0
            for _ in range(0, 4000, 97):
                try:
                    items = [item async for item in model.stream(ASK)]
                except ModelError:
                    failures += 1
                    continue
                texts.append(items[-1].message.text)
        assert set(texts) <= {"Paris."}
        return failures

    assert asyncio.run(run()) > 5
