from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from agent_factory.core import (
    ConfigurationError,
    LimitExceededError,
    Tool,
    ToolMessage,
)
from agent_factory.core.blueprints import create_agent, parse_blueprint
from agent_factory.core.budgets import InMemoryBudget
from agent_factory.core.options import RunOptions
from agent_factory.core.registry import InstalledTool, ToolEntry
from agent_factory.core.testing import ScriptedModel, create_tool_call
from agent_factory.core.workflows import InMemoryPerson, LocalEngine
from tests.core.blueprints.making import (
    HEAD,
    PERMITTED,
    Options,
    create_adapters,
    create_assembly,
    create_echo,
    find_messages,
)

LATER = PERMITTED.replace("fetch]", "fetch, later]")
AGENT = "agent:\n  instructions: Be kind.\n"


def find_result(messages: tuple[Any, ...], tool: str) -> ToolMessage:
    """Return what a tool answered."""
    [found] = [item for item in messages if isinstance(item, ToolMessage) and item.name == tool]
    return found


def test_agent_is_what_the_blueprint_says() -> None:
    made = create_assembly(
        PERMITTED
        + AGENT
        + "  model: other\n  tools: [echo]\n  limits: {max_requests: 3, max_tool_calls: 2, timeout: 9}\n"
    )
    agent = made.agents[made.entry]

    assert (agent.name, agent.instructions) == ("helper", "Be kind.")
    assert [item.name for item in agent.tools if isinstance(item, Tool)] == ["echo"]
    assert (agent.limits.max_requests, agent.limits.max_tool_calls) == (3, 2)
    assert agent.limits.timeout == 9.0


def test_agent_runs_with_its_tools() -> None:
    adapters = create_adapters({"default": [create_tool_call("echo", {}), "done"]})
    text = PERMITTED + AGENT + "  tools: [{use: echo, with: {folder: docs}}]\n"
    agent = create_assembly(text, adapters).agents["helper"]

    result = agent.run_sync("Hi.", deps=None)

    assert result.output == "done"
    assert find_result(result.messages, "echo").content == "/base/docs"


def test_one_tool_can_be_used_twice_under_two_names() -> None:
    made = create_assembly(
        PERMITTED + AGENT + "  tools: [echo, {use: echo, name: again, approval: true}]\n"
    )
    first, second = made.agents["helper"].tools

    assert isinstance(first, Tool)
    assert isinstance(second, Tool)
    assert (first.name, first.needs_approval) == ("echo", False)
    assert (second.name, second.needs_approval) == ("again", True)


def test_named_tool_is_shared_by_the_agents() -> None:
    made = create_assembly(
        PERMITTED
        + "entry: a\ntools:\n  look: {use: echo, description: Looks., timeout: 7}\n"
        + "agents:\n  a: {instructions: A, tools: [look]}\n  b: {instructions: B, tools: [look]}\n"
    )

    assert made.agents["a"].tools == made.agents["b"].tools
    spec = made.tools["look"].spec
    assert (spec.name, spec.description, made.tools["look"].timeout) == ("look", "Looks.", 7)


def test_agents_call_each_other_and_hand_over() -> None:
    adapters = create_adapters(
        {"default": [create_tool_call("plan", {"prompt": "Plan."}), "planned"], "other": ["a plan"]}
    )
    made = create_assembly(
        PERMITTED
        + "entry: lead\nagents:\n"
        + "  lead: {instructions: L, tools: [{agent: planner, name: plan}], handoffs: [clerk]}\n"
        + "  planner: {instructions: P, model: other}\n"
        + "  clerk: {instructions: C}\n",
        adapters,
    )

    result = made.agents["lead"].run_sync("Go.", deps=None)

    assert find_result(result.messages, "plan").content == "a plan"
    assert made.agents["lead"].handoffs == (made.agents["clerk"],)


