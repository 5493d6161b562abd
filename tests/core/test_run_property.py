"""For any script of models, tools, people, guardrails, budgets and cancellations, a run keeps its promises."""

from __future__ import annotations

import asyncio
import math
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.core import (
    Agent,
    Approval,
    ApprovalRequest,
    AssistantMessage,
    CoreError,
    Guardrail,
    GuardrailContext,
    InMemoryBudget,
    InMemoryJournal,
    Limits,
    ModelConnectionError,
    ModelResponse,
    RunFailed,
    RunFinished,
    RunOptions,
    RunStarted,
    ToolCall,
    ToolError,
    ToolFinished,
    Usage,
    Verdict,
    check_history,
    tool,
)
from agent_factory.core.records import rebuild_run
from agent_factory.core.testing import FunctionModel, ScriptedStream, VirtualClock, run_virtual

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from agent_factory.core import ModelRequest, RunEvent

LIMITS = Limits(
    max_requests=6,
    max_tool_calls=8,
    max_output_retries=2,
    timeout=60.0,
    max_parallel_tools=2,
    approval_timeout=600.0,
)
# Far above what any run here may take: the limits, some bounded clean-ups, and every approval in a row.
LONGEST = 60.0 + 8 * 600.0 + 60.0

NAMES = [
    "echo", "refuse", "crash", "slow", "slow_once", "deaf", "send", "flaky", "ask_helper", "unknown",
    "transfer_to_second",
]  # fmt: skip

calls = st.builds(
    ToolCall,
    id=st.sampled_from(["1", "2", "3", "4"]),
    name=st.sampled_from(NAMES),
    arguments=st.sampled_from(['{"text": "x"}', '{"text": "x"}', "{}", "[", '{"text": 1}']),
)
answers = st.builds(
    ModelResponse,
    message=st.builds(
        AssistantMessage,
        text=st.sampled_from(["", "two words", "7", "secret"]),
        tool_calls=st.lists(calls, max_size=3).map(tuple),
    ),
    usage=st.builds(Usage, st.just(1), st.integers(0, 50), st.integers(0, 50)),
    finish_reason=st.sampled_from(
        ["stop", "stop", "stop", "stop", "tool_calls", "length", "refusal"]
    ),
)
turns = answers | answers | answers | st.sampled_from(["fail", "hang", "break"])
decisions = st.sampled_from(["allow", "allow", "allow", "block", "replace", "retry"])


@dataclass
class World:
    """Everything that a run meets, decided in advance; and what it did there."""

    script: list[ModelResponse | str]
    output_type: type[Any]
    verdicts: dict[str, str]
    parallel: bool
    people: list[str]
    cancel_after: float | None
    ran: list[str] = field(default_factory=list)
    granted: list[str] = field(default_factory=list)


worlds = st.builds(
    World,
    script=st.lists(turns, max_size=5),
    output_type=st.sampled_from([str, str, int]),
    verdicts=st.fixed_dictionaries(
        dict.fromkeys(("input", "output", "tool_call", "tool_result"), decisions)
    ),
    parallel=st.booleans(),
    people=st.lists(st.sampled_from(["grant", "deny", "other", "late", "fail"]), max_size=4),
    cancel_after=st.none() | st.none() | st.sampled_from([0.5, 10.0, 100.0]),
)


def create_tools(world: World) -> list[Any]:
    """Return tools of every kind, which tell the world what they did."""

    @tool(effect="read")
    async def echo(text: str) -> str:
        world.ran.append("echo")
        return text

    @tool(effect="read")
    async def refuse(text: str) -> str:
        raise ToolError("not today")

    @tool(effect="read")
    async def crash(text: str) -> str:
        raise ValueError("a defect")

    @tool(effect="read", timeout=5)
    async def slow(text: str) -> str:
        await asyncio.sleep(50)
        return text

    @tool(effect="once", timeout=5)
    async def slow_once(text: str) -> str:
        world.ran.append("slow_once")
        await asyncio.sleep(50)
        return text

    @tool(effect="read", timeout=5)
    async def deaf(text: str) -> str:
        for _ in range(3):
            try:
                await asyncio.sleep(20)
            except asyncio.CancelledError:
                continue
        return text

    @tool(effect="once", needs_approval=True)
    async def send(text: str) -> str:
        world.ran.append("send")
        return "sent"

    @tool(effect="idempotent", retries=2, timeout=5)
    async def flaky(text: str) -> str:
        world.ran.append("flaky")
        raise ConnectionError("gone")

    return [echo, refuse, crash, slow, slow_once, deaf, send, flaky]


