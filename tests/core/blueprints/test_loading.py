from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.core import BlueprintError
from agent_factory.core.blueprints import SCHEMA_VERSION, load_blueprint, parse_blueprint

if TYPE_CHECKING:
    from pathlib import Path

    from agent_factory.core.blueprints import Blueprint

FULL = """\
schema: agent-factory/blueprint@1
name: ask-docs
version: 1.2.3-rc.1+build
description: Answers questions.
agent:
  instructions: Answer.
  model: local
  tools:
    - calculate
    - use: search
      with: {folder: docs}
  limits: {max_requests: 3, max_tool_calls: 0, timeout: 5}
"""

SMALLEST = """\
schema: agent-factory/blueprint@1
name: a
version: 0.1.0
agent:
  instructions: Answer.
"""


def parse(text: str, folder: Path) -> Blueprint:
    """Return the blueprint that a text holds."""
    return parse_blueprint(text.encode(), name="a.yaml", folder=folder).blueprint


def problems(text: str, folder: Path) -> list[str]:
    """Return everything that is wrong with a text, without the excerpts."""
    with pytest.raises(BlueprintError) as caught:
        parse(text, folder)
    return [f"{item.location}: {item.message}" for item in caught.value.problems]


def test_full_blueprint_is_read(tmp_path: Path) -> None:
    blueprint = parse(FULL, tmp_path)

    assert blueprint.schema_version == SCHEMA_VERSION
    assert (blueprint.name, blueprint.version) == ("ask-docs", "1.2.3-rc.1+build")
    assert blueprint.description == "Answers questions."
    agent = blueprint.agent
    assert agent is not None
    assert (agent.instructions.text, agent.model) == ("Answer.", "local")
    assert [(item.use, item.options) for item in agent.tools] == [
        ("calculate", {}),
        ("search", {"folder": "docs"}),
    ]
    assert (agent.limits.max_requests, agent.limits.max_tool_calls) == (3, 0)
    assert agent.limits.timeout == 5.0


def test_what_is_left_out_has_defaults(tmp_path: Path) -> None:
    blueprint = parse(SMALLEST, tmp_path)
    agent = blueprint.agent

    assert agent is not None
    assert (blueprint.description, agent.model, agent.tools) == (
        "",
        "default",
        (),
    )
    limits = agent.limits
    assert (limits.max_requests, limits.max_tool_calls, limits.timeout) == (20, 50, 300.0)