def test_answer_fits_the_schema_of_the_outputs() -> None:
    adapters = create_adapters({"default": ['{"total": "much"}', '{"total": 3}']})
    made = create_assembly(
        PERMITTED
        + AGENT
        + "outputs:\n  type: object\n  properties: {total: {type: integer}}\n  required: [total]\n",
        adapters,
    )

    assert made.agents["helper"].run_sync("Count.", deps=None).output == {"total": 3}


def test_guardrails_and_memory_are_what_the_blueprint_says() -> None:
    made = create_assembly(
        PERMITTED
        + AGENT
        + "  guardrails: [detect_secrets, short]\n  memory: recent\n"
        + "guardrails:\n  short: {use: limit_length, with: {max_chars: 5, action: truncate, stages: [output]}}\n"
        + "memory:\n  recent: [{keep_last: 2}, {keep_window: 100}]\n",
        create_adapters({"default": ["far too long"]}),
    )
    agent = made.agents["helper"]

    assert [item.name for item in agent.guardrails] == ["detect_secrets", "short"]
    assert agent.memory is not None
    assert len(agent.run_sync("Hi.", deps=None).output) <= 5


def test_input_becomes_the_prompt_of_an_agent() -> None:
    made = create_assembly(
        PERMITTED
        + AGENT
        + "  prompt: 'Write about {{input.topic}}.'\n"
        + "inputs: {type: object, properties: {topic: {type: string}}, required: [topic]}\n"
    )

    made.check_input({"topic": "lids"})
    assert made.create_prompt("helper", {"topic": "lids"}) == "Write about lids."
    with pytest.raises(ConfigurationError, match=r"does not fit 'inputs'.*topic"):
        made.check_input({})


def test_text_is_the_input_where_nothing_is_said() -> None:
    made = create_assembly(PERMITTED + AGENT)

    assert made.create_prompt("helper", "Hi.") == "Hi."
    with pytest.raises(ConfigurationError, match="takes a text as its input, not dict"):
        made.check_input({})


def test_refused_host_is_told_to_the_model_and_reported() -> None:
    adapters = create_adapters(
        {"default": [create_tool_call("fetch", {"host": "evil.example.net"}), "refused"]}
    )
    file = parse_blueprint(
        (HEAD + PERMITTED + AGENT + "  tools: [fetch]\n").encode(),
        name="a.yaml",
        folder=Path("/base"),
    )
    from agent_factory.core.blueprints import assemble

    denials: list[Any] = []
    made = assemble(file, adapters, on_denied=denials.append)

    result = made.agents["helper"].run_sync("Go.", deps=None)

    told = find_result(result.messages, "fetch")
    assert told.outcome == "denied"
    assert "'evil.example.net'" in told.content
    assert "permissions.hosts" in told.content
    assert [(item.kind, item.target) for item in denials] == [("hosts", "evil.example.net")]


def test_secret_that_a_tool_returns_is_not_shown() -> None:
    adapters = create_adapters(
        {"default": [create_tool_call("fetch", {"host": "api.example.com"}), "done"]}
    )
    made = create_assembly(PERMITTED + AGENT + "  tools: [fetch]\n", adapters)

    result = made.agents["helper"].run_sync("Go.", deps=None)

    assert find_result(result.messages, "fetch").content == '{"sent":["Bearer [secret]"]}'


def test_model_whose_price_is_not_known_is_not_called() -> None:
    file = parse_blueprint((HEAD + PERMITTED + AGENT).encode(), name="a.yaml", folder=Path("/base"))
    adapters = create_adapters()
    unknown = ScriptedModel(["never"], name="unknown")
    from dataclasses import replace

    agent = create_agent(file, replace(adapters, create_model=lambda use, settings: unknown))

    with pytest.raises(LimitExceededError, match="price"):
        agent.run_sync("Hi.", deps=None)
    assert not unknown.requests


def test_agents_of_a_run_share_what_it_may_spend() -> None:
    made = create_assembly(PERMITTED + "  spend: 0.50 USD\n" + AGENT)

    options = made.create_options(RunOptions(budgets=(InMemoryBudget("user:ada"),)))

    assert [item.name for item in options.budgets] == [
        "user:ada",
        "permissions.spend of the blueprint",
    ]
    assert made.agents["helper"].limits.max_cost == 500_000


