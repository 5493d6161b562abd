from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel

from agent_factory.core import (
    Agent,
    ConfigurationError,
    FallbackModel,
    Guardrail,
    Limits,
    Tool,
    Verdict,
)
from agent_factory.core.blueprints import Blueprint, assemble, parse_blueprint
from agent_factory.core.blueprints.exporting import ExportError, create_blueprint, write_blueprint
from agent_factory.core.blueprints.parts import collect_parts
from agent_factory.core.evals import Contains, EvalCase, EvalSuite, Judge
from agent_factory.core.guardrails import (
    allow_hosts,
    detect_personal_data,
    detect_secrets,
    judge,
    limit_length,
    match_pattern,
    require_json_schema,
)
from agent_factory.core.locks import create_lock
from agent_factory.core.memory import compose, keep_last, keep_window, summarise
from agent_factory.core.permissions import Grant, Permissions
from agent_factory.core.registry import ToolEnvironment
from agent_factory.core.testing import ScriptedModel
from agent_factory.core.tools import tool
from agent_factory.core.toolsets import combine_tools, rename_tool
from tests.core.blueprints.making import HEAD, create_adapters
from tests.utils import create_test_tool, create_test_workflow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent_factory.core.blueprints import Adapters, Assembly, ModelSettings
    from agent_factory.core.models import Model

REGISTRY = create_adapters().tools
MODEL = ScriptedModel([], name="default")
OTHER = ScriptedModel([], name="other")


def create_tool(use: str, **options: Any) -> Tool[Any]:
    """Return a tool of the registry."""
    grant = Grant(Permissions(hosts=("api.example.com",), secrets=("TOKEN",)), Path("/base"))
    return REGISTRY.create_tool(use, options, ToolEnvironment(Path("/base"), grant))


def create_agent(name: str = "helper", **parts: Any) -> Agent[Any, Any]:
    """Return an agent with instructions and a model."""
    return Agent(**{"name": name, "model": MODEL, "instructions": "Be kind.", **parts})


def export(*agents: Agent[Any, Any], **options: Any) -> Blueprint:
    """Return agents as a blueprint, which has to read as the same again."""
    made = create_blueprint(
        agents, **{"name": "helper", "version": "0.1.0", "registry": REGISTRY, **options}
    )
    text = write_blueprint(made)
    assert parse_blueprint(text.encode(), name="a.yaml", folder=Path("/base")).blueprint == made
    return made


def find_problems(*agents: Agent[Any, Any], **options: Any) -> tuple[str, ...]:
    """Return what cannot be written."""
    with pytest.raises(ExportError) as caught:
        export(*agents, **options)
    return caught.value.problems


def create_named_adapters() -> Adapters:
    """Return adapters whose models have the names that blueprints use for them."""

    def create(use: str, settings: ModelSettings) -> Model:
        del settings
        return ScriptedModel([], name=use)

    return replace(create_adapters(), create_model=create)


def put_together(blueprint: Blueprint) -> Assembly:
    """Return a blueprint put together from its text."""
    text = write_blueprint(blueprint).encode()
    file = parse_blueprint(text, name="a.yaml", folder=Path("/base"))
    return assemble(file, create_named_adapters())


def test_agent_becomes_what_a_person_would_write() -> None:
    agent = create_agent(
        tools=[create_tool("echo", folder="docs"), create_tool("fetch")],
        guardrails=[detect_secrets(), limit_length(100, stages=["output"])],
        memory=keep_last(5),
        limits=Limits(max_requests=5, timeout=30, max_cost=500_000),
    )
    text = write_blueprint(
        create_blueprint(agent, name="helper", version="0.1.0", registry=REGISTRY)
    )

    assert text == """\
schema: agent-factory/blueprint@1
name: helper
version: 0.1.0
agent:
  instructions: Be kind.
  tools:
    - use: echo
      with:
        folder: docs
    - fetch
  guardrails: [detect_secrets, limit_length]
  memory: keep_last
  limits:
    max_requests: 5
    timeout: 30
guardrails:
  limit_length:
    use: limit_length
    with:
      max_chars: 100
      stages: [output]
memory:
  keep_last:
    keep_last: 5
permissions:
  models: [default]
  tools: [echo, fetch]
  hosts: [api.example.com]
  secrets: [TOKEN]
  spend: 0.50 USD
"""