def create_guardrails(world: World) -> list[Guardrail[object]]:
    """Return one guardrail for each stage; it decides as the world has it, about the word "secret" or about anything."""

    def create_check(stage: str) -> Callable[[str, GuardrailContext], Verdict]:
        def check(text: str, context: GuardrailContext) -> Verdict:
            decision = world.verdicts[stage]
            if decision == "block" and ("secret" in text or stage != "output"):
                return Verdict.block("no")
            if decision == "replace" and "secret" in text:
                return Verdict.replace(text.replace("secret", "[...]"), "hidden")
            if decision == "retry" and "secret" in text:
                return Verdict.retry("say it in other words")
            return Verdict.allow()

        return check

    stages: list[Any] = ["input", "output", "tool_call", "tool_result"]
    return [
        Guardrail(
            stage,
            frozenset({stage}),
            create_check(stage),
            mode="parallel" if stage == "input" and world.parallel else "before",
        )
        for stage in stages
        if world.verdicts[stage] != "allow"
    ]


class People:
    """Decide one after the other; when there are no more, they deny."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._left = list(world.people)

    async def decide(self, request: ApprovalRequest) -> Approval:
        said = self._left.pop(0) if self._left else "deny"
        if said == "late":
            await asyncio.sleep(700)
        if said == "fail":
            raise LookupError("nobody there")
        if said == "deny":
            return request.deny("ada")
        approval = request.approve("ada")
        if said == "other":
            return replace(approval, digest="0" * 64)
        self._world.granted.append(request.call_id)
        return approval


def create_model(world: World) -> FunctionModel:
    """Return a model that follows the world's script, then says "7" for ever."""
    left = iter(world.script)

    def answer(request: ModelRequest) -> Any:
        assert check_history(request.messages) == request.messages
        said = next(left, "7")
        if said == "fail":
            return ModelConnectionError("refused", model="m")
        if said == "hang":
            return ScriptedStream(delay=math.inf)
        if said == "break":
            return ScriptedStream(error=ModelConnectionError("cut", model="m"))
        return said

    return FunctionModel(answer)


def create_agent(world: World) -> Agent[Any, Any]:
    """Return an agent that lives in the world."""
    helper: Agent[Any, str] = Agent(
        name="helper",
        model=FunctionModel(lambda request: "helped"),
        description="Helps.",
        limits=Limits(max_requests=1, timeout=5.0),
    )
    second: Agent[Any, Any] = Agent(
        name="second",
        model=FunctionModel(lambda request: "8"),
        output_type=world.output_type,
        guardrails=create_guardrails(world),
        instructions="Go on.",
    )
    return Agent(
        name="worker",
        model=create_model(world),
        tools=[*create_tools(world), helper.as_tool(name="ask_helper")],
        output_type=world.output_type,
        guardrails=create_guardrails(world),
        limits=LIMITS,
        instructions="Do it.",
        fallbacks=[FunctionModel(lambda request: "7", name="function")],
        handoffs=[second],
    )


@dataclass
class Ending:
    """How a run ended: its result without what differs from run to run, or its error."""

    result: Any = None
    error: tuple[str, str] | None = None
    cancelled: bool = False
    events: list[RunEvent[Any]] = field(default_factory=list)


def live(world: World, *, streaming: bool, budget: InMemoryBudget | None = None) -> Ending:
    """Let a run happen in the world, in virtual time."""
    clock = VirtualClock()
    ending = Ending()
    options = RunOptions(
        approver=People(world),
        journal=InMemoryJournal(),
        clock=clock,
        observers=(ending.events.append,),
        budgets=() if budget is None else (budget,),
    )
    agent = create_agent(world)

    async def read() -> Any:
        seen: list[RunEvent[Any]] = []
        async with aclosing(agent.stream("Hi.", deps=None, options=options)) as events:
            async for event in events:
                seen.append(event)
        assert seen == [event for event in ending.events if event.run_id == seen[0].run_id]
        last = seen[-1]
        assert isinstance(last, RunFinished)
        return last.result

    async def main() -> None:
        begun: Awaitable[Any] = (
            read() if streaming else agent.run("Hi.", deps=None, options=options)
        )
        task = asyncio.ensure_future(begun)
        if world.cancel_after is not None:
            asyncio.get_running_loop().call_later(world.cancel_after, task.cancel)
        async with asyncio.timeout(LONGEST):
            try:
                result = await task
                ending.result = (result.output, result.messages, result.usage, result.agent)
            except CoreError as error:
                ending.error = (error.code, error.message)
            except asyncio.CancelledError:
                if asyncio.current_task().cancelling():  # type: ignore[union-attr]
                    raise
                ending.cancelled = True

    run_virtual(main, clock=clock)
    return ending


def copy(world: World) -> World:
    """Return the same world before anything has happened."""
    return replace(world, ran=[], granted=[])


