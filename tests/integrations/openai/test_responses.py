"""What the client of the Responses protocol sends, and what it makes of the answers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agent_factory.core import (
    AssistantMessage,
    ModelConnectionError,
    ModelError,
    ModelRateLimitError,
    ModelRequest,
    ModelRequestError,
    ModelResponse,
    ModelResponseError,
    ModelServerError,
    OutputSchema,
    Reasoning,
    SystemMessage,
    TextDelta,
    ToolCall,
    ToolMessage,
    ToolSpec,
    Usage,
    UserMessage,
)
from agent_factory.integrations.exceptions import IntegrationConfigurationError
from agent_factory.integrations.openai import OpenAIResponsesModel, RetryPolicy
from tests.integrations.openai.failing import get_failure
from tests.integrations.openai.server import (
    Answer,
    Server,
    delta,
    events,
    function_call,
    item,
    message,
    reply,
    response,
    serving,
    terminal,
)

ASK = ModelRequest((UserMessage("Hi"),))
REASONING = {"type": "reasoning", "id": "rs_1", "summary": []}


def called(
    *answers: Answer, request: ModelRequest = ASK, **options: Any
) -> tuple[ModelResponse, Server]:
    """Return what the client makes of a whole answer, and what the server got."""

    async def call() -> tuple[ModelResponse, Server]:
        async with serving(*answers) as server, server.responses_model(**options) as model:
            return await model.respond(request), server

    return asyncio.run(call())


def streamed(*answers: Answer) -> tuple[list[str], ModelResponse, Server]:
    """Return the pieces and the response that the client makes of a streamed answer."""

    async def call() -> tuple[list[str], ModelResponse, Server]:
        async with serving(*answers) as server, server.responses_model() as model:
            *pieces, last = [item async for item in model.stream(ASK)]
        assert isinstance(last, ModelResponse)
        return [piece.text for piece in pieces if isinstance(piece, TextDelta)], last, server

    return asyncio.run(call())


def failed(answer: Answer, *, stream: bool) -> tuple[ModelError, str]:
    """Return the error that a call ends with, and the text that was given out before."""

    async def call() -> tuple[ModelError, str]:
        retry = RetryPolicy(max_retries=0)
        async with serving(answer) as server, server.responses_model(retry=retry) as model:
            return await get_failure(model, ASK, stream=stream)

    return asyncio.run(call())


def test_a_plain_request_carries_the_conversation_and_is_not_stored() -> None:
    _, server = called(reply(response(message("Hi"))))
    assert server.paths == ["/v1/responses"]
    assert server.headers[0]["Authorization"] == "Bearer sk-secret"
    assert server.bodies == [
        {
            "model": "tiny",
            "input": [{"role": "user", "content": "Hi"}],
            "store": False,
            "include": ["reasoning.encrypted_content"],
        }
    ]


def test_every_kind_of_message_is_written_as_the_protocol_has_it() -> None:
    calls = (ToolCall("call_1", "add", '{"a": 1}'), ToolCall("call_2", "now", ""))
    request = ModelRequest(
        (
            SystemMessage("Be brief."),
            UserMessage("Grüße 🎉"),
            AssistantMessage("Wait.", calls),
            ToolMessage("call_1", "add", "3"),
            ToolMessage("call_2", "now", "Error: no clock", outcome="error"),
            AssistantMessage(""),
            UserMessage("Well?"),
        )
    )
    _, server = called(reply(response(message("Hi"))), request=request)
    assert server.bodies[0]["input"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Grüße 🎉"},
        {"role": "assistant", "content": "Wait."},
        {"type": "function_call", "call_id": "call_1", "name": "add", "arguments": '{"a": 1}'},
        {"type": "function_call", "call_id": "call_2", "name": "now", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call_1", "output": "3"},
        {"type": "function_call_output", "call_id": "call_2", "output": "Error: no clock"},
        {"role": "assistant", "content": ""},
        {"role": "user", "content": "Well?"},
    ]


def test_tools_and_the_shape_of_the_answer_are_described() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer", "default": 1}}}
    request = ModelRequest(
        ASK.messages, (ToolSpec("add", "Adds.", schema),), OutputSchema("sum", schema)
    )
    verbosity = {"text": {"verbosity": "low"}, "temperature": 0}
    _, server = called(reply(response(message("{}"))), request=request, extra_body=verbosity)
    body = server.bodies[0]
    assert body["temperature"] == 0
    assert body["tools"] == [
        {
            "type": "function",
            "name": "add",
            "description": "Adds.",
            "parameters": schema,
            "strict": False,
        }
    ]
    assert body["text"] == {
        "verbosity": "low",
        "format": {
            "type": "json_schema",
            "name": "sum",
            "strict": True,
            "schema": {
                "type": "object",
                "properties": {"a": {"type": "integer"}},
                "required": ["a"],
                "additionalProperties": False,
            },
        },
    }


def test_a_stream_is_asked_for() -> None:
    *_, server = streamed(events(delta("Hi"), terminal(response(message("Hi")))))
    assert server.bodies[0]["stream"] is True
    assert "stream_options" not in server.bodies[0]


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"store": True}, "must not contain 'store'"),
        ({"previous_response_id": "resp_1"}, "must not contain 'previous_response_id'"),
        ({"text": {"format": {}}}, "extra_body['text'] must be an object without 'format'"),
        ({"include": "all"}, "extra_body['include'] must be a list of strings"),
        ({"include": [1]}, "extra_body['include'] must be a list of strings"),
        ({"text": 1}, "extra_body['text'] must be an object without 'format'"),
        ({"stop": {1}}, "extra_body is not JSON"),
    ],
)
def test_fields_that_the_client_sets_itself_are_refused(extra: dict[str, Any], words: str) -> None:
    with pytest.raises(IntegrationConfigurationError) as caught:
        OpenAIResponsesModel("tiny", api_key=None, extra_body=extra)
    assert words in caught.value.message


def test_an_answer_carries_text_usage_reason_and_model() -> None:
    body = response(REASONING, message("Pa", "ris"), message("."), {"type": "from_the_future"})
    answer, _ = called(reply(body))
    usage = Usage(1, 7, 3, cost=None)
    assert answer == ModelResponse(AssistantMessage("Paris."), usage, "stop", "tiny-1")


def test_tokens_that_were_cached_and_tokens_that_were_thoughts_are_parts_of_the_usage() -> None:
    usage = {
        "input_tokens": 7,
        "output_tokens": 5,
        "input_tokens_details": {"cached_tokens": 4},
        "output_tokens_details": {"reasoning_tokens": 3},
    }
    answer, _ = called(reply(response(message("Paris."), usage=usage)))
    assert answer.usage == Usage(1, 7, 5, 0, 4, 3, None)


def test_parallel_tool_calls_keep_their_order_and_are_the_reason_to_stop() -> None:
    calls = [function_call("add", '{"a":1}', "x"), function_call("add", '{"a":2}', "y")]
    answer, _ = called(reply(response(REASONING, message("Wait."), *calls)))
    assert answer.message == AssistantMessage(
        "Wait.", (ToolCall("x", "add", '{"a":1}'), ToolCall("y", "add", '{"a":2}'))
    )
    assert answer.finish_reason == "tool_calls"


def test_a_refusal_is_told_apart_from_an_answer_and_has_the_models_words() -> None:
    answer, _ = called(reply(response(message(refusal="I cannot."))))
    assert (answer.finish_reason, answer.message.text) == ("refusal", "I cannot.")
    pieces, answer, _ = streamed(
        events(
            delta("I ", kind="refusal"),
            delta("cannot.", kind="refusal"),
            terminal(response(message(refusal="I cannot."))),
        )
    )
    assert pieces == ["I ", "cannot."]
    assert (answer.finish_reason, answer.message.text) == ("refusal", "I cannot.")


@pytest.mark.parametrize(
    ("reason", "finish"),
    [("max_output_tokens", "length"), ("content_filter", "content_filter")],
)
def test_an_incomplete_answer_says_why(reason: str, finish: str) -> None:
    body = response(message("Pa"), status="incomplete", incomplete_details={"reason": reason})
    answer, _ = called(reply(body))
    assert (answer.finish_reason, answer.message.text) == (finish, "Pa")
    pieces, answer, _ = streamed(events(delta("Pa"), terminal(body)))
    assert (pieces, answer.finish_reason) == (["Pa"], finish)


@pytest.mark.parametrize("cut", [0, 1, 7, 1000])
def test_a_stream_is_put_together_and_unknown_events_are_passed_over(cut: int) -> None:
    calls = [function_call("add", '{"a":1}', "x"), function_call("sub", "{}", "y")]
    begun = [{**call, "arguments": ""} for call in calls]
    pieces, answer, _ = streamed(
        events(
            {"type": "response.created", "response": response(status="in_progress")},
            b"event: response.output_item.added\n",
            item(REASONING, 0, "added"),
            {"type": "response.reasoning_summary_text.delta", "output_index": 0, "delta": "Hm"},
            item(REASONING, 0),
            item({**message(), "status": "in_progress"}, 1, "added"),
            delta("Grüße ", 1),
            delta("🎉", 1),
            item(message("Grüße 🎉"), 1),
            item(begun[0], 2, "added"),
            item(begun[1], 3, "added"),
            {"type": "response.function_call_arguments.delta", "output_index": 2, "delta": "{"},
            item(calls[1], 3),
            item(calls[0], 2),
            terminal(response(REASONING, message("Grüße 🎉"), *calls)),
            done=False,
            cut=cut,
        )
    )
    assert pieces == ["Grüße ", "🎉"]
    assert answer.message == AssistantMessage(
        "Grüße 🎉",
        (ToolCall("x", "add", '{"a":1}'), ToolCall("y", "sub", "{}")),
        (Reasoning("Hm"),),
    )
    assert (answer.finish_reason, answer.usage) == ("tool_calls", Usage(1, 7, 3, cost=None))


def test_text_that_comes_only_with_the_end_is_given_out_all_the_same() -> None:
    pieces, answer, _ = streamed(events(delta("Pa"), terminal(response(message("Paris.")))))
    assert pieces == ["Pa", "ris."]
    assert answer.message.text == "Paris."


def test_an_end_without_output_keeps_what_came_before() -> None:
    call = function_call("add", "{}", "x")
    pieces, answer, _ = streamed(events(delta("Wait."), item(call, 1), terminal(response())))
    assert pieces == ["Wait."]
    assert answer.message == AssistantMessage("Wait.", (ToolCall("x", "add", "{}"),))


def test_a_whole_answer_to_a_request_for_a_stream_is_taken() -> None:
    pieces, answer, _ = streamed(reply(response(message("Paris."))))
    assert (pieces, answer.message.text) == (["Paris."], "Paris.")


def test_a_passing_failure_is_repeated_before_the_first_piece() -> None:
    broken = events(item(REASONING, 0, "added"), done=False, abort=True)
    good = events(delta("Paris."), terminal(response(message("Paris."))))
    pieces, _, server = streamed(reply({}, status=503), broken, good)
    assert (pieces, len(server.bodies)) == (["Paris."], 3)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("server_error", ModelServerError),
        ("rate_limit_exceeded", ModelRateLimitError),
        ("invalid_prompt", ModelRequestError),
    ],
)
def test_a_failed_response_is_the_error_that_its_code_says(
    code: str, kind: type[ModelError]
) -> None:
    body = response(status="failed", error={"code": code, "message": "It went wrong."})
    reported = {"type": "error", "code": code, "message": "It went wrong.", "param": None}
    for answer, stream, given in (
        (reply(body), False, ""),
        (events(delta("Pa"), terminal(body)), True, "Pa"),
        (events(delta("Pa"), reported), True, "Pa"),
    ):
        error, text = failed(answer, stream=stream)
        assert type(error) is kind
        assert "It went wrong" in error.message
        assert text == given


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "'status' is None"),
        (response(status="queued"), "'status' is 'queued', which is no end"),
        (response(status="failed"), "'status' is 'failed', which is no end"),
        (response(status="incomplete"), "'incomplete_details' is missing"),
        (
            response(status="incomplete", incomplete_details={"reason": "tired"}),
            "'incomplete_details.reason' is 'tired'",
        ),
        (response(output=None), "'output' is missing instead of a list"),
        (response("x"), "'output[0]' is a string instead of an object"),
        (response({"type": "message"}), "'output[0].content' is missing"),
        (response(message(3)), "'output[0].content[0].text' is a number"),  # type: ignore[arg-type]
        (response({"type": "function_call", "call_id": "x"}), "tool call number 1 has no name"),
        (response(function_call("f", "{}", "x"), function_call("f", "{}", "x")), "the same id"),
        (response(usage={"input_tokens": -1}), "'usage.input_tokens' is -1"),
        (response(usage={"input_tokens": 2**53}), "'usage.input_tokens' is 9007199254740992"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_that_breaks_the_protocol_is_named(
    body: dict[str, Any], words: str, stream: bool
) -> None:
    last = {"type": "response.completed", "response": body}
    error, _ = failed(events(last) if stream else reply(body), stream=stream)
    assert isinstance(error, ModelResponseError)
    assert words in error.message


@pytest.mark.parametrize(
    ("items", "words"),
    [
        ((), "ended before the model said why it stopped"),
        ((delta(3),), "'delta' is a number instead of a string"),
        ((delta("x", index="0"),), "'output_index' is '0' instead of a whole number"),
        ((item(3),), "'item' is a number instead of an object"),
        ((item(message("Rome.")),), "'item' is another text than its pieces were"),
        (
            (item(function_call("f", "", "x"), 1, "added"), terminal(response())),
            "output[1] began a tool call that was never finished",
        ),
    ],
)
@pytest.mark.parametrize("done", [True, False])
def test_a_stream_that_breaks_the_protocol_is_named(
    items: tuple[object, ...], words: str, done: bool
) -> None:
    error, text = failed(events(delta("Pa"), *items, done=done), stream=True)
    assert isinstance(error, ModelResponseError)
    assert words in error.message
    assert text == "Pa"


def test_a_connection_that_breaks_in_a_stream_is_not_taken_for_its_end() -> None:
    error, text = failed(events(delta("Pa"), done=False, abort=True), stream=True)
    assert isinstance(error, ModelConnectionError)
    assert text == "Pa"


def test_the_key_is_in_no_message_and_no_representation() -> None:
    refused = reply({"error": {"message": "Incorrect API key: sk-secret."}}, status=401)
    error, _ = failed(refused, stream=False)
    assert "sk-secret" not in f"{error} {error.details}"
    shown = repr(OpenAIResponsesModel("tiny", api_key="sk-secret"))
    assert shown == "OpenAIResponsesModel('tiny', base_url='https://api.openai.com/v1')"
