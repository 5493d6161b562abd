from __future__ import annotations

import asyncio
import json
import math
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.core.clock import Clock
from agent_factory.core.context import ToolContext
from agent_factory.core.exceptions import (
    ConfigurationError,
    CoreError,
    ModelError,
    ModelRateLimitError,
    ToolError,
    ToolExecutionError,
    ToolTimeoutError,
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
    Model,
    ModelDelta,
    ModelRequest,
    ModelResponse,
    ModelRetry,
    OutputSchema,
    ReasoningDelta,
    TextDelta,
    TokenLogprob,
    ToolSpec,
)
from agent_factory.core.testing import (
    Cassette,
    CassetteFormatError,
    CassetteMissError,
    CassetteUnusedError,
    FunctionModel,
    ScriptedModel,
    ScriptedStream,
    VirtualClock,
    create_tool_call,
    run_virtual,
)
from agent_factory.core.tools import Tool, tool

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from agent_factory.core.testing import Answer

REQUEST = ModelRequest((UserMessage("Hi."),))
CONTEXT = ToolContext(None, "run", "call")


def ask(text: str) -> ModelRequest:
    return ModelRequest((UserMessage(text),))


def respond(model: Model, *requests: ModelRequest) -> list[ModelResponse]:
    async def scenario() -> list[ModelResponse]:
        return [await model.respond(request) for request in requests]

    return asyncio.run(scenario())


def read(model: Model, request: ModelRequest = REQUEST) -> list[ModelDelta | ModelResponse]:
    async def scenario() -> list[ModelDelta | ModelResponse]:
        return [item async for item in model.stream(request)]

    return asyncio.run(scenario())


def record(
    path: Path, answers: Iterable[Answer], *requests: ModelRequest, secrets: Iterable[str] = ()
) -> None:
    """Record one answer for each request."""
    with Cassette(path, "record", secrets=secrets) as cassette:
        respond(cassette.wrap_model(ScriptedModel(answers, name="m")), *requests)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "tape.json"


def test_answer_is_replayed_without_a_model(path: Path) -> None:
    record(path, ["Hello."], REQUEST)

    with Cassette(path) as cassette:
        model = cassette.wrap_model()
        assert isinstance(model, Model)
        assert model.name == "m"
        assert respond(model, REQUEST)[0].message.text == "Hello."


def test_replay_does_not_ask_the_real_model(path: Path) -> None:
    record(path, ["Hello."], REQUEST)
    real = ScriptedModel([], name="m")

    with Cassette(path) as cassette:
        respond(cassette.wrap_model(real), REQUEST)

    assert real.requests == []


def test_stream_is_replayed_in_the_pieces_it_came_in(path: Path) -> None:
    response = ModelResponse(
        AssistantMessage(
            "Let me see.",
            (create_tool_call("look", {"at": "x"}, call_id="abc"),),
            (Reasoning("Hm.", '{"id": 1}', "p"),),
        ),
        finish_reason="tool_calls",
        model="m-1",
        logprobs=(TokenLogprob("Let", -0.5, (("Let", -0.5), ("No", -1.5))),),
    )
    pieces: list[ModelDelta] = [
        ReasoningDelta("H"),
        ReasoningDelta("m."),
        TextDelta("Let me "),
        TextDelta("see."),
    ]
    with Cassette(path, "record") as cassette:
        real = ScriptedModel([ScriptedStream(pieces, response)], name="m")
        assert read(cassette.wrap_model(real)) == [*pieces, response]

    with Cassette(path) as cassette:
        assert read(cassette.wrap_model()) == [*pieces, response]


def test_recorded_stream_can_be_had_as_a_whole_and_the_other_way_round(path: Path) -> None:
    with Cassette(path, "record") as cassette:
        model = cassette.wrap_model(ScriptedModel(["One two.", "Three."], name="m"))
        read(model)
        respond(model, REQUEST)

    with Cassette(path) as cassette:
        model = cassette.wrap_model()
        assert respond(model, REQUEST)[0].message.text == "One two."
        piece, response = read(model)
        assert piece == TextDelta("Three.")
        assert isinstance(response, ModelResponse)
        assert response.message.text == "Three."


