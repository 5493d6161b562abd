from __future__ import annotations

from dataclasses import replace

import pytest

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.telemetry import Telemetry
from agent_factory.core.telemetry.recording import RecordingTracer
from tests.core.records.run_events import create_run
from tests.core.telemetry.watching import (
    ASKING,
    BEGIN,
    BEGUN,
    DONE,
    OTHER,
    SECOND,
    STARTED,
    WHOLE,
    Watcher,
)


def test_nested_run_is_a_child_of_the_one_tool_call_that_runs() -> None:
    watcher = Watcher()
    outer = create_run(*WHOLE)
    inner = create_run(
        replace(STARTED, agent="helper", parent_run_id="run-1"), DONE, run_id="run-2"
    )

    watcher.watch([*outer[:4], *inner, *outer[4:]])

    assert watcher.find("invoke_agent helper").parent is watcher.find("execute_tool look")


def test_nested_run_is_a_child_of_the_run_where_several_tool_calls_run() -> None:
    watcher = Watcher()
    outer = create_run(STARTED, BEGUN, replace(BEGUN, call=OTHER))
    inner = create_run(replace(STARTED, agent="helper", parent_run_id="run-1"), run_id="run-2")

    watcher.watch([*outer, *inner])

    assert watcher.find("invoke_agent helper").parent is watcher.find("invoke_agent clerk")


def test_run_whose_parent_is_unknown_leaves_its_parent_to_the_tracer() -> None:
    watcher = Watcher().watch(create_run(replace(STARTED, parent_run_id="run-0")))

    assert watcher.tracer.spans[0].parent is None


def test_runs_at_the_same_time_do_not_mix() -> None:
    watcher = Watcher()
    runs = [
        create_run(replace(STARTED, agent=f"a{n}"), *WHOLE[1:], run_id=f"run-{n}") for n in range(3)
    ]

    watcher.watch(event for together in zip(*runs, strict=True) for event in together)

    for number in range(3):
        root = watcher.find(f"invoke_agent a{number}")
        children = [span for span in watcher.tracer.spans if span.parent is root]
        assert [span.name for span in children] == [
            "chat gpt-5-mini",
            "execute_tool look",
            "chat gpt-5-mini",
        ]
    assert all(span.end_time for span in watcher.tracer.spans)


def test_run_that_was_silent_longest_is_abandoned_when_there_are_too_many() -> None:
    watcher = Watcher(max_runs=2)
    runs = [
        create_run(replace(STARTED, agent=f"a{n}"), ASKING, DONE, run_id=f"run-{n}")
        for n in range(3)
    ]

    watcher.watch([*runs[0][:2], runs[1][0], runs[0][1], *runs[2][:1], *runs[0][2:], runs[1][1]])

    ended = [span.attributes.get("error.type") for span in watcher.tracer.spans if span.end_time]
    assert watcher.find("invoke_agent a1").attributes["error.type"] == "abandoned"
    assert watcher.find("invoke_agent a2").end_time is None
    assert "error.type" not in watcher.find("invoke_agent a0").attributes
    assert ended.count("abandoned") >= 1
    assert ("agent_factory.run.abandoned", "warning") in watcher.logged()


def test_closing_ends_what_is_under_way() -> None:
    watcher = Watcher().watch(create_run(STARTED, ASKING))

    watcher.telemetry.close()

    assert [span.end_time for span in watcher.tracer.spans] == [BEGIN + SECOND] * 2
    assert [span.error for span in watcher.tracer.spans] == ["", ""]


def test_events_of_a_run_whose_start_was_not_seen_are_ignored() -> None:
    watcher = Watcher().watch(create_run(*WHOLE)[1:])

    assert watcher.tracer.spans == []
    assert watcher.records == []


def test_bound_of_the_runs_is_at_least_one() -> None:
    with pytest.raises(ConfigurationError, match="at least 1, not 0"):
        Telemetry(RecordingTracer(), max_runs=0)
