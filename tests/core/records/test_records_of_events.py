from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, get_args, get_origin

import pytest
from hypothesis import HealthCheck, given, settings

from agent_factory.core.events import (
    ModelRequested,
    ModelRetried,
    RunEvent,
    RunFailed,
    RunFinished,
    RunStarted,
    TextReceived,
)
from agent_factory.core.exceptions import CoreError, ModelRateLimitError, RunTimeoutError
from agent_factory.core.messages import ToolMessage, UserMessage
from agent_factory.core.records import (
    RecordedError,
    RecordError,
    event_from_dict,
    event_to_dict,
    write_events,
)
from agent_factory.core.result import RunResult
from agent_factory.core.serialization import message_to_dict
from agent_factory.core.usage import Usage
from tests.core.records.run_events import START, any_events

if TYPE_CHECKING:
    from agent_factory.core.messages import Message

AT: dict[str, Any] = {"run_id": "run-1", "sequence": 3, "time": START}
TEXT = TextReceived(**AT, text="Hi")
DATA = event_to_dict(TEXT)


def read_again(event: RunEvent[Any]) -> RunEvent[Any]:
    return event_from_dict(json.loads(json.dumps(event_to_dict(event), allow_nan=False)))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(any_events)
def test_event_survives_json(event: RunEvent[Any]) -> None:
    again = read_again(event)

    if isinstance(event, RunFailed):
        assert isinstance(again, RunFailed)
        assert replace(again, error=event.error) == event
        assert again.error.code == event.error.code
        assert again.error.message == event.error.message
        assert again.error.retryable == event.error.retryable
    else:
        assert again == event
    assert event_to_dict(again) == event_to_dict(event)


def test_every_kind_of_event_can_be_recorded() -> None:
    classes = [get_origin(member) or member for member in get_args(RunEvent)]

    for cls in classes:
        with pytest.raises(RecordError, match=rf"^{cls.type}\.run_id is missing$"):
            event_from_dict({"type": cls.type})


def test_record_is_type_fields_and_time_with_defaults_left_out() -> None:
    assert event_to_dict(ModelRequested(**AT, attempt=1)) == {
        "type": "model_requested",
        "run_id": "run-1",
        "sequence": 3,
        "time": "2026-01-31T12:00:00.000025Z",
        "attempt": 1,
    }


@pytest.mark.parametrize(
    "message", [UserMessage("Hi."), ToolMessage("1", "look", "no", "error")], ids=repr
)
def test_messages_are_recorded_as_histories_are(message: Message) -> None:
    event = RunStarted(**AT, agent="a", model="m", prompt="Hi.", messages=(message,))

    assert event_to_dict(event)["messages"] == [message_to_dict(message)]


def test_error_comes_back_with_its_code_but_not_its_class() -> None:
    error = ModelRateLimitError("slow down", model="m", retry_after=2.5)

    again = read_again(RunFailed(**AT, error=error))

    assert isinstance(again, RunFailed)
    assert type(again.error) is RecordedError
    assert isinstance(again.error, CoreError)
    assert again.error.to_dict() == error.to_dict()
    assert RecordedError.code == "recorded"


def test_details_that_json_cannot_hold_are_named_by_their_type() -> None:
    error = RunTimeoutError("late", details={"lock": object(), "limit": math.inf})

    data = event_to_dict(RunFailed(**AT, error=error))

    assert data["error"]["details"] == {"lock": "object", "limit": "Infinity"}


def create_circle() -> dict[str, Any]:
    circle: dict[str, Any] = {}
    circle["again"] = circle
    return circle


def create_depth() -> dict[str, Any]:
    deep: dict[str, Any] = {}
    for _ in range(5000):
        deep = {"in": deep}
    return deep


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (b"\xff", "bytes"),
        (create_circle(), "dict"),
        (create_depth(), "dict"),
        ({"in": [10**5000]}, {"in": ["int"]}),
        ({b"\xff": 1}, "dict"),
        ({10**5000: 1}, "dict"),
    ],
    ids=["bytes", "circular", "deep", "number", "key", "number as a key"],
)
def test_details_that_cannot_be_written_do_not_keep_an_error_from_its_record(
    value: object, name: object
) -> None:
    failed = RunFailed(**AT, error=CoreError("late", details={"value": value, "limit": 3}))

    (line,) = write_events([failed])

    assert json.loads(line)["error"]["details"] == {"value": name, "limit": 3}


@pytest.mark.parametrize("depth", [90, 200, 700, 900, 990])
def test_details_of_any_depth_are_written(depth: int) -> None:
    details: dict[str, Any] = {}
    for _ in range(depth):
        details = {"in": details}

    (line,) = write_events([RunFailed(**AT, error=CoreError("late", details=details))])

    assert json.loads(line)["error"]["message"] == "late"


@dataclass
class Invoice:
    number: str
    total: float


