from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from agent_factory.core.events import (
    ModelAnswered,
    RunEvent,
    RunFailed,
    RunFinished,
    RunStarted,
    TextReceived,
)
from agent_factory.core.messages import AssistantMessage, Message, UserMessage
from agent_factory.core.records import RecordError, read_events, rebuild_run, write_events
from agent_factory.core.result import RunResult
from agent_factory.core.usage import Usage
from tests.core.records.run_events import START, create_run, runs

AT: dict[str, Any] = {"run_id": "", "sequence": 0, "time": START}
MESSAGES: tuple[Message, ...] = (UserMessage("Hi."), AssistantMessage("H\u00e9llo.\u2028Done."))


def create_lines(run_id: str = "run-1") -> list[str]:
    events = create_run(
        RunStarted(**AT, agent="a", model="m", prompt="Hi.", messages=MESSAGES[:1]),
        ModelAnswered(**AT, message=AssistantMessage(MESSAGES[1].text), usage=Usage(1, 2, 3)),  # type: ignore[union-attr]
        RunFinished(**AT, result=RunResult("Hello.", MESSAGES, Usage(1, 2, 3), run_id)),
        run_id=run_id,
    )
    return list(write_events(events))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(runs())
def test_run_survives_its_lines(drawn: tuple[list[RunEvent[Any]], list[Message]]) -> None:
    events, messages = drawn

    again = list(read_events(write_events(events)))

    if not isinstance(events[-1], RunFailed):
        assert again == [
            *events[:-1],
            RunFinished(
                events[-1].run_id,
                events[-1].sequence,
                events[-1].time,
                RunResult("done", tuple(messages), Usage(9), "run-1"),
            ),
        ]
    assert rebuild_run(again).messages == tuple(messages)


def test_each_event_is_one_line_of_ascii() -> None:
    lines = create_lines()

    assert len(lines) == 3
    assert all(
        line.isascii() and line.endswith("}\n") and len(line.splitlines()) == 1 for line in lines
    )


def test_result_gets_the_conversation_that_the_events_before_it_tell_of() -> None:
    *_, last = read_events(create_lines())

    assert isinstance(last, RunFinished)
    assert last.result == RunResult("Hello.", MESSAGES, Usage(1, 2, 3), "run-1")


def test_lines_of_several_runs_may_be_mixed() -> None:
    both = zip(create_lines("run-1"), create_lines("run-2"), strict=True)

    events = list(read_events(itertools.chain.from_iterable(both)))

    assert [event.run_id for event in events] == ["run-1", "run-2"] * 3


def test_events_are_read_as_their_lines_come() -> None:
    lines = iter([*create_lines()[:1], "broken", "more"])

    assert isinstance(next(read_events(lines)), RunStarted)
    assert next(lines) == "broken"


def test_empty_lines_are_skipped() -> None:
    first, second, third = create_lines()

    assert len(list(read_events([first, "\n", second, "", third, " \n"]))) == 3


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{'a': 1}\n", "line 2: this is no JSON: Expecting property name"),
        ('{"type": "text_received", "sequence": NaN}\n', "line 2: this is no JSON: NaN"),
        ("[" * 100_000 + "\n", "line 2: this is no JSON: "),
        ("[]\n", "line 2: an event must be a JSON object, not list"),
        ('{"type": "text_received"}\n', "line 2: text_received.run_id is missing"),
    ],
)
def test_line_that_is_no_event_is_named_by_its_number(line: str, told: str) -> None:
    first, *rest = create_lines()

    with pytest.raises(RecordError) as raised:
        list(read_events([first, line, *rest]))

    assert raised.value.message.startswith(told)
    assert raised.value.details["line"] == 2


@pytest.mark.parametrize("rest", [[], ["\n", ""]])
@pytest.mark.parametrize("length", [1, 20, -2])
def test_last_line_that_was_cut_off_is_told_apart(length: int, rest: list[str]) -> None:
    first, second, third = create_lines()
    read: list[RunEvent[Any]] = []

    with pytest.raises(
        RecordError, match=r"^line 3: .* cut off .* events before it are good"
    ) as raised:
        for event in read_events([first, second, third[:length], *rest]):
            read.append(event)

    assert [event.type for event in read] == ["run_started", "model_answered"]
    assert raised.value.details == {"line": 3, "cut_off": True}


def test_missing_line_is_found() -> None:
    first, _, third = create_lines()

    with pytest.raises(RecordError, match=r"^line 2: event 2 .*comes where number 1 has to come"):
        list(read_events([first, third]))


def test_run_without_its_start_is_refused() -> None:
    with pytest.raises(RecordError, match=r"^line 1: .*begin with 'run_started'"):
        list(read_events(create_lines()[1:]))


def test_events_are_written_one_by_one() -> None:
    def events() -> Any:
        yield TextReceived("run-1", 1, START, "Hi")
        raise AssertionError("read ahead")

    assert next(write_events(events())).startswith('{"type":"text_received"')
