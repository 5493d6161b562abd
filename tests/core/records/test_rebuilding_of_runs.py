from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.core.events import (
    HandedOff,
    ModelAnswered,
    ModelRequested,
    ModelRetried,
    OutputRejected,
    RunEvent,
    RunFailed,
    RunFinished,
    RunStarted,
    TextReceived,
    ToolFinished,
    ToolStarted,
)
from agent_factory.core.exceptions import ModelResponseError
from agent_factory.core.messages import (
    AssistantMessage,
    Message,
    SystemMessage,
    ToolCall,
    ToolMessage,
    UserMessage,
    check_history,
)
from agent_factory.core.records import RecordError, rebuild_run
from agent_factory.core.result import RunResult
from agent_factory.core.usage import Usage
from tests.core.records.run_events import START, any_events, create_run, runs

AT: dict[str, Any] = {"run_id": "", "sequence": 0, "time": START}
SYSTEM = SystemMessage("Be brief.")
PROMPT = UserMessage("Go.")
STARTED = RunStarted(
    **AT, agent="first", model="m", prompt="Go.", messages=(SYSTEM, PROMPT), parent_run_id="run-0"
)
ONE, TWO = ToolCall("1", "look", "{}"), ToolCall("2", "list", "{}")
ASKED = AssistantMessage("Let me look.", (ONE, TWO))
CALLING = ModelAnswered(**AT, message=ASKED, usage=Usage(1, 10, 5, cost=7))
DONE = RunFinished(**AT, result=RunResult("done", (), Usage(3, 4), ""))


def begin(call: ToolCall) -> ToolStarted:
    return ToolStarted(**AT, call=call)


def end(call: ToolCall, content: str) -> ToolFinished:
    return ToolFinished(**AT, call=call, content=content)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(runs(), st.data())
def test_run_is_rebuilt_whole_and_any_beginning_of_it_too(
    drawn: tuple[list[RunEvent[Any]], list[Message]], data: st.DataObject
) -> None:
    events, messages = drawn
    until = data.draw(st.integers(1, len(events)))

    whole, part = rebuild_run(events), rebuild_run(events[:until])

    assert whole.messages == tuple(messages)
    assert whole.status == ("failed" if isinstance(events[-1], RunFailed) else "finished")
    check_history(part.messages)
    assert until == len(events) or part.status == "unfinished"


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(any_events, max_size=6))
def test_events_in_any_order_are_refused_or_make_a_whole_history(
    events: list[RunEvent[Any]],
) -> None:
    try:
        run = rebuild_run(create_run(replace(STARTED), *events))
    except RecordError:
        return
    check_history(run.messages)


def test_finished_run_has_output_usage_and_times() -> None:
    events = create_run(STARTED, DONE)

    run = rebuild_run(events)

    assert (run.status, run.output, run.error, run.text) == ("finished", "done", None, "")
    assert (run.run_id, run.agent, run.model, run.parent_run_id) == ("run-1", "first", "m", "run-0")
    assert run.usage == Usage(3, 4)
    assert (run.started_at, run.ended_at) == (START, START + timedelta(seconds=1))


def test_failed_run_has_its_error_and_what_it_used() -> None:
    error = ModelResponseError("not JSON", model="m")

    asking = ModelRequested(**AT, attempt=1)
    failed = RunFailed(**AT, error=error)
    run = rebuild_run(create_run(STARTED, asking, CALLING, begin(ONE), asking, failed))

    assert (run.status, run.output, run.error) == ("failed", None, error)
    assert run.usage == Usage(2, 10, 5, tool_calls=1, cost=7)


def test_unfinished_run_has_the_text_that_had_arrived() -> None:
    asking = ModelRequested(**AT, attempt=1)
    retried = ModelRetried(**AT, model="m", attempt=1, reason="reset", delay=0.1)
    said = [TextReceived(**AT, text=text) for text in ("lost", "He", "llo")]

    run = rebuild_run(create_run(STARTED, asking, said[0], retried, *said[1:]))

    assert (run.status, run.text, run.ended_at) == ("unfinished", "Hello", None)
    assert run.messages == (SYSTEM, PROMPT)


def test_results_stand_in_the_order_of_the_calls_whatever_ended_first() -> None:
    run = rebuild_run(
        create_run(STARTED, CALLING, begin(ONE), begin(TWO), end(TWO, "b"), end(ONE, "a"))
    )

    assert run.messages[3:] == (ToolMessage("1", "look", "a"), ToolMessage("2", "list", "b"))