def test_error_of_a_model_is_replayed(path: Path) -> None:
    error = ModelRateLimitError(
        "slow down", model="m", status=429, retry_after=2.5, details={"more": [1]}
    )
    with Cassette(path, "record") as cassette, pytest.raises(ModelRateLimitError):
        read(cassette.wrap_model(ScriptedModel([error], name="m")))
    with Cassette(path) as cassette, pytest.raises(ModelRateLimitError) as caught:
        read(cassette.wrap_model())
    assert caught.value.to_dict() == error.to_dict()
    assert (caught.value.status, caught.value.retry_after) == (429, 2.5)


@pytest.mark.parametrize("streamed", [True, False])
def test_retries_are_told_of_again(path: Path, streamed: bool) -> None:
    retries = [ModelRetry("m", 1, "busy", 0.5), ModelRetry("m", 2, "busy", 1.0, "n")]

    def answer(request: ModelRequest) -> str:
        for retry in retries:
            request.notify(retry)
        return "Hello."

    told: list[ModelRetry] = []
    request = replace(REQUEST, notify=told.append)
    for _ in range(2):
        with Cassette(path, "auto") as cassette:
            model = cassette.wrap_model(FunctionModel(answer, name="m"))
            if streamed:
                read(model, request)
            else:
                respond(model, request)

    assert told == retries * 2


def test_error_of_somebody_elses_class_comes_back_as_the_class_of_core(path: Path) -> None:
    class OddError(ModelRateLimitError):
        code = "odd"

    with Cassette(path, "record") as cassette, pytest.raises(OddError):
        respond(cassette.wrap_model(ScriptedModel([OddError("x", model="m")], name="m")), REQUEST)
    with Cassette(path) as cassette, pytest.raises(ModelRateLimitError, match="x"):
        respond(cassette.wrap_model(), REQUEST)


def test_stream_that_breaks_off_is_replayed_up_to_its_error(path: Path) -> None:
    broken = ScriptedStream([TextDelta("half ")], error=ModelError("reset", model="m"))
    seen: list[object] = []

    async def scenario(model: Model) -> None:
        async for item in model.stream(REQUEST):
            seen.append(item)

    for _ in range(2):
        with Cassette(path, "auto") as cassette:
            model = cassette.wrap_model(ScriptedModel([broken], name="m"))
            with pytest.raises(ModelError, match="reset"):
                asyncio.run(scenario(model))
    assert seen == [TextDelta("half ")] * 2


def test_answer_that_was_cut_off_hangs_again(path: Path) -> None:
    hanging = ScriptedStream([TextDelta("half ")], delay=math.inf)
    seen: list[object] = []

    async def scenario(model: Model) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(60):
                async for item in model.stream(REQUEST):
                    seen.append(item)

    for _ in range(2):
        with Cassette(path, "auto") as cassette:
            model = cassette.wrap_model(ScriptedModel([hanging], name="m"))
            run_virtual(scenario(model))
    assert seen == [TextDelta("half ")] * 2


def test_whole_answer_that_was_cut_off_hangs_again(path: Path) -> None:
    async def scenario(model: Model) -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(60):
                await model.respond(REQUEST)
        return asyncio.get_running_loop().time()

    for _ in range(2):
        with Cassette(path, "auto") as cassette:
            real = ScriptedModel([ScriptedStream(delay=math.inf)], name="m")
            assert run_virtual(scenario(cassette.wrap_model(real))) == 60


def test_stream_that_its_reader_left_early_is_replayed_that_far(path: Path) -> None:
    async def scenario(model: Model) -> list[object]:
        seen: list[object] = []
        async with aclosing(model.stream(REQUEST)) as items:  # type: ignore[type-var]  # it is a generator
            async for item in items:
                seen.append(item)
                if len(seen) == 2:
                    break
        return seen

    for _ in range(2):
        with Cassette(path, "auto") as cassette:
            model = cassette.wrap_model(ScriptedModel(["a b c d"], name="m"))
            assert asyncio.run(scenario(model)) == [TextDelta("a "), TextDelta("b ")]


def test_defect_of_a_model_is_not_recorded(path: Path) -> None:
    with Cassette(path, "record") as cassette, pytest.raises(ZeroDivisionError):
        respond(cassette.wrap_model(ScriptedModel([ZeroDivisionError()], name="m")), REQUEST)

    assert not path.exists()