def test_file_is_read_with_its_folder(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(SMALLEST, encoding="utf-8")

    loaded = load_blueprint(file)

    assert (loaded.blueprint.name, loaded.folder) == ("a", tmp_path)


def test_missing_file_and_folder_are_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(BlueprintError, match=r"no\.yaml cannot be read\n.*there is no such file"):
        load_blueprint(tmp_path / "no.yaml")
    with pytest.raises(BlueprintError, match=r"cannot be read\n.*no regular file"):
        load_blueprint(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("name: a", "nmae: a", "2:1: unknown key 'nmae': did you mean 'name'?"),
        (
            "name: a",
            "name: A",
            "2:7: name must be lower-case letters, digits and '-', a letter first",
        ),
        ("name: a", "name: 5", "2:7: name must be text, not 5: put it in quotes"),
        ("0.1.0", "0.1", "3:10: version must be text, not 0.1: put it in quotes"),
        ("0.1.0", "v1", "3:10: version must be three numbers such as '0.1.0', not 'v1'"),
        ("@1", "@2", "1:9: schema must be 'agent-factory/blueprint@1', not 'agent-factory/bl"),
        ("Answer.", "''", "5:17: agent.instructions must not be empty"),
        (
            "Answer.",
            "",
            "5:16: agent.instructions must be text or a mapping with keys such as 'text'",
        ),
        ("agent:", "agent: 3\nother:", "4:8: agent must be a mapping of keys to values, not 3"),
        (
            "  instructions: Answer.",
            "  []",
            "5:3: agent must be a mapping of keys to values, not a",
        ),
        ("Answer.", "x\n  tools: calc", "6:10: agent.tools must be a list, not 'calc'"),
        (
            "Answer.",
            "x\n  tools: [3]",
            "6:11: agent.tools.0 must be text or a mapping with keys such as 'use'",
        ),
        (
            "Answer.",
            "x\n  tools: [{use: x, wth: 1}]",
            "6:20: unknown key 'wth': did you mean 'with'",
        ),
        (
            "Answer.",
            "x\n  tools: [{with: {}}]",
            "6:11: agent.tools.0 must have one of 'use', 'toolset', 'agent' and 'blueprint'",
        ),
        (
            "Answer.",
            "x\n  limits: {timeout: 0}",
            "6:21: agent.limits.timeout must be above 0 and at most 86,400, not 0",
        ),
        (
            "Answer.",
            "x\n  limits: {timeout: soon}",
            "6:21: agent.limits.timeout must be a number, not 'soon'",
        ),
        (
            "Answer.",
            "x\n  limits: {max_requests: 1.5}",
            "6:26: agent.limits.max_requests must be a whole number, not 1.5",
        ),
        (
            "Answer.",
            "x\n  limits: {max_requests: true}",
            "6:26: agent.limits.max_requests must be a whole number, not ",
        ),
    ],
)
def test_mistake_is_told_at_its_place(old: str, new: str, said: str, tmp_path: Path) -> None:
    told = problems(SMALLEST.replace(old, new, 1), tmp_path)

    assert any(item.startswith(f"a.yaml:{said}") for item in told), told


def test_every_mistake_is_told_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = SMALLEST.replace("name: a", "name: A").replace("instructions", "instruction")

    assert problems(text, tmp_path) == [
        "a.yaml:2:7: name must be lower-case letters, digits and '-', a letter first, at most 64 of them, not 'A'",
        "a.yaml:4:1: the key 'instructions' is missing: add 'instructions: ...' below 'agent'",
        "a.yaml:5:3: unknown key 'instruction': did you mean 'instructions'?",
    ]


def test_heading_counts_the_problems(tmp_path: Path) -> None:
    with pytest.raises(BlueprintError, match=r"^a\.yaml has 1 problem\n"):
        parse(SMALLEST.replace("0.1.0", "v1"), tmp_path)
    with pytest.raises(BlueprintError, match=r"^a\.yaml has 3 problems\n"):
        parse("schema: agent-factory/blueprint@1\nx: 1", tmp_path)


def test_broken_yaml_is_told_without_further_problems(tmp_path: Path) -> None:
    assert problems("a: [", tmp_path) == [
        "a.yaml:1:4: this '[' is never closed: write ']' where it ends"
    ]


def test_long_values_are_shortened_in_messages(tmp_path: Path) -> None:
    [said] = problems(SMALLEST.replace("Answer.", "x\n  tools: " + "y" * 500), tmp_path)

    assert len(said) < 160


keys = st.sampled_from(["schema", "name", "version", "agent", "agents", "use", "x"])
values = st.recursive(
    st.sampled_from(["", "1", "a", "'q'", "true", "[]", "{}"]),
    lambda inner: st.lists(inner, max_size=2).map(lambda items: f"[{', '.join(items)}]")
    | st.dictionaries(keys, inner, max_size=3).map(
        lambda pairs: "{" + ", ".join(f"{key}: {value}" for key, value in pairs.items()) + "}"
    ),
    max_leaves=6,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(keys, values, max_size=5))
def test_any_mapping_is_a_blueprint_or_a_blueprint_error(
    tmp_path_factory: pytest.TempPathFactory, pairs: dict[str, str]
) -> None:
    text = SMALLEST + "".join(f"{key}: {value}\n" for key, value in pairs.items())
    if not pairs:
        return
    with pytest.raises(BlueprintError) as caught:
        parse(text, tmp_path_factory.getbasetemp())
    assert caught.value.problems
