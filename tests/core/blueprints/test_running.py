from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from agent_factory.core import ConfigurationError, OutputError, RunTimeoutError
from agent_factory.core.approvals import Approval, ApprovalRequest
from agent_factory.core.blueprints import assemble
from agent_factory.core.blueprints.running import RunClock
from agent_factory.core.context import RunContext
from agent_factory.core.options import RunOptions
from agent_factory.core.testing import ScriptedModel, create_tool_call
from agent_factory.core.workflows import InMemoryPerson
from tests.core.blueprints.full import FULL, Toolsets, create_full_adapters, parse_data, write_files
from tests.core.blueprints.making import PERMITTED, create_adapters, create_assembly

if TYPE_CHECKING:
    from pathlib import Path

    from agent_factory.core.models import ModelRequest, ModelResponse

AGENT = "agent: {instructions: A%s}\n"
FLOW = "agents: {a: {instructions: A}}\nworkflows:\n  main: {steps: [%s]}\n"
STEP = "{name: one, agent: a, input: '{{input}}'}"
ASK = "{name: ok, ask: 'Good?'}"


class SilentModel(ScriptedModel):
    """A model that never answers."""

    async def respond(self, request: ModelRequest) -> ModelResponse:
        """Wait for something that never happens."""
        await asyncio.Event().wait()
        raise AssertionError(request)


class SlowPerson:
    """A person who takes a moment longer than the run may take."""

    async def ask(self, _: Any) -> str:
        """Return the answer."""
        await asyncio.sleep(0.3)
        return "yes"


class SlowApprover:
    """A person who takes a moment longer than the run may take."""

    async def decide(self, request: ApprovalRequest) -> Approval:
        """Return the decision."""
        await asyncio.sleep(0.3)
        return request.approve("ada")


def test_agent_runs_with_its_prompt() -> None:
    model = ScriptedModel(["About lids."])
    adapters = replace(create_adapters(), create_model=lambda use, settings: model)
    made = create_assembly(
        PERMITTED
        + "inputs: {type: object, properties: {topic: {type: string}}, required: [topic]}\n"
        + AGENT % ", prompt: 'On {{input.topic}}'",
        adapters,
    )

    assert asyncio.run(made.run({"topic": "lids"})) == "About lids."
    assert "On lids" in str(model.requests[0].messages[-1])
    with pytest.raises(ConfigurationError, match=r"does not fit 'inputs'.*topic"):
        asyncio.run(made.run({}))


def test_workflow_runs_and_asks() -> None:
    made = create_assembly(
        PERMITTED + FLOW % f"{STEP}, {ASK}", create_adapters({"default": ["one"]})
    )

    assert asyncio.run(made.run("Hi.", person=InMemoryPerson({"ok": "yes"}))) == "yes"


def test_result_of_a_workflow_fits_the_outputs() -> None:
    made = create_assembly(
        PERMITTED + "outputs: {type: integer}\n" + FLOW % ASK,
    )

    with pytest.raises(OutputError, match=r"result of 'main' does not fit 'outputs'.*integer"):
        asyncio.run(made.run("Hi.", person=InMemoryPerson({"ok": "yes"})))


def test_agent_ends_when_its_time_is_up() -> None:
    adapters = replace(create_adapters(), create_model=lambda use, settings: SilentModel(["x"]))
    made = create_assembly(PERMITTED + "  timeout: 0.05\n" + AGENT % "", adapters)

    with pytest.raises(RunTimeoutError):
        asyncio.run(made.run("Hi."))


def test_work_ends_when_its_time_is_up() -> None:
    async def run() -> None:
        await RunClock(0.01).hold(asyncio.Event().wait())

    with pytest.raises(RunTimeoutError, match=r"longer than the 0\.01 seconds of permissions"):
        asyncio.run(run())


def test_time_stands_still_while_a_person_is_asked() -> None:
    made = create_assembly(PERMITTED + "  timeout: 0.2\n" + FLOW % ASK)

    assert asyncio.run(made.run("Hi.", person=SlowPerson())) == "yes"


def test_time_stands_still_while_an_approval_is_asked() -> None:
    adapters = create_adapters({"default": [create_tool_call("echo", {}), "done"]})
    text = FLOW.replace("A}", "A, tools: [{use: echo, approval: true}]}") % STEP
    made = create_assembly(PERMITTED + "  timeout: 0.2\n" + text, adapters)

    assert asyncio.run(made.run("Hi.", options=RunOptions(approver=SlowApprover()))) == "done"


def test_runs_share_an_assembly() -> None:
    made = create_assembly(
        PERMITTED + FLOW % STEP, create_adapters({"default": [str(n) for n in range(9)]})
    )

    async def run() -> list[Any]:
        return await asyncio.gather(*(made.run("Hi.") for _ in range(9)))

    assert sorted(asyncio.run(run())) == [str(number) for number in range(9)]


class ClosableModel(ScriptedModel):
    """A model that counts how often it was closed."""

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__(["x"])
        self.closed = 0
        self.error = error

    async def aclose(self) -> None:
        """Count, and fail if told to."""
        self.closed += 1
        if self.error is not None:
            raise self.error


def test_what_holds_connections_is_closed_once_though_it_is_shared(tmp_path: Path) -> None:
    write_files(tmp_path)
    model, toolsets = ClosableModel(), Toolsets()
    adapters = replace(create_full_adapters(toolsets), create_model=lambda use, settings: model)
    made = assemble(parse_data(FULL, tmp_path), adapters, wrap_model=lambda name, inner: inner)

    asyncio.run(made.aclose())
    asyncio.run(made.aclose())

    assert model.closed == 1
    assert sorted(toolsets.closed) == ["api", "local", "remote"]


def test_error_of_one_keeps_no_other_open(tmp_path: Path) -> None:
    write_files(tmp_path)
    toolsets = Toolsets()
    models: list[ClosableModel] = []

    def create(use: str, settings: Any) -> ClosableModel:
        models.append(ClosableModel(OSError("gone")))
        return models[-1]

    adapters = replace(create_full_adapters(toolsets), create_model=create)
    made = assemble(parse_data(FULL, tmp_path), adapters)

    with pytest.raises(OSError, match="gone"):
        asyncio.run(made.aclose())

    assert len(models) > 2
    assert {model.closed for model in models} == {1}
    assert len(toolsets.closed) == 3


def test_tool_that_needs_an_approval_and_is_not_there_is_refused() -> None:
    text = (
        "permissions: {models: [default], tools: [set/*]}\n"
        "toolsets: {set: {mcp: {command: [x]}, approval_for: [serch]}}\n"
        "agent: {instructions: A, tools: [{toolset: set}]}\n"
    )
    made = create_assembly(text, create_full_adapters())

    with pytest.raises(ConfigurationError, match=r"no tool 'serch'.*did you mean 'search'\?"):
        asyncio.run(made.toolsets["set"].list_tools(RunContext[object](None, "a", "r", "")))


def test_tool_of_a_package_that_raises_is_a_problem() -> None:
    from agent_factory.core.registry import ToolEntry, ToolRegistry
    from tests.core.blueprints.making import Options, find_messages

    def create(options: Options, environment: Any) -> Any:
        raise ZeroDivisionError("by zero")

    adapters = replace(
        create_adapters(), tools=ToolRegistry([ToolEntry("echo", "Breaks.", Options, create)])
    )
    text = "permissions: {models: [default], tools: [echo]}\n" + AGENT % ", tools: [echo]"

    [told] = find_messages(text, adapters)

    assert "tool 'echo' cannot be made: ZeroDivisionError: by zero" in told