def test_same_request_gets_its_answers_in_the_recorded_order(path: Path) -> None:
    record(path, ["1", "2", "other"], REQUEST, REQUEST, ask("Else?"))

    with Cassette(path) as cassette:
        responses = respond(cassette.wrap_model(), ask("Else?"), REQUEST, REQUEST)

    assert [response.message.text for response in responses] == ["other", "1", "2"]


def conversation(*ids: str) -> ModelRequest:
    messages: list[Message] = [SystemMessage("Be kind."), UserMessage("Look.")]
    for call_id in ids:
        messages += [
            AssistantMessage("", (ToolCall(call_id, "look", '{"a": 1}'),)),
            ToolMessage(call_id, "look", "seen"),
        ]
    return ModelRequest(tuple(messages))


@given(
    first=st.lists(st.text(), min_size=2, max_size=2),
    second=st.lists(st.text(), min_size=2, max_size=2),
)
@settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
def test_identifiers_of_calls_do_not_matter(
    tmp_path: Path, first: list[str], second: list[str]
) -> None:
    record(tmp_path / "tape.json", ["Done."], conversation(*first))

    with Cassette(tmp_path / "tape.json") as cassette:
        assert respond(cassette.wrap_model(), conversation(*second))[0].message.text == "Done."


@pytest.mark.parametrize(
    "same",
    [
        replace(REQUEST, timeout=1.0),
        replace(REQUEST, memo={"a": 1}),
        replace(REQUEST, notify=print),
    ],
)
def test_what_the_model_does_not_see_does_not_matter(path: Path, same: ModelRequest) -> None:
    record(path, ["x"], REQUEST)

    with Cassette(path) as cassette:
        assert respond(cassette.wrap_model(), same)


@pytest.mark.parametrize(
    "other",
    [
        ask("Ho."),
        ModelRequest((SystemMessage("Be kind."), UserMessage("Hi."))),
        replace(REQUEST, tools=(ToolSpec("t", "", {"type": "object"}),)),
        replace(REQUEST, output=OutputSchema("o", {"type": "object"})),
        replace(REQUEST, max_output_tokens=5),
        ModelRequest((UserMessage("Hi.", (Image.from_bytes(b"x", "image/png"),)),)),
    ],
)
def test_what_the_model_sees_matters(path: Path, other: ModelRequest) -> None:
    record(path, ["x"], REQUEST)

    with pytest.raises(CassetteMissError), Cassette(path) as cassette:
        respond(cassette.wrap_model(), other)


def answered(arguments: str, content: str) -> ModelRequest:
    return ModelRequest(
        (
            UserMessage("Look."),
            AssistantMessage("", (ToolCall("1", "look", arguments),)),
            ToolMessage("1", "look", content),
        )
    )


def test_white_space_and_order_in_json_are_no_difference(path: Path) -> None:
    record(path, ["x"], answered('{"a": 1, "b": [2]}', '{"c": null}'))

    with Cassette(path) as cassette:
        assert respond(cassette.wrap_model(), answered('{"b":[2],"a":1}', '{"c":null}'))


@pytest.mark.parametrize(
    ("recorded", "asked"),
    [
        ('{"a": 1}', '{"a": 1.0}'),
        ('{"a": NaN}', '{"a":NaN}'),
        ('{"a": 1, "a": 2}', '{"a": 2}'),
        ("[" * 500 + "]" * 500, " " + "[" * 500 + "]" * 500),
        ("{broken", "{ broken"),
    ],
)
def test_json_of_another_meaning_is_a_difference(path: Path, recorded: str, asked: str) -> None:
    record(path, ["x"], answered("{}", recorded))

    with pytest.raises(CassetteMissError), Cassette(path) as cassette:
        respond(cassette.wrap_model(), answered("{}", asked))
    with Cassette(path) as cassette:
        respond(cassette.wrap_model(), answered("{}", recorded))


