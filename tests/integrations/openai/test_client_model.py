"""What a client of the ``openai`` package is asked, and what its answers and exceptions become."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web
from openai import OpenAI, OpenAIError

from agent_factory.core import (
    AssistantMessage,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelContextLengthError,
    ModelDelta,
    ModelError,
    ModelRateLimitError,
    ModelRequest,
    ModelRequestError,
    ModelResponse,
    ModelResponseError,
    ModelServerError,
    OutputSchema,
    TextDelta,
    ToolCall,
    ToolMessage,
    ToolSpec,
    Usage,
    UserMessage,
)
from agent_factory.integrations.exceptions import IntegrationConfigurationError, ModelQuotaError
from agent_factory.integrations.openai import OpenAIClientModel
from tests.integrations.openai.failing import get_failure
from tests.integrations.openai.sdk_clients import azure_client, sdk_client
from tests.integrations.openai.server import Answer, chunk, completion, events, reply, serving

ASK = ModelRequest((UserMessage("Hi"),))
DONE = chunk(finish_reason="stop")
USAGE = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
CALL = {"id": "x", "type": "function", "function": {"name": "add", "arguments": '{"a":1}'}}


def failure(
    answer: Answer, *, stream: bool = False, request: ModelRequest = ASK, **options: Any
) -> tuple[ModelError, str]:
    """Return the error that a call ends with, and the text that was given out before."""

    async def call() -> tuple[ModelError, str]:
        async with serving(answer) as server, sdk_client(server, **options) as client:
            return await get_failure(OpenAIClientModel("tiny", client), request, stream=stream)

    return asyncio.run(call())


def raised(error: Exception) -> BaseException:
    """Return what a call raises whose client raises something."""

    async def create(**_: Any) -> None:
        raise error

    client: Any = SimpleNamespace(
        chat=SimpleNamespace(completions=SimpleNamespace(create=create)),
        base_url="http://server.test/v1",
        api_key="sk-secret",
    )

    async def call() -> BaseException:
        with pytest.raises((ModelError, type(error))) as caught:
            await OpenAIClientModel("tiny", client).respond(ASK)
        return caught.value

    return asyncio.run(call())


@pytest.mark.parametrize("stream", [False, True])
def test_the_server_gets_what_the_lean_client_sends(stream: bool) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer", "default": 1}}}
    request = ModelRequest(
        (
            UserMessage("Grüße a\udc80b"),
            AssistantMessage("", (ToolCall("x", "add", "{}"),)),
            ToolMessage("x", "add", "3"),
        ),
        (ToolSpec("add", "Adds.", schema),),
        OutputSchema("sum", schema),
    )
    extra = {"temperature": 0, "made_up": [1]}

    async def call() -> list[dict[str, Any]]:
        answer = events(chunk("{}"), DONE) if stream else reply(completion("{}"))
        async with serving(answer) as server, sdk_client(server) as client:
            async with server.model(extra_body=extra) as lean:
                for model in (lean, OpenAIClientModel("tiny", client, extra_body=extra)):
                    if stream:
                        _ = [item async for item in model.stream(request)]
                    else:
                        await model.respond(request)
            return server.bodies

    lean, ours = asyncio.run(call())
    assert ours == lean
    assert ours["made_up"] == [1]


def test_an_answer_carries_text_calls_usage_reason_and_model() -> None:
    async def call() -> ModelResponse:
        body = completion("Wait.", finish_reason="tool_calls", tool_calls=[CALL])
        async with serving(reply(body)) as server, azure_client(server) as client:
            return await OpenAIClientModel("tiny", client).respond(ASK)

    assert asyncio.run(call()) == ModelResponse(
        AssistantMessage("Wait.", (ToolCall("x", "add", '{"a":1}'),)),
        Usage(1, 7, 3, cost=None),
        "tool_calls",
        "tiny-1",
    )


def test_a_stream_gives_its_pieces_and_the_usage_of_its_last_chunk() -> None:
    last = {"choices": [], "usage": USAGE}
    answer = events(chunk("Pa"), chunk("ris."), DONE, last)

    async def call() -> list[ModelDelta | ModelResponse]:
        async with serving(answer) as server, sdk_client(server) as client:
            return [item async for item in OpenAIClientModel("tiny", client).stream(ASK)]

    assert asyncio.run(call()) == [
        TextDelta("Pa"),
        TextDelta("ris."),
        ModelResponse(AssistantMessage("Paris."), Usage(1, 5, 2, cost=None), "stop", "tiny-1"),
    ]


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (401, {"error": {"message": "Bad key sk-secret."}}, ModelAuthenticationError, "key ***"),
        (404, {"error": {"message": "No model"}}, ModelRequestError, "No model"),
        (429, {"error": {"message": "Slow"}}, ModelRateLimitError, "Wait 30 s"),
        (429, {"error": {"code": "insufficient_quota"}}, ModelQuotaError, "no credit"),
        (400, {"error": {"code": "context_length_exceeded"}}, ModelContextLengthError, "Shorten"),
        (400, {"message": "vLLM's way"}, ModelRequestError, "vLLM's way"),
        (502, "<title>502 Bad Gateway</title>", ModelServerError, "502 Bad Gateway"),
        (500, "", ModelServerError, "Try again later"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_a_status_becomes_the_error_that_says_what_to_do(
    status: int, body: object, kind: type[ModelError], words: str, stream: bool
) -> None:
    answer = reply(body, status=status, headers={"Retry-After": "30"})
    error, _ = failure(answer, stream=stream)
    assert type(error) is kind
    assert (error.status, error.retry_after) == (status, 30)
    assert words in error.message
    assert "model 'tiny': the server at http://server.test/v1/ " in error.message
    assert "sk-secret" not in f"{error} {error.details} {error.__cause__}"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"message": "out of memory"}, ModelServerError),
        ({"message": "out of memory", "code": "rate_limit_exceeded"}, ModelRateLimitError),
    ],
)
def test_an_error_in_a_good_answer_is_an_error(
    error: dict[str, Any], kind: type[ModelError]
) -> None:
    whole, _ = failure(reply({"error": error}))
    streamed, text = failure(events(chunk("Pa"), {"error": error}), stream=True)
    assert type(whole) is type(streamed) is kind
    assert text == "Pa"
    assert "out of memory" in whole.message
    assert "out of memory" in streamed.message


@pytest.mark.parametrize(
    "body", ["<html>Hello</html>", {}, {"choices": []}, completion(finish_reason="tired")]
)
def test_an_answer_that_breaks_the_protocol_is_named(body: object) -> None:
    error, _ = failure(reply(body))
    assert isinstance(error, ModelResponseError)
    assert "cannot be understood" in error.message


def test_an_answer_that_only_claims_to_be_json_is_named() -> None:
    error, _ = failure(reply("{", kind="application/json"))
    assert isinstance(error, ModelResponseError)


@pytest.mark.parametrize(
    "items", [(b"data: {\n\n",), (b'data: {"a": "\xff"}\n\n',), ({"choices": 1},), ()]
)
def test_a_stream_that_breaks_the_protocol_is_named(items: tuple[object, ...]) -> None:
    error, text = failure(events(chunk("Pa"), *items), stream=True)
    assert isinstance(error, ModelResponseError)
    assert text == "Pa"


def test_a_connection_that_breaks_in_a_stream_is_not_taken_for_its_end() -> None:
    error, text = failure(events(chunk("Pa"), done=False, abort=True), stream=True)
    assert isinstance(error, ModelConnectionError)
    assert text == "Pa"


def test_no_server_at_all_is_a_connection_error() -> None:
    async def call() -> None:
        async with serving(reply(completion())) as server:
            client = sdk_client(server)
        async with client:
            with pytest.raises(ModelConnectionError, match="failed \\(ConnectError\\)"):
                await OpenAIClientModel("tiny", client).respond(ASK)

    asyncio.run(call())


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("timeout", "options", "words"),
    [
        (0.05, {}, "in the time given to the call"),
        (60, {"timeout": 0.05}, "in the client's own timeout"),
    ],
)
def test_a_silent_server_is_given_up(
    stream: bool, timeout: float, options: dict[str, float], words: str
) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(60)
        return web.Response()

    request = ModelRequest(ASK.messages, timeout=timeout)
    error, _ = failure(answer, stream=stream, request=request, **options)
    assert isinstance(error, ModelConnectionError)
    assert words in error.message


def test_a_stream_that_stops_halfway_is_given_up_at_the_requests_timeout() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = await events(chunk("Pa"), done=False)(request)
        await asyncio.sleep(60)
        return response

    error, text = failure(answer, stream=True, request=ModelRequest(ASK.messages, timeout=0.2))
    assert isinstance(error, ModelConnectionError)
    assert text == "Pa"


def test_the_client_repeats_failed_calls_as_it_was_told_to() -> None:
    async def call() -> int:
        busy = reply({}, status=503, headers={"Retry-After-Ms": "1"})
        async with serving(busy, reply(completion())) as server:
            async with sdk_client(server, max_retries=1) as client:
                await OpenAIClientModel("tiny", client).respond(ASK)
            return len(server.bodies)

    assert asyncio.run(call()) == 2


def test_a_failure_of_the_client_itself_is_an_error_that_is_not_repeated() -> None:
    error = raised(OpenAIError("no token"))
    assert type(error) is ModelError
    assert not error.retryable
    assert "could not make the call (OpenAIError)" in error.message


def test_a_strangers_exception_is_left_alone() -> None:
    mistake = TypeError("a mistake in a program")
    assert raised(mistake) is mistake


def test_a_client_that_blocks_is_refused_at_once() -> None:
    with (
        OpenAI(api_key="sk-secret") as client,
        pytest.raises(IntegrationConfigurationError, match="give AsyncOpenAI"),
    ):
        OpenAIClientModel("tiny", client)  # type: ignore[arg-type]  # type checkers refuse it too


@pytest.mark.parametrize(
    ("model", "extra", "words"),
    [(" ", {}, "model must not be empty"), ("tiny", {"n": 2}, "must not contain 'n'")],
)
def test_values_that_cannot_work_are_refused_at_once(
    model: str, extra: dict[str, object], words: str
) -> None:
    client: Any = SimpleNamespace()
    with pytest.raises(IntegrationConfigurationError, match=words):
        OpenAIClientModel(model, client, extra_body=extra)


def test_names_and_representations_hold_no_secrets() -> None:
    client: Any = SimpleNamespace(base_url="http://me:hidden@host/v1?key=hidden", api_key="hidden")
    model = OpenAIClientModel("tiny", client)
    assert model.name == "openai:tiny"
    assert repr(model) == "OpenAIClientModel('tiny', base_url='http://host/v1')"


def test_the_openai_package_is_not_imported() -> None:
    code = "import agent_factory.integrations.openai, sys; sys.exit('openai' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=False, timeout=60)
    assert done.returncode == 0
