"""Agents that run as tools of another one stand under the very call that they answer."""

from __future__ import annotations

from typing import Any

from agent_factory.core import Agent, AssistantMessage, RunOptions, RunStarted
from agent_factory.core.telemetry import Telemetry
from agent_factory.core.telemetry.recording import RecordingSpan, RecordingTracer
from agent_factory.core.testing import FunctionModel, ScriptedModel, create_tool_call


def test_agents_side_by_side_stand_under_their_own_calls() -> None:
    tracer = RecordingTracer()
    events: list[Any] = []
    helpers = [
        Agent(name=name, model=FunctionModel(lambda request: "helped")) for name in ("one", "two")
    ]
    calls = tuple(create_tool_call(x.name, {"prompt": "Go."}, call_id=x.name) for x in helpers)
    chief = Agent(
        name="chief",
        model=ScriptedModel([AssistantMessage("", calls), "done"]),
        tools=[helper.as_tool() for helper in helpers],
    )

    chief.run_sync("Hi.", options=RunOptions(observers=(Telemetry(tracer), events.append)))

    drawn = tracer.draw()
    for name in ("one", "two"):
        assert f"execute_tool {name}" in drawn
    started = [event for event in events if isinstance(event, RunStarted)]
    assert [event.parent_call_id for event in started] == ["", "one", "two"]
    parents = {
        span.name: span.parent.name
        for span in tracer.spans
        if isinstance(span.parent, RecordingSpan) and span.name.startswith("invoke_agent")
    }
    assert parents == {
        "invoke_agent one": "execute_tool one",
        "invoke_agent two": "execute_tool two",
    }