def test_pictures_are_told_apart_and_not_written(path: Path) -> None:
    def show(data: bytes) -> ModelRequest:
        return ModelRequest((UserMessage("?", (Image.from_bytes(data, "image/png"),)),))

    record(path, ["cat", "dog"], show(b"cat" * 1000), show(b"dog" * 1000))

    with Cassette(path) as cassette:
        answers = respond(cassette.wrap_model(), show(b"dog" * 1000), show(b"cat" * 1000))
    assert [answer.message.text for answer in answers] == ["dog", "cat"]
    assert path.stat().st_size < 2000


def test_miss_names_file_and_request_and_shows_the_nearest_difference(path: Path) -> None:
    record(path, ["1", "2"], ask("What is the weather in Bern today?"), ask("Sing!"))

    with Cassette(path) as cassette:
        model = cassette.wrap_model()
        respond(model, ask("Sing!"))
        with pytest.raises(CassetteMissError) as caught:
            respond(model, ask("What is the weather in Rome today?"))
        cassette.misses.clear()
        respond(model, ask("What is the weather in Bern today?"))

    error = caught.value
    assert isinstance(error, CoreError)
    assert (error.code, error.cassette, error.number) == ("cassette_miss", str(path), 2)
    assert '-   "text": "What is the weather in Bern today?"' in error.difference
    assert '+   "text": "What is the weather in Rome today?"' in error.difference
    for part in (str(path), "request number 2", error.difference, "--cassettes=record"):
        assert part in str(error)


def test_difference_in_a_long_text_is_shown_at_its_place_and_in_bounds(path: Path) -> None:
    record(path, ["1"], ask("word " * 5000))

    with Cassette(path) as cassette:
        with pytest.raises(CassetteMissError) as caught:
            respond(cassette.wrap_model(), ask("word " * 2000 + "WORD " + "word " * 2999))
        with pytest.raises(CassetteMissError) as shifted:
            respond(cassette.wrap_model(), ask("x" + "word " * 5000))
        cassette.misses.clear()
        respond(cassette.wrap_model(), ask("word " * 5000))

    assert "WORD" in caught.value.difference
    assert len(str(caught.value)) < 2000
    assert "more lines" in shifted.value.difference
    assert len(str(shifted.value)) < 10_000


def test_same_request_once_too_often_is_a_miss(path: Path) -> None:
    record(path, ["1"], REQUEST)

    with pytest.raises(CassetteMissError, match="recorded 1 time"), Cassette(path) as cassette:
        respond(cassette.wrap_model(), REQUEST, REQUEST)


def test_miss_without_a_file_says_so(path: Path) -> None:
    with pytest.raises(CassetteMissError, match="no such file"), Cassette(path) as cassette:
        respond(cassette.wrap_model(), REQUEST)


def test_miss_that_the_program_swallows_is_raised_at_the_end(path: Path) -> None:
    record(path, ["1"], REQUEST)
    cassette = Cassette(path)
    with pytest.raises(CassetteMissError):
        respond(cassette.wrap_model(), ask("Else?"))

    with pytest.raises(CassetteMissError, match="request number 1"):
        cassette.finish()


def test_recordings_left_over_are_an_error_unless_allowed(path: Path) -> None:
    record(path, ["1", "2"], REQUEST, ask("Else?"))

    unused = pytest.raises(CassetteUnusedError, match=r"1 recording that.*number 2 \(model 'm'\)")
    with unused, Cassette(path) as cassette:
        respond(cassette.wrap_model(), REQUEST)
    with Cassette(path, allow_unused=True) as cassette:
        respond(cassette.wrap_model(), REQUEST)


def test_auto_records_where_there_is_no_file_and_replays_where_there_is(path: Path) -> None:
    with Cassette(path, "auto") as cassette:
        assert cassette.recording
        respond(cassette.wrap_model(ScriptedModel(["1"], name="m")), REQUEST)

    with Cassette(path, "auto") as cassette:
        assert not cassette.recording
        respond(cassette.wrap_model(ScriptedModel([], name="m")), REQUEST)


def test_recording_again_replaces_what_was_there(path: Path) -> None:
    record(path, ["1"], REQUEST)
    record(path, ["2"], ask("Else?"))

    with Cassette(path) as cassette:
        assert respond(cassette.wrap_model(), ask("Else?"))[0].message.text == "2"