def test_calls_that_were_cut_off_have_an_unknown_outcome() -> None:
    run = rebuild_run(create_run(STARTED, CALLING, begin(ONE), begin(TWO), end(TWO, "b")))

    assert isinstance(run.messages[3], ToolMessage)
    assert (run.messages[3].call_id, run.messages[3].outcome) == ("1", "unknown")
    assert run.messages[4] == ToolMessage("2", "list", "b")


def test_calls_under_one_id_are_kept_once() -> None:
    twice = replace(CALLING, message=AssistantMessage("", (ONE, ToolCall("1", "other", "{}"))))

    run = rebuild_run(create_run(STARTED, twice))

    assert run.messages[2] == AssistantMessage("", (ONE,))
    check_history(run.messages)


def test_answer_aside_is_no_part_of_the_conversation() -> None:
    aside = ModelAnswered(
        **AT, message=AssistantMessage("a summary"), usage=Usage(1, 5), aside=True
    )

    run = rebuild_run(create_run(STARTED, aside))

    assert run.messages == (SYSTEM, PROMPT)
    assert run.usage == Usage(0, 5)


def test_what_the_model_is_told_of_a_rejected_output_is_part_of_the_conversation() -> None:
    told = (
        ToolMessage("1", "look", "wrong shape", "error"),
        ToolMessage("2", "list", "not called", "error"),
        UserMessage("Answer again."),
    )

    run = rebuild_run(
        create_run(STARTED, CALLING, OutputRejected(**AT, reason="no", messages=told))
    )

    assert run.messages == (SYSTEM, PROMPT, ASKED, *told)


@pytest.mark.parametrize("before", [(SYSTEM, PROMPT), (PROMPT,)])
def test_handoff_puts_the_instructions_of_the_next_agent_in_front(
    before: tuple[Message, ...],
) -> None:
    started = replace(STARTED, messages=before)
    handed = HandedOff(**AT, agent="first", to="second", model="n", instructions="Be kind.")

    run = rebuild_run(create_run(started, handed))

    assert run.messages == (SystemMessage("Be kind."), PROMPT)
    assert (run.agent, run.model) == ("second", "n")


def test_prompt_replaced_by_an_empty_text_at_a_handoff_is_replaced() -> None:
    handed = HandedOff(**AT, agent="first", to="second", model="n", prompt="")

    assert rebuild_run(create_run(STARTED, handed)).messages == (UserMessage(""),)


def test_handoff_to_an_agent_without_instructions_leaves_none() -> None:
    handed = HandedOff(**AT, agent="first", to="second", model="n")

    assert rebuild_run(create_run(STARTED, handed)).messages == (PROMPT,)


@pytest.mark.parametrize(
    ("events", "told"),
    [
        ([], "there are no events"),
        ([DONE], "event 0 (run_finished) of run 'run-1' is the first one"),
        ([STARTED, STARTED], "event 1 (run_started) of run 'run-1' is a second start"),
        ([STARTED, DONE, DONE], "event 2 (run_finished) of run 'run-1' comes after the end"),
        (
            [STARTED, end(ONE, "a")],
            "event 1 (tool_finished) of run 'run-1' has a result for the tool call '1'",
        ),
        (
            [STARTED, CALLING, end(ONE, "a"), end(ONE, "a")],
            "event 3 (tool_finished) of run 'run-1' has a second result for the tool call '1'",
        ),
        (
            [replace(STARTED, messages=(ASKED,))],
            "event 0 (run_started) of run 'run-1' has a broken conversation",
        ),
    ],
)
def test_events_that_are_no_run_are_refused(events: list[RunEvent[Any]], told: str) -> None:
    with pytest.raises(RecordError) as raised:
        rebuild_run(create_run(*events))

    assert raised.value.message.startswith(told)


def test_gap_is_refused() -> None:
    events = create_run(STARTED, CALLING, DONE)

    with pytest.raises(RecordError, match=r"event 2 .* comes where number 1 has to come"):
        rebuild_run([events[0], events[2]])


def test_events_of_another_run_are_refused() -> None:
    events = create_run(STARTED, CALLING)

    with pytest.raises(RecordError, match=r"of run 'run-2' is among those of run 'run-1'"):
        rebuild_run([events[0], replace(events[1], run_id="run-2")])