def test_output_is_recorded_as_json_data_without_the_messages() -> None:
    result: RunResult[Any] = RunResult(
        Invoice("A-17", math.nan), (UserMessage("Hi."),), Usage(2), "run-1"
    )
    event = RunFinished(**AT, result=result)

    data = event_to_dict(event)

    assert data["output"] == {"number": "A-17", "total": "NaN"}
    assert data["usage"] == {"requests": 2}
    assert "messages" not in data
    again = event_from_dict(data, messages=result.messages)
    assert isinstance(again, RunFinished)
    assert again.result == replace(result, output={"number": "A-17", "total": "NaN"})


@pytest.mark.parametrize("output", [object(), math], ids=["object", "module"])
def test_output_that_json_cannot_hold_is_refused(output: object) -> None:
    event = RunFinished(**AT, result=RunResult(output, (), Usage(), "run-1"))

    with pytest.raises(
        RecordError, match=r"run_finished has a value of type '.*' that JSON cannot"
    ):
        event_to_dict(event)


def test_output_that_contains_itself_is_refused() -> None:
    output: list[object] = []
    output.append(output)

    with pytest.raises(RecordError, match="that JSON cannot hold"):
        event_to_dict(RunFinished(**AT, result=RunResult(output, (), Usage(), "run-1")))


def test_numbers_that_json_lacks_come_back_as_numbers() -> None:
    again = read_again(ModelRetried(**AT, model="m", attempt=1, reason="", delay=math.inf))

    assert isinstance(again, ModelRetried)
    assert again.delay == math.inf


def test_text_that_is_no_unicode_survives() -> None:
    event = replace(TEXT, text="half a pair: \ud83d")

    assert read_again(event) == event


def test_times_of_other_zones_are_recorded_in_utc() -> None:
    zone = timezone(timedelta(hours=2))

    data = event_to_dict(replace(TEXT, time=START.astimezone(zone)))

    assert data == DATA


def test_time_without_a_zone_is_refused() -> None:
    with pytest.raises(RecordError, match="text_received has a time without a time zone"):
        event_to_dict(replace(TEXT, time=datetime(2026, 1, 31)))  # noqa: DTZ001


CALL = {"id": "1", "name": "look", "arguments": "{}"}
STARTED = {**DATA, "type": "tool_started", "call": CALL}
del STARTED["text"]
BEGUN = {
    **{key: DATA[key] for key in ("run_id", "sequence", "time")},
    "type": "run_started",
    "agent": "a",
    "model": "m",
    "prompt": "Hi.",
}


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ([], "an event must be a JSON object, not list"),
        ({}, "an event must say its type"),
        (
            {"type": "text_receive"},
            "there is no event of type 'text_receive': did you mean 'text_received'?",
        ),
        ({**DATA, "text": 7}, "text_received.text must be a text, not int"),
        ({**DATA, "text": None}, "text_received.text must be a text, not null"),
        ({**DATA, "sequence": True}, "text_received.sequence must be a whole number, not bool"),
        ({**DATA, "sequence": 1.0}, "text_received.sequence must be a whole number, not float"),
        ({**DATA, "words": ""}, "text_received has the unknown key 'words'"),
        ({**DATA, "time": "2026-01-31T12:00:00Z"}, "text_received.time must be a time in UTC"),
        (
            {**DATA, "time": "2026-01-31 12:00:00.000025Z"},
            "text_received.time must be a time in UTC",
        ),
        (
            {**DATA, "time": "2026-13-31T12:00:00.000025Z"},
            "text_received.time must be a time in UTC",
        ),
        ({**STARTED, "call": {**CALL, "id": 1}}, "tool_started.call.id must be a text, not int"),
        ({**STARTED, "call": {**CALL, "x": 1}}, "tool_started.call has the unknown key 'x'"),
        ({**STARTED, "call": "look"}, "tool_started.call must be an object, not str"),
        ({**BEGUN, "messages": {}}, "run_started.messages must be a list, not dict"),
        ({**BEGUN, "messages": [{}]}, "run_started.messages.0.role must be one of system, user"),
        (
            {**BEGUN, "messages": [{"role": "user", "text": ""}, {"role": "user"}]},
            "run_started.messages.1.text is missing",
        ),
        (
            {
                **BEGUN,
                "messages": [{"role": "user", "text": "", "images": [{"url": "ftp://x"}]}],
            },
            "run_started.messages.0.images.0 is no valid Image",
        ),
        (
            {**BEGUN, "type": "run_failed", "error": {"code": "x"}},
            "run_failed.error.message is missing",
        ),
    ],
)
def test_what_is_no_event_is_refused_with_the_field_that_is_wrong(data: object, told: str) -> None:
    with pytest.raises(RecordError) as raised:
        event_from_dict(data)

    assert raised.value.message.startswith(told)
    assert raised.value.code == "record"


def test_refusal_never_repeats_what_the_record_holds() -> None:
    with pytest.raises(RecordError) as raised:
        event_from_dict({**DATA, "text": ["secret"], "time": "secret"})

    assert "secret" not in str(raised.value.to_dict())
