from __future__ import annotations

import pytest

from tests.core.blueprints.making import PERMITTED, create_assembly, find_messages

TWO = "agents:\n  a: {instructions: A%s}\n  b: {instructions: B%s}\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("agent: {instructions: A}\n", "'default' is not permitted: add it to permissions.models"),
        (
            "permissions: {models: [default]}\nagent: {instructions: A, tools: [echo]}\n",
            "'echo' is not permitted: add it to permissions.tools",
        ),
        (
            "permissions: {models: [default], tools: [fetch], secrets: [TOKEN]}\n"
            "agent: {instructions: A, tools: [fetch]}\n",
            "'api.example.com' is not permitted for tool 'fetch': add it to permissions.hosts",
        ),
        (
            "permissions: {models: [default], tools: [fetch], hosts: ['*.example.com']}\n"
            "agent: {instructions: A, tools: [fetch]}\n",
            "'TOKEN' is not permitted for tool 'fetch': add it to permissions.secrets",
        ),
    ],
)
def test_what_the_permissions_do_not_name_is_refused(text: str, said: str) -> None:
    assert [item.split(": ", 1)[1] for item in find_messages(text)] == [f"{said}, or take it out"]


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        (TWO % ("", ""), "9:1", "it is not clear which of the agents runs: add 'entry: NAME'"),
        (
            "entry: c\n" + TWO % ("", ""),
            "9:8",
            "no agent and no workflow is named 'c': there are: a, b",
        ),
        (
            "entry: a\n" + TWO % (", handoffs: [b]", ", tools: [{agent: a}]"),
            "11:3",
            "the agents call each other in a circle: a -> b -> a",
        ),
        (
            "entry: a\n" + TWO % (", handoffs: [x]", ""),
            "11:35",
            "no agent is named 'x': there are: a, b",
        ),
        (
            "entry: a\n" + TWO % (", handoffs: [b]", ", output: {type: object}"),
            "11:35",
            "agent 'b' has another output than 'a': agents that hand over have the same",
        ),
        ("agent: {instructions: {prompt: x}}\n", "9:32", "no prompt is named 'x': there are none"),
        ("agent: {instructions: A, memory: x}\n", "9:34", "no memory is named 'x': there are none"),
        (
            "agent: {instructions: A, guardrails: [judge]}\n",
            "9:39",
            "no guardrail is named 'judge': it needs options: describe it under 'guardrails', 'NAME: {use: judge, with: ...}', and name that",
        ),
        (
            "agent: {instructions: A, tools: [{toolset: x}]}\n",
            "9:44",
            "no toolset is named 'x': there are none",
        ),
        (
            "agent: {instructions: A, prompt: '{{steps.x}}'}\n",
            "9:34",
            "{{steps.x}} means nothing here: a prompt can refer to {{input}} and its fields",
        ),
        (
            "inputs: {type: 3}\nagent: {instructions: A}\n",
            "9:16",
            "inputs: not a valid JSON Schema: a type is one of array, boolean, integer, null, number, object, string, or a list of them",
        ),
        (
            "models:\n  m: {use: default, fallbacks: [n]}\n  n: {use: other, fallbacks: [m]}\n"
            "agent: {instructions: A, model: m}\n",
            "10:32",
            "the models fall back on each other in a circle: m -> n -> m",
        ),
        (
            "guardrails:\n  p: {use: match_pattern, with: {pattern: '(', stages: [input]}}\n"
            "agent: {instructions: A, guardrails: [p]}\n",
            "10:33",
            None,
        ),
    ],
)
def test_mistake_is_told_at_its_place(text: str, place: str, said: str | None) -> None:
    [told] = find_messages(PERMITTED + text)

    assert told.startswith(f"a.yaml:{place}: ")
    assert said is None or told == f"a.yaml:{place}: {said}"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("  hosts: ['http://a/b']\n", "is no host"),
        ("  private_hosts: ['*.a']\n", "written out"),
        ("  files: {read: [a/../b]}\n", "'..' after a name"),
    ],
)
def test_permission_that_means_nothing_is_told_at_its_place(line: str, said: str) -> None:
    text = "permissions:\n  models: [default]\n" + line + "agent: {instructions: A}\n"

    [told] = find_messages(text)

    assert told.startswith("a.yaml:6:")
    assert said in told


def test_toolset_is_refused_where_nothing_makes_toolsets() -> None:
    [told] = find_messages(
        PERMITTED
        + "toolsets:\n  set: {mcp: {url: 'https://api.example.com/mcp'}}\nagent: {instructions: A}\n"
    )

    assert "toolsets cannot be used here" in told


def test_input_of_a_test_case_has_to_fit_the_inputs() -> None:
    [told] = find_messages(
        PERMITTED
        + "agent: {instructions: A}\ninputs: {type: object, required: [topic]}\n"
        + "evals: {smoke: {cases: [{name: a, input: {}, expect: [{contains: x}]}]}}\n"
    )

    assert "does not fit 'inputs' of the blueprint" in told
    assert "topic" in told


def test_blueprint_without_mistakes_is_put_together() -> None:
    assert create_assembly(PERMITTED + "agent: {instructions: A, tools: [echo, fetch]}\n").agents


def test_input_of_another_target_than_the_entry_is_not_bound_by_the_inputs() -> None:
    made = create_assembly(
        PERMITTED
        + "entry: a\ninputs: {type: object, properties: {topic: {type: string}}, required: [topic]}\n"
        + "agents: {a: {instructions: A}, b: {instructions: B}}\n"
        + "evals: {smoke: {target: b, cases: [{name: x, input: Hi., expect: [{contains: x}]}]}}\n"
    )

    assert made.file.suites["smoke"].section.target == "b"
