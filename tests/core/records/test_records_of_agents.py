"""For any script of a model: the events of a run tell all of it, and survive being written and read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.core.exceptions import CoreError, ToolError
from agent_factory.core.messages import AssistantMessage, ToolCall, check_history
from agent_factory.core.models import ModelResponse
from agent_factory.core.options import RunOptions
from agent_factory.core.records import read_events, rebuild_run, write_events
from agent_factory.core.telemetry import Telemetry
from agent_factory.core.telemetry.recording import RecordingTracer
from agent_factory.core.testing import FunctionModel
from agent_factory.core.usage import Limits, Usage
from tests.utils import create_test_agent, create_test_tool

if TYPE_CHECKING:
    from agent_factory.core.events import RunEvent
    from agent_factory.core.models import ModelRequest
    from agent_factory.core.result import RunResult

TOOLS = (
    create_test_tool("echo"),
    create_test_tool("refuse", error=ToolError("not today")),
    create_test_tool("crash", error=ValueError("a defect")),
)

calls = st.builds(
    ToolCall,
    id=st.sampled_from(["1", "2", "3"]),
    name=st.sampled_from(["echo", "echo", "refuse", "crash", "unknown"]),
    arguments=st.sampled_from(['{"text": "x"}', "{}", "["]),
)
answers = st.builds(
    AssistantMessage,
    text=st.sampled_from(["", "42", "two words"]),
    tool_calls=st.lists(calls, max_size=3).map(tuple),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    script=st.lists(answers, max_size=5),
    output_type=st.sampled_from([str, int]),
    limits=st.builds(
        Limits,
        max_requests=st.integers(1, 6),
        max_tool_calls=st.integers(0, 6),
        timeout=st.just(30.0),
    ),
    content=st.booleans(),
)
def test_run_of_an_agent_is_rebuilt_from_its_events(
    script: list[AssistantMessage], output_type: type[Any], limits: Limits, content: bool
) -> None:
    left = iter(script)

    def answer(request: ModelRequest) -> ModelResponse:
        return ModelResponse(next(left, AssistantMessage("7")), Usage(1, 3, 4))

    agent = create_test_agent(
        model=FunctionModel(answer), tools=TOOLS, output_type=output_type, limits=limits
    )
    events: list[RunEvent[Any]] = []
    tracer = RecordingTracer()
    telemetry = Telemetry(tracer, content=content)
    result: RunResult[Any] | None = None
    error: CoreError | None = None
    try:
        result = agent.run_sync("Go.", options=RunOptions(observers=(events.append, telemetry)))
    except CoreError as raised:
        error = raised

    run = rebuild_run(read_events(write_events(events)))
    until_the_end = rebuild_run(events[:-1])

    check_history(run.messages)
    assert until_the_end.messages == run.messages
    assert until_the_end.status == "unfinished"
    if result is not None:
        assert (run.status, run.output) == ("finished", result.output)
        assert run.messages == result.messages
        assert until_the_end.usage == run.usage == result.usage
    if error is not None:
        assert run.error is not None
        assert (run.status, run.error.code) == ("failed", error.code)
    assert telemetry.failures == 0
    assert all(span.end_time is not None for span in tracer.spans)
