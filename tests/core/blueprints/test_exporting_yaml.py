from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from agent_factory.core import ConfigurationError
from agent_factory.core.blueprints import Blueprint, parse_blueprint
from agent_factory.core.blueprints.exporting import write_blueprint

HEAD = {"schema": "agent-factory/blueprint@1", "name": "helper", "version": "0.1.0"}

ODD = [
    "yes",
    "NO",
    "~",
    "null",
    "0.1",
    "007",
    "1e400",
    "0x1f",
    "1_000",
    ".inf",
    "1:30",
    "2026-11-25",
    "=",
    "<<",
    "- a",
    "a: b",
    "a:",
    "a #b",
    "#b",
    "{{x}}",
    "{a}",
    "[b]",
    "a, b]",
    "*a",
    "&a",
    "!a",
    "|",
    ">",
    "%a",
    "@a",
    "`a`",
    "? a",
    "---",
    "...",
    'it\'s "it"',
    "\\d+",
    "a\nb",
    "a\n",
    "a\n\n\n",
    "\n\na",
    "  a\nb\n",
    "\ta\n\tb",
    "a\r\nb",
    "a\n ",
    " \n",
    "a \nb ",
    "\u2028",
    "a\u202eb",
    "\x85a",
    "\ufeffa",
    "\xa0a\xa0",
    "\U0001f469\u200d\U0001f52c",
    "\U000e0041",
    "\x07",
    " a ",
    "",
]

