from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest

from agent_factory.core import (
    Agent,
    ConfigurationError,
    Limits,
    ModelServerError,
    RunContext,
    RunFailed,
    RunStarted,
    RunTimeoutError,
    SystemMessage,
    UserMessage,
)
from agent_factory.core.testing import ScriptedModel, create_tool_call
from tests.utils import create_test_tool


def create_agent(instructions: Any, *answers: Any, **given: Any) -> Agent[Any, str]:
    return Agent(
        name="guide", model=ScriptedModel(answers or ["done"]), instructions=instructions, **given
    )


def read_first(agent: Agent[Any, str], **given: Any) -> object:
    agent.run_sync("Where?", **given)
    assert isinstance(agent.model, ScriptedModel)
    return agent.model.requests[0].messages[0]


def write(context: RunContext[str]) -> str:
    return f"{context.agent} serves {context.deps}, who asks {context.prompt}"


async def write_later(context: RunContext[str]) -> str:
    await asyncio.sleep(0)
    return write(context)


class Writer:
    def __init__(self, text: str) -> None:
        self.text = text

    async def __call__(self, context: RunContext[str]) -> str:
        return f"{self.text} {context.deps}"


@pytest.mark.parametrize("function", [write, write_later])
def test_instructions_are_computed_from_the_run(function: Any) -> None:
    assert read_first(create_agent(function), deps="Ada") == SystemMessage(
        "guide serves Ada, who asks Where?"
    )


def test_instructions_may_be_computed_by_an_object() -> None:
    assert read_first(create_agent(Writer("Serve")), deps="Ada") == SystemMessage("Serve Ada")


def test_run_id_of_the_context_is_that_of_the_run() -> None:
    seen: list[str] = []

    def note(context: RunContext[None]) -> str:
        seen.append(context.run_id)
        return "x"

    result = create_agent(note).run_sync("Hi.")

    assert seen == [result.run_id]


def test_instructions_are_computed_once_a_run() -> None:
    texts = iter(["first", "second"])
    agent = create_agent(
        lambda _: next(texts),
        create_tool_call("look", {}),
        "done",
        "done",
        tools=[create_test_tool("look")],
    )

    agent.run_sync("Hi.")
    agent.run_sync("Hi.")

    assert isinstance(agent.model, ScriptedModel)
    assert [request.messages[0] for request in agent.model.requests] == [
        SystemMessage("first"),
        SystemMessage("first"),
        SystemMessage("second"),
    ]


@pytest.mark.parametrize("instructions", ["", lambda _: ""])
def test_empty_instructions_are_left_out(instructions: Any) -> None:
    assert read_first(create_agent(instructions)) == UserMessage("Where?")


def test_instructions_of_a_history_are_replaced() -> None:
    agent = create_agent("New.", "one", "two")
    before = create_agent("Old.", "zero").run_sync("Hi.")

    result = agent.run_sync("Where?", history=before.messages)

    system = [item for item in result.messages if isinstance(item, SystemMessage)]
    assert system == [SystemMessage("New.")]


def fail(_: RunContext[Any]) -> str:
    raise KeyError("locale")


async def fail_later(_: RunContext[Any]) -> str:
    await asyncio.sleep(0)
    raise KeyError("locale")


@pytest.mark.parametrize("function", [fail, fail_later])
def test_instructions_that_cannot_be_computed_end_the_run(function: Any) -> None:
    events: list[Any] = []

    async def main() -> None:
        async for event in create_agent(function).stream("Hi."):
            events.append(event)

    with pytest.raises(
        ConfigurationError, match=r"agent 'guide' raised KeyError: 'locale'"
    ) as caught:
        asyncio.run(main())
    assert isinstance(caught.value.__cause__, KeyError)
    assert [type(event) for event in events] == [RunStarted, RunFailed]
    assert events[1].error is caught.value


def test_instructions_whose_function_calls_exit_do_not_end_the_process() -> None:
    def leave(_: RunContext[Any]) -> str:
        raise SystemExit(3)

    with pytest.raises(ConfigurationError, match="raised SystemExit: 3"):
        create_agent(leave).run_sync("Hi.")


def test_error_that_was_raised_on_purpose_stays_as_it_is() -> None:
    error = ModelServerError("down", model="m")

    def ask(_: RunContext[Any]) -> str:
        raise error

    with pytest.raises(ModelServerError) as caught:
        create_agent(ask).run_sync("Hi.")
    assert caught.value is error


async def return_bytes(_: RunContext[Any]) -> Any:
    return b"Be brief."


@pytest.mark.parametrize(
    ("function", "said"),
    [(lambda _: None, "NoneType"), (return_bytes, "bytes"), (lambda _: ["a"], "list")],
)
def test_something_else_than_a_text_is_refused(function: Any, said: str) -> None:
    with pytest.raises(
        ConfigurationError, match=f"agent 'guide' returned {said} in place of a text"
    ):
        create_agent(function).run_sync("Hi.")


@pytest.mark.parametrize("instructions", [None, 7, b"Be brief."])
def test_instructions_that_are_neither_text_nor_function_are_refused(instructions: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"'guide'.*a text or a function"):
        create_agent(instructions).run_sync("Hi.")


def test_instructions_that_take_too_long_end_with_the_time_of_the_run() -> None:
    async def wait(_: RunContext[Any]) -> str:
        await asyncio.sleep(math.inf)
        return ""

    with pytest.raises(RunTimeoutError, match="'guide'"):
        create_agent(wait, limits=Limits(timeout=0.05)).run_sync("Hi.")


def test_cancelling_the_run_cancels_what_computes_its_instructions() -> None:
    async def main() -> None:
        began, ended = asyncio.Event(), asyncio.Event()

        async def wait(_: RunContext[Any]) -> str:
            began.set()
            try:
                await asyncio.sleep(math.inf)
            finally:
                ended.set()
            return ""

        task = asyncio.create_task(create_agent(wait).run("Hi."))
        await began.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert ended.is_set()

    asyncio.run(main())