def test_agent_from_the_blueprint_is_the_same_agent() -> None:
    helper = create_agent("clerk", description="Files.", model=OTHER)
    agent = create_agent(
        "lead",
        tools=[
            rename_tool(create_tool("echo"), "look"),
            replace(create_tool("fetch"), needs_approval=True),
            helper.as_tool(name="ask", description="Ask."),
        ],
        handoffs=[create_agent("deputy")],
        limits=Limits(max_tool_calls=3, max_cost=20_000),
    )
    made = put_together(export(agent)).agents

    again = made["lead"]
    assert sorted(made) == ["clerk", "deputy", "lead"]
    assert [item.spec for item in again.tools if isinstance(item, Tool)] == [
        item.spec for item in agent.tools if isinstance(item, Tool)
    ]
    assert [getattr(item, "needs_approval", None) for item in again.tools] == [False, True, False]
    assert again.handoffs == (made["deputy"],)
    assert again.limits == agent.limits
    assert made["clerk"].model.name == "other"
    assert made["clerk"].description == "Files."


def test_first_agent_is_the_entry() -> None:
    assert export(create_agent("a"), create_agent("b")).entry == "a"
    assert export(create_agent("a"), create_agent("b"), entry="b").entry == "b"
    assert export(create_agent("a", handoffs=[create_agent("b")])).entry == "a"
    assert export(create_agent("a")).entry is None


def test_fallbacks_become_a_model_with_fallbacks() -> None:
    deep = FallbackModel([FallbackModel([MODEL, OTHER]), ScriptedModel([], name="local")])
    made = export(create_agent("a", model=deep), create_agent("b", model=deep))

    [(name, section)] = made.models.items()
    assert (section.use, section.fallbacks) == ("default", ("other", "local"))
    assert {agent.model for agent in made.agents.values()} == {name}
    assert made.permissions.models == ("default", "other", "local")


def test_output_type_becomes_its_schema() -> None:
    class Answer(BaseModel):
        total: int

    agent = create_agent(output_type=Answer, output_mode="tool")
    made = export(agent).agent

    assert made is not None
    assert made.output == Answer.model_json_schema()
    assert made.output_mode == "tool"


def test_tool_of_several_agents_is_written_once() -> None:
    shared = create_tool("echo", folder="docs")
    plain = create_tool("fetch")
    agents = [create_agent(name, tools=[shared, plain]) for name in ("a", "b")]
    made = export(*agents)

    assert [(name, item.use) for name, item in made.tools.items()] == [("echo", "echo")]
    assert [use.options for use in made.agents["a"].tools] == [{}, {}]


def test_tools_that_share_a_name_stay_apart() -> None:
    first = create_agent("a", tools=[rename_tool(create_tool("fetch"), "echo")])
    second = create_agent("b", tools=[create_tool("echo")])
    third = create_agent("c", tools=[rename_tool(create_tool("fetch", secret="TOKEN"), "echo")])
    made = put_together(export(first, second, third)).agents

    for agent in (first, second, third):
        [before], [after] = agent.tools, made[agent.name].tools
        assert isinstance(before, Tool)
        assert isinstance(after, Tool)
        assert after.spec == before.spec
        assert after.origin is not None
        assert before.origin is not None
        assert after.origin.use == before.origin.use
        assert after.origin.options == before.origin.options


def test_tool_that_was_shaped_keeps_its_shape() -> None:
    given = create_tool("echo")
    shaped = replace(given, timeout=7.0, spec=replace(given.spec, description="Looks."))
    [again] = put_together(export(create_agent(tools=[shaped]))).agents["helper"].tools

    assert isinstance(again, Tool)
    assert (again.spec, again.timeout) == (shaped.spec, 7.0)


