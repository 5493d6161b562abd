from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from agent_factory.core.telemetry.recording import (
    Measurement,
)
from agent_factory.core.usage import Usage
from tests.core.records.run_events import START, create_run
from tests.core.telemetry.watching import (
    ASKING,
    BEGIN,
    CALLING,
    DONE,
    SECOND,
    STARTED,
    WHOLE,
    Watcher,
)


def test_metrics_have_the_names_units_and_buckets_of_the_conventions() -> None:
    histograms = Watcher().meter.histograms

    assert {name: (item.unit, item.boundaries) for name, item in histograms.items()} == {
        "gen_ai.client.token.usage": (
            "{token}",
            (
                1,
                4,
                16,
                64,
                256,
                1024,
                4096,
                16384,
                65536,
                262144,
                1048576,
                4194304,
                16777216,
                67108864,
            ),
        ),
        "gen_ai.client.operation.duration": (
            "s",
            (
                0.01,
                0.02,
                0.04,
                0.08,
                0.16,
                0.32,
                0.64,
                1.28,
                2.56,
                5.12,
                10.24,
                20.48,
                40.96,
                81.92,
            ),
        ),
        "gen_ai.invoke_agent.duration": (
            "s",
            (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 102.4, 204.8, 409.6),
        ),
        "gen_ai.execute_tool.duration": (
            "s",
            (
                0.01,
                0.02,
                0.04,
                0.08,
                0.16,
                0.32,
                0.64,
                1.28,
                2.56,
                5.12,
                10.24,
                20.48,
                40.96,
                81.92,
            ),
        ),
    }


def test_tokens_are_measured_for_each_model_call() -> None:
    watcher = Watcher().watch(create_run(STARTED, ASKING, CALLING))

    asked = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-5-mini",
        "gen_ai.response.model": "gpt-5-mini-2026-01-01",
    }
    assert watcher.measured("gen_ai.client.token.usage") == [
        Measurement(52, {**asked, "gen_ai.token.type": "input"}),
        Measurement(47, {**asked, "gen_ai.token.type": "output"}),
    ]
    assert watcher.measured("gen_ai.client.operation.duration") == [Measurement(1.0, asked)]


def test_tokens_that_nobody_counted_are_not_measured() -> None:
    watcher = Watcher().watch(create_run(STARTED, ASKING, replace(CALLING, usage=Usage(1))))

    assert watcher.measured("gen_ai.client.token.usage") == []


def test_durations_of_agents_and_tools_are_measured() -> None:
    watcher = Watcher().watch(create_run(*WHOLE))

    assert watcher.measured("gen_ai.invoke_agent.duration") == [
        Measurement(7.0, {"gen_ai.agent.name": "clerk"})
    ]
    assert watcher.measured("gen_ai.execute_tool.duration") == [
        Measurement(
            1.0,
            {
                "gen_ai.tool.name": "look",
                "gen_ai.tool.type": "function",
                "gen_ai.agent.name": "clerk",
            },
        )
    ]


def test_clock_that_is_set_back_makes_no_negative_duration() -> None:
    events = create_run(STARTED, DONE)

    watcher = Watcher().watch([events[0], replace(events[1], time=START - timedelta(hours=1))])

    assert [item.value for item in watcher.measured("gen_ai.invoke_agent.duration")] == [0]


def test_log_records_say_which_run_they_are_of() -> None:
    watcher = Watcher()
    observe = watcher.telemetry.for_conversation("talk-7")

    for event in create_run(STARTED, DONE):
        observe(event)

    for record in watcher.records:
        assert record.attributes["gen_ai.agent.name"] == "clerk"
        assert record.attributes["agent_factory.run.id"] == "run-1"
        assert record.attributes["gen_ai.conversation.id"] == "talk-7"
    assert watcher.records[1].time == BEGIN + SECOND
