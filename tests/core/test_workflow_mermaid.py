from __future__ import annotations

import re
from typing import Any

import pytest

from agent_factory.core import Workflow, branch, loop, map_each, parallel, recover, step
from agent_factory.core.workflows import ask_person


async def keep(value: Any) -> Any:
    return value


def named(name: str) -> Any:
    return step(keep, name=name)


def draw(node: Any) -> str:
    return Workflow("w", node).to_mermaid()


def test_chain_is_drawn_from_start_to_end() -> None:
    assert Workflow("w", named("read")).then(named("write")).to_mermaid() == (
        "flowchart TD\n"
        '    n1(["start"])\n'
        '    n2["read"]\n'
        '    n3["write"]\n'
        '    n4(["end"])\n'
        "    n2 --> n3\n"
        "    n1 --> n2\n"
        "    n3 --> n4\n"
    )


def test_branch_has_an_edge_for_each_case_and_joins_them() -> None:
    picture = draw(branch("kind", str, {"a": named("x"), "b": named("y")}, otherwise=named("z")))

    assert 'n2{"kind"}' in picture
    assert re.findall(r'n2 -->\|"(\w+)"\| (n\d)', picture) == [
        ("a", "n3"),
        ("b", "n4"),
        ("otherwise", "n5"),
    ]
    assert re.findall(r"(n\d) --> n6", picture) == ["n3", "n4", "n5"]


def test_loop_shows_its_bound_and_the_way_back() -> None:
    picture = draw(loop("grow", named("x"), until=bool, max_turns=3))

    assert 'subgraph n2["grow: at most 3 turns"]' in picture
    assert 'n3 -->|"no"| n4' in picture
    assert "n4 -.-> n3" in picture


def test_map_parallel_and_inner_workflow_are_boxes() -> None:
    inner = Workflow("inner", parallel("both", named("a"), named("b")))

    assert re.findall(r'subgraph \w+\["(.*)"\]', draw(map_each("all", inner, limit=5))) == [
        "all: each item, 5 at a time",
        "inner",
        "both: 2 at a time",
    ]


def test_handler_is_reached_by_a_dotted_edge_with_the_error() -> None:
    picture = draw(recover("safe", named("x"), {ValueError: named("h")}))

    assert 'n3 -.->|"ValueError"| n4' in picture
    assert re.findall(r"(n\d) --> n5", picture) == ["n3", "n4"]


def test_question_to_a_person_has_a_shape_of_its_own() -> None:
    picture = draw(ask_person("approval", "Go on?", answer=bool))

    assert 'n2{{"approval: a person answers"}}\n' in picture
    assert re.findall(r"(n\d) --> (n\d)", picture) == [("n1", "n2"), ("n2", "n3")]


@pytest.mark.parametrize(
    ("name", "label"),
    [('a"b', "a#quot;b"), ("a\nb", "a b"), ("<a>", "#lt;a#gt;"), ("#1", "#35;1"), ("end", "end")],
)
def test_label_cannot_break_the_picture(name: str, label: str) -> None:
    assert f'n2["{label}"]\n' in draw(named(name))