@pytest.mark.parametrize(
    ("guardrail", "use", "options"),
    [
        (limit_length(5), "limit_length", {"max_chars": 5}),
        (
            match_pattern(pattern="a+", stages={"output", "input"}, require=True),
            "match_pattern",
            {"pattern": "a+", "stages": ["input", "output"], "require": True},
        ),
        (
            require_json_schema({"type": "array"}),
            "require_json_schema",
            {"schema": {"type": "array"}},
        ),
        (
            allow_hosts(host for host in ["example.org"]),  # type: ignore[arg-type]
            "allow_hosts",
            {"hosts": ["example.org"]},
        ),
        (detect_personal_data(["iban"]), "detect_personal_data", {"kinds": ["iban"]}),
        (detect_secrets(action="block"), "detect_secrets", {"action": "block"}),
        (
            judge(OTHER, criteria="kind", stages=("output",), timeout=3, max_chars=20_000),
            "judge",
            {"criteria": "kind", "stages": ["output"], "timeout": 3, "model": "other"},
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_guardrail_remembers_how_it_was_made(
    guardrail: Guardrail[Any], use: str, options: Mapping[str, Any]
) -> None:
    shown = replace(guardrail, name="mine", tools=frozenset({"fetch", "echo"}))
    tools = [create_tool("fetch"), create_tool("echo")]
    made = export(create_agent(guardrails=[shown], tools=tools))

    assert made.guardrails["mine"].use == use
    assert made.guardrails["mine"].options == options
    assert made.guardrails["mine"].tools == ("echo", "fetch")
    [again] = put_together(made).agents["helper"].guardrails
    assert (again.name, again.stages, again.tools) == ("mine", shown.stages, shown.tools)


def test_guardrails_of_one_name_stay_apart() -> None:
    made = export(
        create_agent("a", guardrails=[limit_length(5), detect_secrets(action="block")]),
        create_agent("b", guardrails=[limit_length(6), detect_secrets()]),
        create_agent("c", guardrails=[limit_length(5)]),
    )

    assert made.agents["a"].guardrails == ("limit_length", "detect_secrets_2")
    assert made.agents["b"].guardrails == ("limit_length_2", "detect_secrets")
    assert made.agents["c"].guardrails == ("limit_length",)


def test_memory_is_written_with_its_parts() -> None:
    policy = compose(
        keep_last(9),
        compose(keep_window(max_tokens=900), summarise(OTHER, max_tokens=800, keep_tokens=10)),
    )
    made = export(create_agent(memory=policy))

    first, second, third = made.memory["combined"]
    assert (first.keep_last, second.keep_window) == (9, 900)
    assert third.summarise is not None
    assert third.summarise.model_dump() == {"max_tokens": 800, "keep_tokens": 10, "model": "other"}
    assert made.permissions.models == ("default", "other")


def test_suites_are_written_with_their_judges() -> None:
    suite = EvalSuite(
        "basic", (EvalCase("one", "Hi.", (Contains("a"), Judge(OTHER, "kind"))),), repetitions=3
    )
    made = export(create_agent(), evals={"basic": suite})

    assert made.evals["basic"].repetitions == 3
    assert made.permissions.models == ("default", "other")


def test_permissions_that_are_given_are_written() -> None:
    permissions = Permissions(
        models=("default",), read=("docs",), commands=("git",), spend=1, timeout=5.0
    )
    made = export(create_agent(limits=Limits(max_cost=5)), permissions=permissions)

    assert made.permissions.create_permissions() == permissions


def test_everything_that_cannot_be_written_is_told_at_once() -> None:
    @tool
    def look(where: str) -> str:
        """Look."""
        return where

    def check(text: str, context: object) -> Verdict:
        return Verdict.allow()

    class Memory:
        async def select(self, messages: Any, context: Any) -> Any:
            return messages

    agent = create_agent(
        "my agent",
        instructions=lambda _: "Be kind.",
        tools=[look, combine_tools(create_test_tool("a"))],
        guardrails=[Guardrail("own", frozenset({"input"}), check)],
        memory=Memory(),
        model=FallbackModel([MODEL, OTHER], model_timeout=3),
        limits=Limits(max_requests=5000),
    )
    problems = find_problems(agent, workflows={"w": create_test_workflow()})
    told = "\n".join(problems)

    assert len(problems) == 9
    for part in (
        "its tool 'look' is code",
        "it has a toolset",
        "a name in a blueprint is",
        "its instructions are a function",
        "has 'on' or 'model_timeout'",
        "its guardrail 'own' is code",
        "its memory is code",
        "workflow 'w' is code",
        "max_requests",
    ):
        assert part in told


def test_error_shows_every_problem() -> None:
    with pytest.raises(ExportError) as caught:
        export(create_agent(instructions=""), create_agent())

    assert caught.value.code == "export"
    assert str(caught.value) == (
        "2 parts of the blueprint 'helper' cannot be written:\n"
        "- agent 'helper': another agent has the same name: rename one with agent.replace(name=...)\n"
        "- agent 'helper': it has no instructions, which a blueprint needs"
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda item: replace(item, effect="idempotent"), "effect"),
        (lambda item: replace(item, spec=replace(item.spec, parameters={})), "parameters"),
        (lambda item: replace(item, max_result_chars=5), "max_result_chars"),
        (lambda item: replace(item, origin=None), "is code"),
    ],
)
def test_tool_that_was_changed_too_much_is_refused(change: Any, reason: str) -> None:
    [problem] = find_problems(create_agent(tools=[change(create_tool("echo"))]))

    assert reason in problem


def test_agent_as_tool_with_another_timeout_is_refused() -> None:
    [problem] = find_problems(create_agent(tools=[create_agent("clerk").as_tool(timeout=3)]))

    assert "'clerk', an agent, was changed in what a blueprint cannot say: timeout" in problem


@pytest.mark.parametrize(
    ("guardrail", "reason"),
    [
        (replace(detect_secrets(), hold=False), "another 'hold'"),
        (replace(detect_secrets(), check=lambda *_: Verdict.allow()), "is code"),
        (match_pattern("a", stages=["input"], max_chars=7), "'max_chars'"),
        (require_json_schema(True), "options that a blueprint cannot have"),
    ],
)
def test_guardrail_that_was_changed_too_much_is_refused(
    guardrail: Guardrail[Any], reason: str
) -> None:
    [problem] = find_problems(create_agent(guardrails=[guardrail]))

    assert reason in problem


def test_memory_that_counts_in_its_own_way_is_refused() -> None:
    [problem] = find_problems(create_agent(memory=keep_window(max_tokens=5, count=lambda _: 1)))

    assert "counts tokens with a function of its own" in problem


def test_model_that_costs_needs_a_limit() -> None:
    paid = ScriptedModel([], name="openai:gpt-5-mini")
    [problem] = find_problems(create_agent(model=paid))
    made = export(create_agent(model=paid, limits=Limits(max_cost=1_500_000)))

    assert "Limits(max_cost=...)" in problem
    assert made.permissions.spend == "1.50 USD"


CIRCLE = """\
description: Helps.
entry: plan
models:
  with_fallbacks: {use: default, fallbacks: [other]}
tools:
  look: {use: echo, with: {folder: docs}, description: Looks., approval: true, timeout: 7}
agents:
  lead:
    instructions: |
      Lead.
      {{no reference}}
    model: with_fallbacks
    tools: [look, {use: echo, with: {folder: out}}, {agent: clerk, name: ask, approval: true}, fetch]
    guardrails: [detect_secrets, short]
    memory: combined
    limits: {max_requests: 3, max_cost: 0.25 USD}
    handoffs: [deputy]
  deputy: {instructions: Stand in., tools: [look]}
  clerk:
    description: Files.
    instructions: File.
    model: other
    output: {type: array, items: {$ref: "#/$defs/a"}, $defs: {a: {type: string}}}
    output_mode: prompt
workflows:
  plan:
    steps:
      - {name: ask, agent: lead, input: "{{input}}"}
      - {name: see, tool: look, arguments: {}}
guardrails:
  short: {use: limit_length, with: {max_chars: 5, action: truncate, stages: [output]}, tools: [look]}
memory:
  combined: [{keep_last: 2}, {summarise: {max_tokens: 100, model: other}}]
permissions:
  models: [default, other]
  tools: [echo, fetch]
  secrets: [TOKEN]
  hosts: [api.example.com]
  spend: 0.50 USD
evals:
  basic:
    cases:
      - {name: one, input: hello, expect: [contains: a, fails: guardrail]}
"""


def test_blueprint_comes_back_from_its_agents() -> None:
    adapters = create_named_adapters()
    file = parse_blueprint((HEAD + CIRCLE).encode(), name="a.yaml", folder=Path("/base"))
    made = assemble(file, adapters)
    text = write_blueprint(
        create_blueprint(
            list(made.agents.values()),
            name="helper",
            version="0.1.0",
            description="Helps.",
            tools=made.tools,
            workflows=file.blueprint.workflows,
            evals=file.blueprint.evals,
            permissions=made.grant.permissions,
        )
    )
    again = parse_blueprint(text.encode(), name="a.yaml", folder=Path("/base"))

    lock = create_lock(collect_parts(file, adapters, installed=True))
    other = create_lock(collect_parts(again, adapters, installed=True))
    assert other.to_dict() == lock.to_dict()


def test_permissions_that_are_found_are_those_that_are_needed() -> None:
    file = parse_blueprint((HEAD + CIRCLE).encode(), name="a.yaml", folder=Path("/base"))
    made = assemble(file, create_named_adapters())
    blueprint = create_blueprint(
        list(made.agents.values()),
        name="helper",
        version="0.1.0",
        tools=made.tools,
        workflows=file.blueprint.workflows,
        registry=REGISTRY,
    )

    found, written = blueprint.permissions, file.blueprint.permissions
    assert sorted(found.models) == sorted(written.models)
    assert found.model_copy(update={"models": written.models}) == written


def test_registry_refuses_options_that_do_not_fit() -> None:
    with pytest.raises(ConfigurationError, match="the options of tool 'echo' do not fit: color"):
        create_tool("echo", color="red")
    with pytest.raises(ConfigurationError, match="no tool is named 'ecko'"):
        create_tool("ecko")


def test_origin_of_a_tool_keeps_the_options_as_they_were() -> None:
    options = {"named": {"a": {"color": "blue"}}}
    grant = Grant(Permissions(), Path("/base"))
    made = REGISTRY.create_tool("echo", options, ToolEnvironment(Path("/base"), grant))
    options["named"]["a"]["color"] = "green"
    renamed = rename_tool(made, "other")

    assert renamed.origin is not None
    assert renamed.origin.options == {"named": {"a": {"color": "blue"}}}
    assert renamed.origin.made.name == "echo"


def test_origin_makes_no_difference_between_tools() -> None:
    made = create_tool("echo")

    assert replace(made, origin=None) == made
    assert "origin" not in repr(made)


def test_options_that_the_registry_does_not_know_are_told() -> None:
    made = create_tool("echo")
    assert made.origin is not None
    strange = replace(made, origin=replace(made.origin, options={"color": "red"}))
    [problem] = find_problems(create_agent(tools=[strange]))

    assert problem.startswith("permissions: what the tool 'echo' needs cannot be told")


def test_several_workflows_need_an_entry() -> None:
    file = parse_blueprint((HEAD + CIRCLE).encode(), name="a.yaml", folder=Path("/base"))
    section = file.blueprint.workflows["plan"]
    problems = find_problems(create_agent("lead"), workflows={"a": section, "c": section})

    assert "entry: there are several workflows: say which of them, or which agent, runs" in problems


def test_own_expectation_is_refused() -> None:
    class Own:
        def check(self, observation: object) -> Any:
            return observation

    suite = EvalSuite("basic", (EvalCase("one", "Hi.", (Own(),)),))  # type: ignore[arg-type]
    [problem] = find_problems(create_agent(), evals={"basic": suite})

    assert "an expectation of type Own has no form in a blueprint" in problem
