from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.core.exceptions import ConfigurationError, ModelConnectionError
from agent_factory.core.messages import AssistantMessage, Reasoning, ToolCall, UserMessage
from agent_factory.core.models import (
    Model,
    ModelDelta,
    ModelRequest,
    ModelResponse,
    ReasoningDelta,
    TextDelta,
)
from agent_factory.core.testing import (
    FunctionModel,
    ScriptedModel,
    ScriptedStream,
    create_tool_call,
    run_virtual,
)
from agent_factory.core.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent_factory.core.testing import Answer

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


@pytest.mark.parametrize("answers", ["abc", create_tool_call("look", {}), None])
def test_script_that_is_no_list_is_refused(answers: Any) -> None:
    with pytest.raises(ConfigurationError, match="'m' must be a list of answers, not"):
        ScriptedModel(answers, name="m")


def test_tool_call_is_written_as_json() -> None:
    assert create_tool_call("add", {"a": [1, None]}, call_id="7") == ToolCall(
        "7", "add", '{"a": [1, null]}'
    )


def deltas() -> st.SearchStrategy[list[ModelDelta]]:
    texts = st.text(min_size=1, max_size=5)
    return st.lists(texts.map(TextDelta) | texts.map(ReasoningDelta), max_size=5)


def answers() -> st.SearchStrategy[Callable[[], Answer]]:
    """Makers of answers, since an exception that was raised once carries a traceback."""
    streams = st.builds(
        lambda pieces, fails, delay: lambda: ScriptedStream(
            pieces, error=KeyError("x") if fails else None, delay=delay
        ),
        deltas(),
        st.booleans(),
        st.sampled_from([0.0, 600.0]),
    )
    values: st.SearchStrategy[str | ToolCall] = st.text(max_size=10) | st.just(
        ToolCall("1", "t", "{}")
    )
    plain: st.SearchStrategy[Callable[[], Answer]] = values.map(lambda value: lambda: value)
    return streams | plain


async def fold(model: Model) -> ModelResponse:
    *_, last = [item async for item in model.stream(REQUEST)]
    assert isinstance(last, ModelResponse)
    return last


def outcome(model: Model, streamed: bool) -> object:
    try:
        return run_virtual(lambda: fold(model) if streamed else model.respond(REQUEST))
    except KeyError as error:
        return error.args


@given(answer=answers())
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whole_answer_is_what_the_stream_ends_with(answer: Callable[[], Answer]) -> None:
    assert outcome(ScriptedModel([answer()]), True) == outcome(ScriptedModel([answer()]), False)


def test_stream_without_a_response_makes_one_of_its_pieces() -> None:
    answer = ScriptedStream([ReasoningDelta("Hm."), TextDelta("Yes"), TextDelta(".")])

    *pieces, response = asyncio.run(read(ScriptedModel([answer], name="m")))

    assert pieces == list(answer.deltas)
    assert response == ModelResponse(
        AssistantMessage("Yes.", reasoning=(Reasoning("Hm."),)), Usage(requests=1), "stop", "m"
    )


def test_stream_says_text_before_it_asks_for_a_tool() -> None:
    response = ModelResponse(AssistantMessage("Let me see.", (ToolCall("1", "look", "{}"),)))
    answer = ScriptedStream([TextDelta("Let me "), TextDelta("see.")], response)

    assert asyncio.run(read(ScriptedModel([answer]))) == [*answer.deltas, response]


@pytest.mark.parametrize("error", [ModelConnectionError("reset", model="m"), OSError("reset")])
def test_stream_breaks_off_after_its_pieces(error: Exception) -> None:
    model = FunctionModel(lambda _: ScriptedStream([TextDelta("half ")], error=error))
    seen: list[object] = []

    async def scenario() -> None:
        async for item in model.stream(REQUEST):
            seen.append(item)

    with pytest.raises(type(error), match="reset"):
        asyncio.run(scenario())
    assert seen == [TextDelta("half ")]


def test_any_exception_in_the_script_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        asyncio.run(ScriptedModel([ZeroDivisionError()]).respond(REQUEST))


def test_stream_hangs_after_its_pieces() -> None:
    model = ScriptedModel([ScriptedStream([TextDelta("half ")], delay=math.inf)])
    seen: list[object] = []

    async def scenario() -> None:
        async with asyncio.timeout(3600):
            async for item in model.stream(REQUEST):
                seen.append(item)

    with pytest.raises(TimeoutError):
        run_virtual(scenario)
    assert seen == [TextDelta("half ")]


def test_late_stream_answers_after_its_delay() -> None:
    async def scenario() -> float:
        await ScriptedModel([ScriptedStream([TextDelta("x")], delay=90)]).respond(REQUEST)
        return asyncio.get_running_loop().time()

    assert run_virtual(scenario) == 90


@pytest.mark.parametrize("delay", [-1.0, math.nan])
def test_delay_that_is_no_duration_is_refused(delay: float) -> None:
    with pytest.raises(ConfigurationError, match="delay"):
        ScriptedStream(delay=delay)


def test_stream_cannot_end_twice() -> None:
    with pytest.raises(ConfigurationError, match="remove one"):
        ScriptedStream(response=ModelResponse(AssistantMessage("x")), error=OSError())


def test_pieces_must_make_up_the_text_of_the_response() -> None:
    with pytest.raises(ConfigurationError, match=r"'half'.*'whole'"):
        ScriptedStream([TextDelta("half")], ModelResponse(AssistantMessage("whole")))
