from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from agent_factory.core.agent import Agent
from agent_factory.core.context import ToolContext
from agent_factory.core.exceptions import ConfigurationError, ModelServerError, WorkflowError
from agent_factory.core.journal import InMemoryJournal
from agent_factory.core.options import RunOptions
from agent_factory.core.testing import ScriptedModel, create_tool_call
from agent_factory.core.tools import tool
from agent_factory.core.toolsets import combine_tools
from agent_factory.core.workflows import LocalEngine, Retry, Workflow, agent_step, map_each
from tests.utils import create_test_tool

if TYPE_CHECKING:
    from agent_factory.core.tools import Tool

FAILURE = ModelServerError("503", model="m", status=503)
TWICE = Retry(attempts=2)


async def wait_not_at_all(seconds: float) -> None:
    """Stand in for the wait between two tries."""


def run(node: Any, value: Any = "Hi.", *, run_id: str | None = "wf-1") -> Any:
    """Return the result of a workflow of one node that does not wait between tries."""
    engine = LocalEngine(sleep=wait_not_at_all)
    return asyncio.run(Workflow("w", node).run(value, engine=engine, run_id=run_id))


def create_agent(answers: list[Any], *tools: Any, **given: Any) -> Agent[Any, Any]:
    """Return an agent with a script."""
    return Agent(name="clerk", model=ScriptedModel(answers), tools=tools, **given)


def make_payment(keys: list[str]) -> Tool[Any]:
    """Return a tool that must take effect once, and records the keys of its calls."""

    @tool
    async def pay(context: ToolContext[Any]) -> str:
        keys.append(context.idempotency_key)
        return "paid"

    return pay


def test_tool_that_took_effect_does_not_run_again_in_the_next_try() -> None:
    keys: list[str] = []
    pay = create_tool_call("pay", {})
    agent = create_agent([pay, FAILURE, pay, "done"], make_payment(keys))
    options = RunOptions(journal=InMemoryJournal())

    assert run(agent_step(agent, options=options, retry=TWICE)) == "done"
    assert keys == ["wf-1:clerk:pay:1"]


def test_tool_that_took_effect_does_not_run_again_when_the_workflow_is_begun_again() -> None:
    keys: list[str] = []
    options = RunOptions(journal=InMemoryJournal())
    script = [create_tool_call("pay", {}), "done"]

    for _ in range(2):
        assert run(agent_step(create_agent(script, make_payment(keys)), options=options)) == "done"

    assert len(keys) == 1


def test_next_try_that_makes_another_payment_fails_and_has_no_further_effect() -> None:
    calls: list[str] = []
    first, other = (create_tool_call("pay", {"text": text}) for text in "34")
    agent = create_agent(
        [first, FAILURE, other, "never"], create_test_tool("pay", effect="once", calls=calls)
    )
    options = RunOptions(journal=InMemoryJournal())

    with pytest.raises(WorkflowError, match="another call under the key 'wf-1:clerk:pay:1'"):
        run(agent_step(agent, options=options, retry=Retry(attempts=3)))
    assert calls == ["3"]


def test_next_try_that_calls_another_tool_makes_a_new_call() -> None:
    keys: list[str] = []
    calls: list[str] = []
    agent = create_agent(
        [create_tool_call("pay", {}), FAILURE, create_tool_call("give", {"text": "3"}), "done"],
        make_payment(keys),
        create_test_tool("give", effect="once", calls=calls),
    )
    options = RunOptions(journal=InMemoryJournal())

    assert run(agent_step(agent, options=options, retry=TWICE)) == "done"
    assert (len(keys), calls) == (1, ["3"])


def test_runs_of_a_step_for_many_values_are_apart() -> None:
    keys: list[str] = []
    pay = create_tool_call("pay", {})
    agent = create_agent([pay, "done"] * 2, make_payment(keys))
    options = RunOptions(journal=InMemoryJournal(), run_id="ignored")

    run(map_each("all", agent_step(agent, options=options), limit=1), ["a", "b"])

    assert len(set(keys)) == 2


def test_calls_of_two_workflow_runs_are_apart() -> None:
    keys: list[str] = []
    agent = create_agent([create_tool_call("pay", {}), "done"] * 2, make_payment(keys))
    node = agent_step(agent, options=RunOptions(journal=InMemoryJournal()))

    for _ in range(2):
        run(node, run_id=None)

    assert len(set(keys)) == 2


def make_refused() -> dict[str, tuple[Agent[Any, Any], RunOptions]]:
    """Return agents that may have effects, each with the options of its step, by what may have them."""
    pay = create_test_tool("pay", effect="once")
    look = create_test_tool("look")
    other = create_agent(["done"], pay)
    return {
        "tool": (create_agent(["done"], look, pay), RunOptions()),
        "toolset": (create_agent(["done"], combine_tools(look)), RunOptions()),
        "agent that is handed over to": (create_agent(["done"], handoffs=[other]), RunOptions()),
        "agent as a tool": (create_agent(["done"], other.as_tool()), RunOptions()),
        "tool of the run": (create_agent(["done"], look), RunOptions(tools=(pay,))),
        "toolset of the run": (create_agent(["done"]), RunOptions(tools=(combine_tools(look),))),
    }


@pytest.mark.parametrize("what", sorted(make_refused()))
def test_trying_again_what_may_have_effects_needs_a_journal(what: str) -> None:
    agent, options = make_refused()[what]

    with pytest.raises(ConfigurationError, match=r"pass agent_step\(.*RunOptions\(journal="):
        agent_step(agent, options=options, retry=TWICE)
    assert agent_step(agent, options=options).retry is None


@pytest.mark.parametrize("effect", ["read", "idempotent"])
def test_agent_whose_calls_may_be_repeated_is_tried_again_without_a_journal(effect: Any) -> None:
    look = create_tool_call("look", {})
    agent = create_agent(
        [look, FAILURE, look, "done"],
        create_test_tool("look", effect=effect),
        handoffs=[Agent(name="other", model=ScriptedModel(["unused"]))],
    )

    assert run(agent_step(agent, retry=TWICE)) == "done"


def test_read_that_the_next_try_leaves_out_does_not_have_it_pay_twice() -> None:
    keys: list[str] = []
    look, pay = create_tool_call("look", {}), create_tool_call("pay", {})
    agent = create_agent(
        [look, pay, FAILURE, pay, "done"], make_payment(keys), create_test_tool("look")
    )
    options = RunOptions(journal=InMemoryJournal())

    assert run(agent_step(agent, options=options, retry=TWICE)) == "done"
    assert keys == ["wf-1:clerk:pay:1"]


@pytest.mark.parametrize(
    "name", ["long " * 60 + "name", "two\nlines", "lone \ud800"], ids=["long", "lines", "surrogate"]
)
def test_step_whose_key_is_no_run_id_has_a_shorter_one_in_every_try(name: str) -> None:
    keys: list[str] = []
    options = RunOptions(journal=InMemoryJournal())
    for step_name in (name, name, f"{name}."):
        agent = create_agent([create_tool_call("pay", {}), "done"], make_payment(keys))
        run(agent_step(agent, options=options, name=step_name))

    assert len(set(keys)) == len(keys) == 2
    assert all(key.isprintable() and key.startswith("wf-1:") for key in keys)