thorough = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@thorough
@given(world=worlds)
def test_run_ends_as_its_stream_does(world: World) -> None:
    first, second = copy(world), copy(world)
    whole, folded = live(first, streaming=False), live(second, streaming=True)

    assert (whole.result, whole.error, whole.cancelled) == (
        folded.result,
        folded.error,
        folded.cancelled,
    )
    assert (first.ran, first.granted) == (second.ran, second.granted)


@thorough
@given(world=worlds, streaming=st.booleans())
def test_every_run_tells_all_of_itself(world: World, streaming: bool) -> None:
    ending = live(copy(world), streaming=streaming)
    own = [event for event in ending.events if event.run_id == ending.events[0].run_id]

    assert isinstance(own[0], RunStarted)
    assert [event.sequence for event in own] == list(range(len(own)))
    rebuilt = rebuild_run(own)
    assert check_history(rebuilt.messages) == rebuilt.messages
    if ending.result is None:
        assert isinstance(own[-1], RunFailed)
        assert rebuilt.status == "failed"
    else:
        output, messages, usage, _ = ending.result
        assert (rebuilt.output, rebuilt.messages, rebuilt.usage) == (output, messages, usage)
        assert usage.requests <= LIMITS.max_requests
        assert usage.tool_calls <= LIMITS.max_tool_calls


@thorough
@given(world=worlds, streaming=st.booleans())
def test_no_call_runs_without_the_approval_that_it_needs(world: World, streaming: bool) -> None:
    lived = copy(world)
    ending = live(lived, streaming=streaming)

    sent = [
        event
        for event in ending.events
        if isinstance(event, ToolFinished) and event.call.name == "send" and event.outcome == "ok"
    ]
    assert lived.ran.count("send") <= len(lived.granted)
    assert len(sent) <= lived.ran.count("send")


@thorough
@given(world=worlds, streaming=st.booleans())
def test_text_that_a_guardrail_objects_to_is_never_given_out(world: World, streaming: bool) -> None:
    if world.verdicts["output"] == "allow":
        world = replace(world, verdicts=world.verdicts | {"output": "block"})
    ending = live(copy(world), streaming=streaming)

    shown = [event for event in ending.events if not isinstance(event, ToolFinished)]
    assert "secret" not in repr(shown)
    assert "secret" not in repr(ending.result)


@settings(parent=thorough, max_examples=60)
@given(
    several=st.lists(worlds, min_size=2, max_size=5),
    max_tokens=st.integers(1, 30_000),
    max_requests=st.integers(1, 12),
)
def test_runs_together_never_exceed_the_budget_that_they_share(
    several: list[World], max_tokens: int, max_requests: int
) -> None:
    budget = InMemoryBudget("shared", max_tokens=max_tokens, max_requests=max_requests)
    seen: list[Usage] = []

    def look(_: object) -> None:
        seen.append(budget.used + budget.reserved)

    async def main() -> None:
        options = RunOptions(budgets=(budget,), observers=(look,), clock=clock)
        tasks = []
        for world in several:
            begun = create_agent(copy(world)).run("Hi.", deps=None, options=options)
            tasks.append(asyncio.ensure_future(begun))
            if world.cancel_after is not None:
                asyncio.get_running_loop().call_later(world.cancel_after, tasks[-1].cancel)
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        for item in ended:
            if isinstance(item, BaseException):
                assert isinstance(item, (CoreError, asyncio.CancelledError)), item

    clock = VirtualClock()
    run_virtual(main, clock=clock)

    for usage in seen:
        assert usage.requests <= max_requests
        assert usage.tokens <= max_tokens
    assert budget.reserved == Usage()


def test_time_passes_while_a_person_decides_and_the_run_goes_on() -> None:
    world = World(
        script=[
            ModelResponse(
                AssistantMessage("", (ToolCall("1", "send", '{"text": "x"}'),)),
                finish_reason="tool_calls",
            )
        ],
        output_type=str,
        verdicts=dict.fromkeys(("input", "output", "tool_call", "tool_result"), "allow"),
        parallel=False,
        people=["grant"],
        cancel_after=None,
    )

    class Slow(People):
        async def decide(self, request: ApprovalRequest) -> Approval:
            await asyncio.sleep(LIMITS.timeout * 5)
            return await super().decide(request)

    clock = VirtualClock()
    began = clock.now()
    agent = create_agent(world)
    options = RunOptions(approver=Slow(world), clock=clock)

    result = run_virtual(lambda: agent.run("Hi.", deps=None, options=options), clock=clock)

    assert result.output == "7"
    assert world.ran == ["send"]
    assert clock.now() - began >= timedelta(seconds=LIMITS.timeout * 5)
