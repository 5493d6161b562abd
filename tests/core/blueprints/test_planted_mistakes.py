"""Mistakes that people make, and what they are told: at its place, once, and with what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent_factory.core.blueprints import parse_blueprint
from agent_factory.core.exceptions import BlueprintError
from tests.core.blueprints.full import create_full_adapters
from tests.core.blueprints.making import HEAD, PERMITTED, create_assembly, find_messages

TOKEN = "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a"
AGENT = "agent: {instructions: A}\n"
PAIR = "entry: a\nagents:\n  a: {instructions: A%s}\n  b: {instructions: B%s}\n"
SUITE = "evals: {s: {cases: [{name: n, input: hi, expect: [{%s}]}]}}\n"
TYPED = "inputs: {type: object, properties: {topic: {type: string}}}\n"
SERVER = "permissions:\n  models: [default]\n  tools: [set/search]\ntoolsets:\n  set: {mcp: {command: [x]}, %s}\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "permissions: {models: [defalt]}\n" + AGENT,
            "4:24: no model is named 'defalt': did you mean 'default'?",
        ),
        (
            PERMITTED.replace("echo", "ecko") + "agent: {instructions: A, tools: [echo]}\n",
            "6:11: no tool is named 'ecko': did you mean 'echo'?",
        ),
        (
            PERMITTED.replace("echo", "look") + "tools: {look: echo}\n" + AGENT,
            "6:11: 'look' is a name in tools, and what is permitted is what stands under 'use' there: write 'echo'",
        ),
        (
            PERMITTED.replace("default", "fast")
            + "models: {fast: default}\n"
            + AGENT.replace("A}", "A, model: fast}"),
            "5:12: 'fast' is a name in models, and what is permitted is what stands under 'use' there: write 'default'",
        ),
        (
            PERMITTED.replace("echo", "'*'") + AGENT,
            "6:11: '*' is no tool, and no sign stands for every tool",
        ),
        (PERMITTED.replace("echo", "x/y") + AGENT, "6:11: no toolset is named 'x': there are none"),
        (
            PERMITTED.replace("[echo", "[echo, echo") + AGENT,
            "6:17: 'echo' is in the list already: take it out",
        ),
        (
            PERMITTED.replace("[api", "[10.0.0.1, api") + AGENT,
            "8:11: '10.0.0.1' is a private address",
        ),
        (PERMITTED + "  files: {read: [~/docs]}\n" + AGENT, "9:18: '~/docs' begins with '~'"),
        (
            PERMITTED + "  files: {read: ['docs/*']}\n" + AGENT,
            "9:18: 'docs/*' is no path: no sign stands for several",
        ),
        (PERMITTED + "  commands: [git status]\n" + AGENT, "9:14: 'git status' is no program"),
        (
            PERMITTED + "limits: {max_cost: 1 USD}\n" + AGENT,
            "9:20: 1 USD is more than permissions.spend allows",
        ),
        (
            PERMITTED + "  timeout: 5\nagent: {instructions: A, limits: {timeout: 6}}\n",
            "10:44: 6 seconds are more than",
        ),
        (
            PERMITTED + PAIR.replace("  b:", "  A:") % ("", ""),
            "12:3: 'A' differs from 'a' in upper and lower case only",
        ),
        (
            PERMITTED + PAIR % (", tools: [b]", ""),
            "11:32: no tool is named 'b': it is an agent: write 'agent: b'",
        ),
        (
            PERMITTED + PAIR % (", handoffs: [b, b]", ""),
            "11:38: 'b' is in the list already: take it out",
        ),
        (
            PERMITTED + PAIR % (", tools: [{agent: echo}]", ""),
            "11:40: no agent is named 'echo': it is a tool: write 'use: echo'",
        ),
        (
            PERMITTED + AGENT.replace("A}", "A, guardrails: [detect_secret]}"),
            "did you mean 'detect_secrets'?",
        ),
        (
            PERMITTED + AGENT.replace("A}", "A, prompt: '{{input.x}}'}"),
            "the input is a text, which has no 'x'",
        ),
        (
            PERMITTED + TYPED + AGENT.replace("A}", "A, prompt: '{{input.topc}}'}"),
            "10:34: {{input.topc}}: 'input' has no 'topc': did you mean 'topic'?",
        ),
        (
            PERMITTED + AGENT.replace(" A}", " 'On {{input.x}}'}"),
            "{{input.x}} stays as it is in instructions",
        ),
        (
            PERMITTED + AGENT.replace(" A}", " ' '}"),
            "agent.instructions must have more than white space in it",
        ),
        (
            PERMITTED
            + "outputs: {type: object}\n"
            + AGENT.replace("A}", "A, output: {type: array}}"),
            "10:26: 'outputs' of the blueprint describes this answer too",
        ),
        (
            PERMITTED + "inputs: {properties: {a: {type: strng}}}\n" + AGENT,
            "9:33: inputs: not a valid JSON Schema: no type of JSON is named 'strng': did you mean 'string'?",
        ),
        (
            PERMITTED + "outputs: {propertis: {}}\n" + AGENT,
            "9:11: no keyword of JSON Schema is 'propertis': did you mean",
        ),
        (
            PERMITTED + TYPED.replace("}}}", "}}, required: [topik]}") + AGENT,
            "properties have no 'topik': did you mean 'topic'?",
        ),
        (
            PERMITTED
            + "guardrails: {g: {use: detect_secrets, tools: [ecko]}}\nagent: {instructions: A, tools: [echo], guardrails: [g]}\n",
            "9:47: no agent with this guardrail has a tool 'ecko': did you mean 'echo'?",
        ),
        (
            PERMITTED + "memory: {m: {summarise: {max_tokens: 1, keep_tokens: 2}}}\n" + AGENT,
            "must have a 'keep_tokens' below its 'max_tokens'",
        ),
        (
            PERMITTED + "agent: {instructions: A, tools: [echo]}\n" + SUITE % "tool_called: ecko",
            "10:65: what is tested has no tool 'ecko': did you mean 'echo'?",
        ),
        (
            PERMITTED + AGENT + SUITE % "fails: guardrails",
            "no error has the code 'guardrails': did you mean 'guardrail'?",
        ),
        (
            PERMITTED + AGENT + SUITE.replace("hi", "{a: 1}") % "contains: x",
            "the input of this blueprint is a text",
        ),
        (
            SERVER % "approval_for: [serch]" + AGENT,
            "permissions.tools permits no tool 'set/serch': did you mean 'search'?",
        ),
        (
            SERVER % "approval: true, approval_for: [search]" + AGENT,
            "'approval' asks for every tool already",
        ),
        (PERMITTED + "agents: {}\n" + AGENT, "must have either 'agent' or 'agents', not both"),
    ],
)
def test_mistake_is_told_once_at_its_place(text: str, said: str) -> None:
    [told] = find_messages(text, create_full_adapters())

    assert said in told


@pytest.mark.parametrize("version", ["1.0.0-01", "1.0.0-a..b", "\u0661.0.0"])
def test_what_is_no_version_is_refused(version: str) -> None:
    [told] = find_messages_of(HEAD.replace("0.1.0", version) + PERMITTED + AGENT)

    assert "version must be" in told


def find_messages_of(text: str) -> list[str]:
    """Return everything that is shown of what is wrong with a whole file."""
    with pytest.raises(BlueprintError) as caught:
        parse_blueprint(text.encode(), name="a.yaml", folder=Path("/base"))
    return [str(item) for item in caught.value.problems]


@pytest.mark.parametrize(
    "text",
    [
        PERMITTED.replace("[TOKEN]", f"[{TOKEN}]") + AGENT,
        PERMITTED.replace("[TOKEN]", f"[{TOKEN}], tols: 1") + AGENT,
        PERMITTED + AGENT.replace("A}", f"A, model: 'openai:{TOKEN}'}}"),
        PERMITTED + AGENT.replace("A}", f"'Call with {TOKEN}', tols: 1}}"),
        PERMITTED.replace("[TOKEN]", f"[{TOKEN}, [") + AGENT,
    ],
)
def test_real_secret_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(BlueprintError) as caught:
        create_assembly(text)

    assert TOKEN not in str(caught.value)


def test_value_of_a_secret_in_place_of_its_name_is_not_shown() -> None:
    with pytest.raises(BlueprintError) as caught:
        create_assembly(PERMITTED.replace("[TOKEN]", "['key=hunter2', OTHER]") + AGENT)

    [problem] = caught.value.problems
    assert "hunter2" not in str(problem)
    assert "this is no name of a secret" in problem.message
    assert "OTHER" in problem.excerpt


def test_long_chains_are_refused_and_not_followed() -> None:
    agents = "".join(f"  a{i}: {{instructions: A, handoffs: [a{i + 1}]}}\n" for i in range(600))
    models = "".join(f"  m{i}: {{use: default, fallbacks: [m{i + 1}]}}\n" for i in range(600))
    text = f"entry: a0\nmodels:\n{models}  m600: default\nagents:\n{agents}  a600: {{instructions: A}}\n"

    told = find_messages(PERMITTED + text)

    assert [item.split(": ", 1)[1].split(" in a row")[0] for item in told] == [
        "more than 8 models fall back on each other",
        "more than 16 agents call each other",
    ]


def test_circle_of_many_is_told_in_few_words() -> None:
    agents = "".join(
        f"  a{i}: {{instructions: A, handoffs: [a{(i + 1) % 99}]}}\n" for i in range(99)
    )

    [told] = find_messages(PERMITTED + "entry: a0\nagents:\n" + agents)

    assert "(92 more)" in told


def test_not_more_than_a_hundred_mistakes_are_told() -> None:
    agents = "".join(f"  a{i}: {{instructions: A, tools: [x{i}]}}\n" for i in range(150))

    told = find_messages(PERMITTED + "entry: a0\nagents:\n" + agents)

    assert len(told) == 101
    assert "and 50 more problems" in told[-1]