texts = st.one_of(
    st.sampled_from(ODD),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30),
    st.lists(st.sampled_from(["a", "\n", " ", "\t", "-", "#", ":", "'", '"', "\r", "|"])).map(
        "".join
    ),
)
some_text = texts.filter(str.strip)
names = st.from_regex(r"\A[A-Za-z][A-Za-z0-9_-]{0,8}\Z")
numbers = st.integers(-(10**18) + 1, 10**18 - 1)
plain = st.recursive(
    st.none() | st.booleans() | numbers | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
mappings = st.dictionaries(texts, plain, max_size=3)


def fields(needed: dict[str, Any], **possible: Any) -> st.SearchStrategy[Any]:
    """Return mappings with the needed keys, and some of the possible ones."""
    return st.fixed_dictionaries(needed, optional=possible)


limits = fields(
    {},
    max_requests=st.integers(1, 1000),
    timeout=st.floats(0.001, 86_400),
    max_cost=st.sampled_from(["0.50 USD", "1 USD"]),
    max_tokens=st.none() | st.integers(1, 10**9),
)
uses = st.one_of(
    some_text,
    fields({"use": some_text}, **{"with": mappings, "name": names, "approval": st.booleans()}),
    fields({"toolset": names}, approval=st.booleans()),
    fields({"agent": names}, description=some_text),
)
agents = fields(
    {"instructions": some_text | fields({"text": some_text}) | fields({"prompt": names})},
    description=texts,
    model=some_text,
    prompt=some_text,
    tools=st.lists(uses, max_size=3),
    output=mappings,
    guardrails=st.lists(texts, max_size=3),
    memory=names,
    limits=limits,
    handoffs=st.lists(names, max_size=2),
)
expectations = st.one_of(
    fields({"exact": plain}),
    fields({"contains": some_text | st.lists(some_text, min_size=1, max_size=2)}),
    fields({"contains": fields({"none_of": st.lists(some_text, min_size=1, max_size=2)})}),
    fields({"number": st.integers(-9, 9) | fields({"value": st.floats(-9, 9), "at": st.just("")})}),
    fields({"tool_called": some_text | fields({"name": some_text, "arguments": mappings})}),
)
suites = fields(
    {
        "cases": st.lists(
            fields(
                {
                    "name": names,
                    "input": plain,
                    "expect": st.lists(expectations, min_size=1, max_size=2),
                }
            ),
            min_size=1,
            max_size=2,
            unique_by=lambda case: case["name"],
        )
    },
    answers=mappings,
    timeout=st.floats(0.5, 60),
)
steps = st.lists(
    st.one_of(
        fields({"name": names, "agent": names, "input": plain}),
        fields({"name": names, "tool": some_text}, arguments=mappings),
        fields({"name": names, "ask": some_text}, answer=mappings),
        fields(
            {
                "name": names,
                "repeat": st.just([{"name": "a", "agent": "b", "input": None}]),
                "until": fields({"value": some_text, "equals": plain}),
                "max_turns": st.just(3),
            }
        ),
    ),
    min_size=1,
    max_size=2,
)
blueprints = fields(
    {**{key: st.just(value) for key, value in HEAD.items()}, "agent": agents},
    description=texts,
    inputs=mappings,
    models=st.dictionaries(names, some_text | fields({"use": some_text}), max_size=2),
    prompts=st.dictionaries(names, some_text, max_size=2),
    tools=st.dictionaries(names, fields({"use": some_text}, timeout=st.floats(1, 9)), max_size=2),
    toolsets=st.dictionaries(
        names,
        fields(
            {
                "mcp": fields(
                    {"command": st.lists(texts, min_size=1, max_size=3)},
                    environment=st.dictionaries(texts, texts | fields({"secret": some_text})),
                )
            }
        ),
        max_size=1,
    ),
    workflows=st.dictionaries(names, fields({"steps": steps}, output=plain), max_size=2),
    guardrails=st.dictionaries(
        names, fields({"use": st.just("detect_secrets")}, tools=st.lists(texts)), max_size=2
    ),
    memory=st.dictionaries(
        names, st.lists(fields({"keep_last": st.integers(1, 9)}), min_size=1, max_size=2)
    ),
    limits=limits,
    permissions=fields({}, tools=st.lists(texts, max_size=30), hosts=st.lists(texts, max_size=2)),
    dependencies=st.dictionaries(names, some_text | fields({"path": some_text}), max_size=2),
    evals=st.dictionaries(names, suites, max_size=2),
)


def create(**parts: Any) -> Blueprint:
    """Return a blueprint with these parts."""
    return Blueprint.model_validate({**HEAD, "agent": {"instructions": "Be kind."}, **parts})


def read(text: str) -> Blueprint:
    """Return the blueprint that a text says."""
    return parse_blueprint(text.encode(), name="a.yaml", folder=Path("/base")).blueprint


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(blueprints)
def test_what_is_written_reads_as_the_same_blueprint(data: dict[str, Any]) -> None:
    blueprint = Blueprint.model_validate(data)
    again = read(write_blueprint(blueprint))

    assert again == blueprint
    assert write_blueprint(again) == write_blueprint(blueprint)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example({"a": [[{"b": [ODD]}], [], {}, ""], "x" * 2000: {"y": "a\nb"}, "z" * 2000: "a\nb\n"})
@example({text: text for text in ODD})
@given(mappings)
def test_any_data_reads_as_the_same_data(data: dict[str, Any]) -> None:
    blueprint = create(inputs=data)

    assert repr(read(write_blueprint(blueprint)).inputs) == repr(data)


@settings(deadline=None)
@given(texts)
def test_other_readers_of_yaml_take_texts_for_the_same_texts(text: str) -> None:
    written = write_blueprint(create(inputs={"text": text, "list": [text, 1]}))

    assert yaml.safe_load(written)["inputs"] == {"text": text, "list": [text, 1]}


@settings(deadline=None)
@given(
    limits.filter(lambda data: "max_requests" in data), st.sampled_from(["agent", "limits", "both"])
)
def test_limit_that_was_given_stays_given(data: dict[str, Any], where: str) -> None:
    data = {**data, "max_requests": 20}  # the default, which an agent may want in spite of limits
    blueprint = create(
        agent={"instructions": "A", "limits": {} if where == "limits" else data},
        limits={} if where == "agent" else data,
    )
    again = read(write_blueprint(blueprint))

    assert again.limits.model_fields_set == blueprint.limits.model_fields_set
    assert again.agent is not None
    assert blueprint.agent is not None
    assert again.agent.limits.model_fields_set == blueprint.agent.limits.model_fields_set


def test_condition_on_nothing_stays_one() -> None:
    until = {"value": "{{previous}}", "equals": None}
    step = {
        "name": "s",
        "repeat": [{"name": "a", "agent": "helper", "input": None}],
        "until": until,
        "max_turns": 2,
    }
    again = read(write_blueprint(create(workflows={"w": {"steps": [step], "output": None}})))

    workflow = again.workflows["w"]
    assert workflow.model_fields_set == {"steps", "output"}
    assert workflow.steps[0].until is not None
    assert workflow.steps[0].until.model_fields_set == {"value", "equals"}


def test_file_is_nice_to_read() -> None:
    blueprint = create(
        description="Answers questions: with care.",
        models={"main": {"use": "default", "fallbacks": ["extractive"]}, "small": "local"},
        agent={
            "model": "main",
            "instructions": {"text": "Search first.\n\n- Cite {{nothing}}.\n"},
            "tools": [{"use": "calculate"}, {"use": "look", "with": {"folder": "."}}],
            "guardrails": ["short"],
            "limits": {"timeout": 30.0},
        },
        guardrails={"short": {"use": "match_pattern", "with": {"pattern": '"x" \\d'}}},
        memory={"recent": [{"keep_last": 3}]},
        permissions={"models": ["default", "{{x}}"], "spend": "0.50 USD"},
        evals={
            "s": {
                "cases": [
                    {
                        "name": "one",
                        "input": "yes",
                        "expect": [{"contains": {"all_of": ["a"]}}, {"number": {"value": 3.0}}],
                    }
                ]
            }
        },
    )

    assert write_blueprint(blueprint) == r"""schema: agent-factory/blueprint@1
name: helper
version: 0.1.0
description: "Answers questions: with care."
models:
  main:
    use: default
    fallbacks: [extractive]
  small: local
agent:
  model: main
  instructions: |
    Search first.

    - Cite {{nothing}}.
  tools:
    - calculate
    - use: look
      with:
        folder: .
  guardrails: [short]
  limits:
    timeout: 30
guardrails:
  short:
    use: match_pattern
    with:
      pattern: '"x" \d'
memory:
  recent:
    keep_last: 3
permissions:
  models: [default, "{{x}}"]
  spend: 0.50 USD
evals:
  s:
    cases:
      - name: one
        input: "yes"
        expect:
          - contains: a
          - number: 3
"""


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"a": "x\ud800"}, "half of a character"),
        ({"\udfff": 1}, "half of a character"),
        ({"a": ["x\0"]}, "which no blueprint can have"),
        ({"a": {"b": 10**18}}, "more than 18 digits"),
        ({"a": float("inf")}, "no finite number"),
        ({"a": {1, 2}}, "is set, and no plain data"),
        ({"a": {1: 2}}, "a key that is no text: 1"),
    ],
)
def test_what_cannot_be_written_is_refused(data: dict[str, Any], reason: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^inputs") as caught:
        write_blueprint(create(inputs=data))

    assert reason in caught.value.message


def test_too_deep_data_is_refused() -> None:
    data: dict[str, Any] = {}
    for _ in range(40):
        data = {"a": data}

    with pytest.raises(ConfigurationError, match="deeper than 32 levels"):
        write_blueprint(create(inputs=data))


def test_too_much_data_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="at most 50,000 and 1,048,576 can be read"):
        write_blueprint(create(inputs={"a": ["x"] * 60_000}))
    with pytest.raises(ConfigurationError, match="at most 50,000 and 1,048,576 can be read"):
        write_blueprint(create(inputs={"a": "x" * 1_048_576}))