def test_several_models_are_told_apart_by_name(path: Path) -> None:
    with Cassette(path, "record") as cassette:
        for name in ("a", "b"):
            model = cassette.wrap_model(ScriptedModel([f"I am {name}."], name=name))
            respond(model, REQUEST)

    with Cassette(path) as cassette:
        assert cassette.models == ["a", "b"]
        with pytest.raises(ConfigurationError, match="a, b"):
            cassette.wrap_model()
        for name in ("b", "a"):
            model = cassette.wrap_model(name=name)
            assert respond(model, REQUEST)[0].message.text == f"I am {name}."


def test_recording_needs_a_model(path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no model to record from"):
        Cassette(path, "record").wrap_model()


def test_unknown_mode_is_refused(path: Path) -> None:
    with pytest.raises(ConfigurationError, match="'play'"):
        Cassette(path, "play")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{", "is not JSON"),
        ("[]", "has the format None"),
        ('{"format": "agent-factory/cassette@9"}', "cassette@9"),
        ('{"format": "agent-factory/cassette@1"}', "is damaged"),
        (
            '{"format": "agent-factory/cassette@1", "recordings": [{"kind": "x", "request": {}, "answer": {}}]}',
            "kind 'x'",
        ),
        (
            '{"format": "agent-factory/cassette@1", "recordings": '
            '[{"kind": "model", "request": {"continues": 0, "messages": []}, "answer": {}}]}',
            "number 0",
        ),
        ('{"recordings": ' + "[" * 100_000, "is not JSON"),
        (
            '{"format": "agent-factory/cassette@1", "recordings": '
            '[{"kind": "model", "request": {"messages": []}, "answer": {}}]}',
            "recording number 1 has no name of a model",
        ),
        (
            '{"format": "agent-factory/cassette@1", "recordings": [{"kind": "tool", "request": {}, "answer": {}}]}',
            "recording number 1 has no name of a tool",
        ),
        *(
            (
                f'{{"format": "agent-factory/cassette@1", "recordings": [], "clock": ["{time}"]}}',
                "is no time",
            )
            for time in ("2026-13-77", "2026-01-01", "2026-01-01T12:00:00", "now")
        ),
    ],
)
def test_file_that_is_no_cassette_is_refused(path: Path, content: str, problem: str) -> None:
    path.parent.mkdir()
    path.write_text(content, encoding="utf-8")

    with pytest.raises(CassetteFormatError, match=problem):
        Cassette(path)


def test_damaged_answer_is_refused(path: Path) -> None:
    record(path, ["Hello."], REQUEST)
    path.write_text(path.read_text(encoding="utf-8").replace('"message"', '"massage"'))

    with pytest.raises(CassetteFormatError, match="damaged answer"), Cassette(path) as cassette:
        respond(cassette.wrap_model(), REQUEST)


def test_damaged_error_is_refused(path: Path) -> None:
    with Cassette(path, "record") as cassette:
        wrapped = cassette.wrap_tool(create_tool([], ToolError("no")))
        with pytest.raises(ToolError):
            asyncio.run(wrapped.run(CONTEXT, '{"place": "here"}'))
    path.write_text(path.read_text(encoding="utf-8").replace('"code": "tool"', '"code": "x"'))

    wrapped = Cassette(path).wrap_tool(create_tool([]))
    with pytest.raises(ToolExecutionError, match="damaged answer"):
        asyncio.run(wrapped.run(CONTEXT, '{"place": "here"}'))


def test_damaged_details_of_an_error_are_refused(path: Path) -> None:
    with Cassette(path, "record") as cassette:
        model = cassette.wrap_model(ScriptedModel([ModelRateLimitError("slow", model="m")]))
        with pytest.raises(ModelRateLimitError):
            respond(model, REQUEST)
    data = json.loads(path.read_text(encoding="utf-8"))
    data["recordings"][0]["answer"]["error"]["details"] = [1]
    path.write_text(json.dumps(data), encoding="utf-8")

    with pytest.raises(CassetteFormatError, match="damaged answer"), Cassette(path) as cassette:
        respond(cassette.wrap_model(), REQUEST)