def test_time_of_a_run_is_bounded_by_the_permissions() -> None:
    made = create_assembly(PERMITTED + "  timeout: 12\n" + AGENT)

    assert made.agents["helper"].limits.timeout == 12


def test_workflow_runs_with_agents_tools_and_people() -> None:
    adapters = create_adapters({"default": ["a plan"]})
    made = create_assembly(
        PERMITTED
        + "agents:\n  planner: {instructions: P}\n"
        + "workflows:\n  main:\n    steps:\n"
        + "      - {name: plan, agent: planner, input: 'Plan {{input}}'}\n"
        + "      - {name: look, tool: echo}\n"
        + "      - {name: ok, ask: 'Go on with {{steps.plan}}?', answer: {type: boolean}}\n"
        + "    output: {plan: '{{steps.plan}}', ok: '{{steps.ok}}'}\n",
        adapters,
    )
    engine = LocalEngine(person=InMemoryPerson({"ok": True}))

    result = asyncio.run(made.get_workflow("main", made.create_options()).run("it", engine=engine))

    assert made.entry == "main"
    assert result == {"plan": "a plan", "ok": True}


def test_tool_of_an_installed_package_is_imported_when_it_is_used() -> None:
    loaded: list[str] = []

    def load() -> object:
        loaded.append("later")
        return ToolEntry("later", "Later.", Options, create_echo)

    adapters = create_adapters(installed=[InstalledTool("later", "acme", "1.0", load)])
    text = LATER + AGENT + "  tools: [{use: later, with: {name: later}}]\n"
    from agent_factory.core.blueprints import check_blueprint

    check_blueprint(
        parse_blueprint((HEAD + text).encode(), name="a.yaml", folder=Path("/base")), adapters
    )
    assert loaded == []
    assert create_assembly(text, adapters).agents
    assert loaded == ["later"]


@pytest.mark.parametrize("loads", ["nothing", "an error"])
def test_package_that_declares_no_tool_is_named(loads: str) -> None:
    def load() -> object:
        if loads == "an error":
            raise ImportError("no module")
        return None

    adapters = create_adapters(installed=[InstalledTool("later", "acme", "1.0", load)])

    [said] = find_messages(LATER + AGENT + "  tools: [later]\n", adapters)

    assert said.startswith("a.yaml:")
    assert "acme 1.0" in said


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("model: gpt", "no model is named 'gpt': there are: default, other"),
        ("tools: [ecko]", "no tool is named 'ecko': did you mean 'echo'?"),
        ("tools: [echo, echo]", "the agent has a tool 'echo' already"),
        ("tools: [{use: echo, with: {folder: missing}}]", "/base/missing is not there"),
        ("tools: [{use: echo, with: {folder: /}}]", "the root is too much"),
        ("tools: [{use: echo, with: {foldr: x}}]", "unknown key 'foldr': did you mean 'folder'?"),
    ],
)
def test_mistake_is_told_at_its_place(lines: str, said: str) -> None:
    [told] = find_messages(PERMITTED + AGENT + f"  {lines}\n")

    assert told.startswith("a.yaml:11:")
    assert said in told


@pytest.mark.parametrize(
    ("options", "known"),
    [
        ("part: {colr: x}", True),
        ("parts: [{colr: x}]", True),
        ("named: {a: {colr: x}}", True),
        ("pair: [{colr: x}]", True),
    ],
)
def test_unknown_key_deep_in_the_options_is_told(options: str, known: bool) -> None:
    [said] = find_messages(PERMITTED + AGENT + f"  tools: [{{use: echo, with: {{{options}}}}}]\n")

    assert ": unknown key 'colr'" in said
    assert said.endswith(": did you mean 'color'?") is known


def test_every_mistake_is_told_at_once() -> None:
    text = PERMITTED + AGENT + "  model: gpt\n  tools: [ecko, {use: echo, with: {x: 1}}]\n"

    assert len(find_messages(text)) == 3
