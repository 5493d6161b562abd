"""What must not get out of a run by a side door: withheld words, lost exceptions, the end of the process."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest

from agent_factory.core import (
    Agent,
    AssistantMessage,
    Reasoning,
    ToolError,
    Verdict,
    tool,
)
from agent_factory.core.testing import ScriptedModel, create_tool_call, run_virtual
from agent_factory.core.waiting import Deadline, run_until
from tests.core.guarded_runs import CANARY, go, guard, make_agent, object_to
from tests.utils import create_test_agent, create_test_tool


@pytest.mark.parametrize("streaming", [False, True])
def test_call_that_answers_is_sent_back_and_shows_nowhere(streaming: bool) -> None:
    agent = make_agent(
        [
            create_tool_call("final_answer", {"name": CANARY}),
            create_tool_call("final_answer", {"name": "apple"}),
        ],
        object_to("output", Verdict.retry("no numbers")),
        output_type=dict[str, str],
        output_mode="tool",
    )

    outcome = go(agent, streaming=streaming)

    assert outcome.result.output == {"name": "apple"}
    assert not outcome.shows(CANARY)


@pytest.mark.parametrize("verdict", [Verdict.block("no"), Verdict.replace('{"name": "x"}', "why")])
def test_second_call_that_answers_in_one_message_is_looked_at_or_dropped(verdict: Verdict) -> None:
    agent = make_agent(
        [
            AssistantMessage(
                "",
                (
                    create_tool_call("final_answer", {"name": "apple"}, call_id="1"),
                    create_tool_call("final_answer", {"name": CANARY}, call_id="2"),
                ),
            )
        ],
        object_to("output", verdict),
        output_type=dict[str, str],
        output_mode="tool",
    )

    assert not go(agent).shows(CANARY)


def test_thoughts_as_data_stay_back_where_answers_are_looked_at() -> None:
    thought = Reasoning("", f'{{"summary": [{{"text": "{CANARY}"}}]}}', "openai.responses")
    agent = make_agent(
        [AssistantMessage("bad", reasoning=(thought,)), "done"],
        object_to("output", Verdict.retry("no"), what="bad"),
    )

    assert not go(agent).shows(CANARY)


def test_error_that_a_tool_tells_is_looked_at_as_a_result() -> None:
    agent = make_agent(
        [create_tool_call("look", {}), "done"],
        object_to("tool_result", Verdict.replace("a fruit", "why")),
        tools=[create_test_tool("look", error=ToolError(f"the server said {CANARY}"))],
    )

    assert not go(agent).shows(CANARY)


def test_input_guardrails_of_the_agent_that_takes_over_look_at_the_prompt() -> None:
    other = make_agent(["done"], guard("input", Verdict.block("no"), name="second"))
    first = Agent(
        name="first",
        model=ScriptedModel([create_tool_call("transfer_to_clerk", {})]),
        handoffs=[other],
    )

    assert go(first).error.guardrail == "second"


def test_second_cancellation_while_work_is_given_up_leaves_no_lost_exception() -> None:
    async def main() -> list[Any]:
        loop = asyncio.get_running_loop()
        reported: list[Any] = []
        loop.set_exception_handler(lambda _, said: reported.append(said["message"]))

        async def stubborn() -> None:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                await asyncio.sleep(0.5)
                raise KeyError("while cleaning up") from None

        async def start() -> None:
            await run_until(stubborn(), Deadline(loop, 30))

        caller = asyncio.create_task(start())
        await asyncio.sleep(0.1)
        caller.cancel()
        await asyncio.sleep(0.1)
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        del caller
        await asyncio.sleep(5)
        gc.collect()
        return reported

    assert run_virtual(main()) == []


def test_coroutine_tool_that_calls_exit_does_not_end_the_process() -> None:
    # The plain function does not (core/threads.py wraps it); argparse in a tool is enough.
    @tool
    async def leave() -> None:
        raise SystemExit(3)

    agent = create_test_agent([create_tool_call("leave", {}), "never"], tools=[leave])

    with pytest.raises(Exception, match="SystemExit"):
        agent.run_sync("Hi.")