def test_file_tells_of_a_growing_conversation_each_message_once(path: Path) -> None:
    requests = [conversation(*["id"] * length) for length in range(20)]
    record(path, [str(length) for length in range(20)], *requests)

    text = path.read_text(encoding="utf-8")
    assert text.count("Be kind.") == 1
    assert text.count('"seen"') == 19
    with Cassette(path) as cassette:
        answers = respond(cassette.wrap_model(), *reversed(requests))
    assert [answer.message.text for answer in reversed(answers)] == [str(i) for i in range(20)]


def test_request_that_goes_on_with_fewer_parts_is_read_back(path: Path) -> None:
    spec = ToolSpec("t", "", {"type": "object"})
    first = replace(conversation("a"), tools=(spec,), max_output_tokens=5)
    then = conversation("a", "b")
    record(path, ["1", "2"], first, then)

    with Cassette(path) as cassette:
        answers = respond(cassette.wrap_model(), then, first)

    assert [answer.message.text for answer in answers] == ["2", "1"]


def test_same_recording_gives_the_same_file(path: Path) -> None:
    record(path, ["1", "2"], REQUEST, conversation("a"))
    before = path.read_bytes()

    record(path, ["1", "2"], REQUEST, conversation("b"))

    assert path.read_bytes() == before
    assert json.loads(before)["format"] == "agent-factory/cassette@1"
    assert [item.name for item in path.parent.iterdir()] == [path.name]


def test_half_of_a_surrogate_pair_survives(path: Path) -> None:
    record(path, ["\ud800 \u00e9"], ask("\udfff"))

    assert "\u00e9" in path.read_text(encoding="utf-8")
    with Cassette(path) as cassette:
        assert respond(cassette.wrap_model(), ask("\udfff"))[0].message.text == "\ud800 \u00e9"


def test_nothing_is_written_where_an_error_ends_the_test(path: Path) -> None:
    with pytest.raises(ZeroDivisionError), Cassette(path, "record") as cassette:
        respond(cassette.wrap_model(ScriptedModel(["x"], name="m")), REQUEST)
        raise ZeroDivisionError

    assert not path.exists()


def test_nothing_is_written_where_nothing_was_asked(path: Path) -> None:
    with Cassette(path, "record"):
        pass

    assert not path.exists()


def create_tool(calls: list[str], result: object = None) -> Tool[object]:
    @tool
    async def look(place: str) -> object:
        """Look at a place."""
        calls.append(place)
        if isinstance(result, Exception):
            raise result
        return result

    return look


@pytest.mark.parametrize(
    "result", ["text", '{"b": 1, "a": 2}', 5, None, 1.5, {"b": [1, {"z": 1, "a": None}], "a": 2}]
)
def test_result_of_a_tool_is_replayed_without_running_it(path: Path, result: object) -> None:
    calls: list[str] = []
    contents = []
    for _ in range(2):
        with Cassette(path, "auto") as cassette:
            wrapped = cassette.wrap_tool(create_tool(calls, result))
            contents.append(asyncio.run(wrapped.run(CONTEXT, '{"place": "here"}')))

    assert contents[0] == contents[1]
    assert calls == ["here"]


def test_results_are_told_apart_by_arguments_and_order(path: Path) -> None:
    numbers = iter(range(3))

    @tool
    def count(name: str) -> int:
        """Count."""
        return next(numbers)

    def run(arguments: list[str]) -> list[str]:
        with Cassette(path, "auto") as cassette:
            wrapped = cassette.wrap_tool(count)
            return [asyncio.run(wrapped.run(CONTEXT, text)) for text in arguments]

    assert run(['{"name": "a"}', '{"name": "b"}', '{"name": "a"}']) == ["0", "1", "2"]
    # White space in the arguments is not a difference.
    assert run(['{"name":"b"}', '{"name":"a"}', '{ "name": "a" }']) == ["1", "0", "2"]


def test_refusal_of_a_tool_is_replayed(path: Path) -> None:
    calls: list[str] = []
    errors = []
    for _ in range(2):
        with Cassette(path, "auto") as cassette:
            refusal = ToolError("not there", details={"n": 1})
            wrapped = cassette.wrap_tool(create_tool(calls, refusal))
            with pytest.raises(ToolError) as caught:
                asyncio.run(wrapped.run(CONTEXT, '{"place": "here"}'))
            errors.append(caught.value.to_dict())

    assert errors[0]["message"] == errors[1]["message"] == "not there"
    assert errors[0] == errors[1]
    assert calls == ["here"]


