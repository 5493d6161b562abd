"""Makers of events, and strategies for any events and for the events of any run."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from agent_factory.core.approvals import Approval, ApprovalRequest
from agent_factory.core.events import (
    ApprovalDecided,
    ApprovalRequested,
    GuardrailChecked,
    HandedOff,
    ModelAnswered,
    ModelRequested,
    ModelRetried,
    OutputRejected,
    ReasoningReceived,
    RunFailed,
    RunFinished,
    RunStarted,
    TextReceived,
    ToolFinished,
    ToolRetried,
    ToolStarted,
)
from agent_factory.core.exceptions import ModelRateLimitError, RunTimeoutError, ToolExecutionError
from agent_factory.core.messages import (
    AssistantMessage,
    Image,
    Reasoning,
    SystemMessage,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from agent_factory.core.models import TokenLogprob
from agent_factory.core.result import RunResult
from agent_factory.core.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent_factory.core.events import RunEvent
    from agent_factory.core.messages import Message

__all__ = ["START", "any_events", "create_run", "runs"]

START = datetime(2026, 1, 31, 12, 0, 0, 25, UTC)


def create_run(*events: RunEvent[Any], run_id: str = "run-1") -> list[RunEvent[Any]]:
    """Return the events as those of one run: numbered, a second apart."""
    return [
        replace(event, run_id=run_id, sequence=number, time=START + timedelta(seconds=number))
        for number, event in enumerate(events)
    ]


texts = st.text(max_size=6)
words = st.text(min_size=1, max_size=6)
counts = st.integers(0, 10**12)
times = st.datetimes(timezones=st.just(UTC))
common = {"run_id": words, "sequence": counts, "time": times}

calls = st.builds(ToolCall, words, words, texts)
images = st.builds(
    Image, st.sampled_from(["https://example.org/a.png", "data:image/png;base64,AA=="])
)
messages: st.SearchStrategy[Message] = st.one_of(
    st.builds(SystemMessage, texts),
    st.builds(UserMessage, texts, st.lists(images, max_size=2).map(tuple)),
    st.builds(
        AssistantMessage,
        texts,
        st.lists(calls, max_size=2).map(tuple),
        st.lists(st.builds(Reasoning, texts, texts, texts), max_size=2).map(tuple),
    ),
    st.builds(
        ToolMessage, words, words, texts, st.sampled_from(["ok", "error", "denied", "unknown"])
    ),
)
usages = st.builds(Usage, counts, counts, counts, counts, counts, counts, st.none() | counts)
requests = st.builds(ApprovalRequest, words, words, words, texts, words, words, times)
approvals = st.builds(Approval, words, words, words, st.booleans(), times, texts)
numbers = st.floats(allow_nan=False)
logprobs = st.builds(
    TokenLogprob, texts, numbers, st.lists(st.tuples(texts, numbers), max_size=2).map(tuple)
)
errors = st.one_of(
    st.builds(ModelRateLimitError, texts, model=words, status=st.just(429), retry_after=numbers),
    st.builds(RunTimeoutError, texts),
    st.builds(ToolExecutionError, texts, tool=words),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | numbers.filter(lambda n: n - n == 0) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)

any_events: st.SearchStrategy[RunEvent[Any]] = st.one_of(
    st.builds(
        RunStarted,
        agent=words,
        model=words,
        prompt=texts,
        messages=st.lists(messages, max_size=3).map(tuple),
        parent_run_id=texts,
        **common,
    ),
    st.builds(ModelRequested, attempt=counts, model=texts, **common),
    st.builds(
        ModelRetried,
        model=words,
        attempt=counts,
        reason=texts,
        delay=numbers,
        next_model=texts,
        **common,
    ),
    st.builds(TextReceived, text=words, **common),
    st.builds(ReasoningReceived, text=words, **common),
    st.builds(
        ModelAnswered,
        message=messages.filter(lambda message: message.role == "assistant"),
        usage=usages,
        finish_reason=st.sampled_from(
            ["stop", "tool_calls", "length", "content_filter", "refusal"]
        ),
        model=texts,
        logprobs=st.lists(logprobs, max_size=2).map(tuple),
        aside=st.booleans(),
        **common,
    ),
    st.builds(
        GuardrailChecked,
        guardrail=words,
        stage=st.sampled_from(["input", "output", "tool_call", "tool_result"]),
        decision=st.sampled_from(["allow", "block", "replace", "retry"]),
        reason=texts,
        tool=texts,
        **common,
    ),
    st.builds(ApprovalRequested, request=requests, **common),
    st.builds(
        ApprovalDecided, request=requests, approval=st.none() | approvals, reason=texts, **common
    ),
    st.builds(ToolStarted, call=calls, **common),
    st.builds(ToolRetried, call=calls, attempt=counts, reason=texts, **common),
    st.builds(
        ToolFinished,
        call=calls,
        content=texts,
        outcome=st.sampled_from(["ok", "error", "denied", "unknown"]),
        **common,
    ),
    st.builds(
        OutputRejected,
        reason=texts,
        messages=st.lists(messages, max_size=2).map(tuple),
        **common,
    ),
    st.builds(HandedOff, agent=words, to=words, model=words, instructions=texts, **common),
    st.builds(RunFailed, error=errors, **common),
    st.builds(
        lambda output, usage, agent, run_id, sequence, time: RunFinished(
            run_id, sequence, time, RunResult(output, (), usage, run_id, agent)
        ),
        json_values,
        usages,
        texts,
        **common,
    ),
)


@st.composite
def runs(draw: st.DrawFn) -> tuple[list[RunEvent[Any]], list[Message]]:
    """Draw the events of a run as a loop would emit them, with the conversation that they make."""
    at: dict[str, Any] = {"run_id": "", "sequence": 0, "time": START}
    history: list[Message] = [UserMessage("Go.")]
    if draw(st.booleans()):
        history.insert(0, SystemMessage("Be brief."))
    events: list[RunEvent[Any]] = [
        RunStarted(**at, agent="first", model="m", prompt="Go.", messages=tuple(history))
    ]
    for turn in range(draw(st.integers(0, 3))):
        if draw(st.booleans()):
            summary = AssistantMessage("a summary")
            events.append(ModelAnswered(**at, message=summary, usage=Usage(1), aside=True))
        events.append(ModelRequested(**at, attempt=turn + 1))
        events += [
            TextReceived(**at, text=piece)
            for piece in draw(st.lists(st.sampled_from(["a", "b"]), max_size=2))
        ]
        names = draw(st.lists(st.sampled_from(["1", "2", "3"]), max_size=3, unique=True))
        asked = [ToolCall(name, f"tool-{name}", "{}") for name in names]
        message = AssistantMessage("text", tuple(asked))
        events.append(ModelAnswered(**at, message=message, usage=Usage(1, 2, 3)))
        history.append(message)
        events += _interleave(draw, asked, at)
        history += [ToolMessage(call.id, call.name, f"result {call.id}") for call in asked]
        if draw(st.booleans()):
            said = UserMessage("Answer again.")
            events.append(OutputRejected(**at, reason="no", messages=(said,)))
            history.append(said)
        if draw(st.booleans()):
            instructions = draw(st.sampled_from(["", "Be long."]))
            events.append(
                HandedOff(**at, agent="first", to="second", model="n", instructions=instructions)
            )
            if isinstance(history[0], SystemMessage):
                del history[0]
            if instructions:
                history.insert(0, SystemMessage(instructions))
    if draw(st.booleans()):
        result = RunResult("done", tuple(history), Usage(9), "")
        events.append(RunFinished(**at, result=result))
    else:
        events.append(RunFailed(**at, error=RunTimeoutError("too late")))
    return create_run(*events), history


def _interleave(
    draw: st.DrawFn, asked: Sequence[ToolCall], at: dict[str, Any]
) -> list[RunEvent[Any]]:
    events: list[RunEvent[Any]] = [ToolStarted(**at, call=call) for call in asked]
    events += [
        ToolFinished(**at, call=call, content=f"result {call.id}")
        for call in draw(st.permutations(asked))
    ]
    return events