def test_defect_of_a_tool_is_replayed_as_one(path: Path) -> None:
    calls: list[str] = []
    for _ in range(2):
        with Cassette(path, "auto") as cassette:
            wrapped = cassette.wrap_tool(create_tool(calls, ZeroDivisionError("oops")))
            with pytest.raises(ToolExecutionError, match=r"ZeroDivisionError: oops"):
                asyncio.run(wrapped.run(CONTEXT, '{"place": "here"}'))

    assert calls == ["here"]


def test_result_that_json_cannot_hold_fails_when_replayed_too(path: Path) -> None:
    for _ in range(2):
        with Cassette(path, "auto") as cassette:
            wrapped = cassette.wrap_tool(create_tool([], object()))
            with pytest.raises(ToolExecutionError):
                asyncio.run(wrapped.run(CONTEXT, '{"place": "here"}'))


def test_tool_that_timed_out_times_out_again(path: Path) -> None:
    calls: list[str] = []

    @tool(timeout=30)
    async def hang(place: str) -> None:
        """Hang."""
        calls.append(place)
        await asyncio.Event().wait()

    for _ in range(2):
        with Cassette(path, "auto") as cassette:
            wrapped = cassette.wrap_tool(hang)
            with pytest.raises(ToolTimeoutError, match="30 s"):
                run_virtual(wrapped.run(CONTEXT, '{"place": "here"}'))

    assert calls == ["here"]


def test_call_of_a_tool_that_is_not_on_record_is_a_miss(path: Path) -> None:
    with Cassette(path, "record") as cassette:
        wrapped = cassette.wrap_tool(create_tool([], "x"))
        asyncio.run(wrapped.run(CONTEXT, '{"place": "here"}'))

    cassette = Cassette(path)
    wrapped = cassette.wrap_tool(create_tool([], "x"))
    with pytest.raises(ToolExecutionError, match=r"tool 'look'.*nearest"):
        asyncio.run(wrapped.run(CONTEXT, '{"place": "there"}'))
    with pytest.raises(CassetteMissError, match='"there"'):
        cassette.finish()


def test_wrapped_tool_is_the_same_to_the_model(path: Path) -> None:
    real = create_tool([])

    assert replace(Cassette(path).wrap_tool(real), call=real.call) == real


def test_clock_is_replayed_and_stands_still_at_the_end(path: Path) -> None:
    start = VirtualClock(datetime(2026, 5, 1, tzinfo=UTC))
    with Cassette(path, "record") as cassette:
        clock = cassette.wrap_clock(start)
        assert isinstance(clock, Clock)
        recorded = [clock.now()]
        start.advance(0.25)
        recorded.append(clock.now())

    with Cassette(path) as cassette:
        clock = cassette.wrap_clock()
        assert [clock.now(), clock.now(), clock.now()] == [*recorded, recorded[-1]]


def test_clock_that_is_not_on_record_is_a_miss(path: Path) -> None:
    record(path, ["x"], REQUEST)

    with pytest.raises(CassetteMissError, match="clock"), Cassette(path) as cassette:
        cassette.wrap_clock().now()


texts = st.text(max_size=8)
messages = st.lists(
    st.builds(UserMessage, texts)
    | st.builds(SystemMessage, texts)
    | st.builds(AssistantMessage, texts)
    | st.builds(lambda text: UserMessage(json.dumps({"a": text})), texts),
    min_size=1,
    max_size=4,
).map(tuple)


@given(scripts=st.lists(st.tuples(messages, texts), max_size=6))
@settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
def test_whatever_was_recorded_is_replayed(
    tmp_path: Path, scripts: list[tuple[tuple[Message, ...], str]]
) -> None:
    path = tmp_path / "tape.json"
    path.unlink(missing_ok=True)
    requests = [ModelRequest(asked) for asked, _ in scripts]
    record(path, [answer for _, answer in scripts], *requests)

    with Cassette(path) as cassette:
        answers = respond(cassette.wrap_model(name="m"), *requests)

    assert [answer.message.text for answer in answers] == [answer for _, answer in scripts]
