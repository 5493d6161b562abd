from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.core import (
    Agent,
    ConfigurationError,
    Workflow,
    branch,
    loop,
    map_each,
    parallel,
    recover,
    step,
)
from agent_factory.core.drawing import agents_to_mermaid, to_svg
from agent_factory.core.testing import ScriptedModel
from agent_factory.core.workflows import ask_person
from tests.utils import create_test_agent, create_test_tool

SVG = "{http://www.w3.org/2000/svg}"


async def keep(value: Any) -> Any:
    return value


def named(name: str) -> Any:
    return step(keep, name=name)


def create_agent(name: str, **given: Any) -> Agent[Any, str]:
    return Agent(name=name, model=ScriptedModel([]), **given)


def read(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)  # noqa: S314 - written here


def list_texts(svg: str) -> list[str]:
    return [item.text or "" for item in read(svg).iter(f"{SVG}text")]


def list_boxes(svg: str) -> list[tuple[float, float, float, float]]:
    found = []
    for item in read(svg).iter(f"{SVG}rect"):
        if "box" in item.attrib["class"].split():
            x, y, width, height = (float(item.attrib[key]) for key in ("x", "y", "width", "height"))
            found.append((x, y, x + width, y + height))
    return found


EVERYTHING: Workflow[Any, Any] = (
    Workflow("all", named("first"))
    .then(branch("kind", str, {"a": named("x"), "b": named("y")}, otherwise=named("z")))
    .then(loop("grow", Workflow("turn", named("p")).then(named("q")), until=bool, max_turns=3))
    .then(map_each("each", named("r")))
    .then(parallel("both", named("s"), named("t")))
    .then(recover("safe", named("u"), {ValueError: named("v")}))
    .then(ask_person("ok", "Go on?", answer=bool))
)


def test_every_box_group_and_label_is_shown() -> None:
    texts = set(list_texts(to_svg(EVERYTHING)))

    assert texts >= {
        "start",
        "end",
        "first",
        "kind",
        "done?",
        "ok: a person answers",
        *"xyzpqrstuv",
    }
    assert texts >= {"grow: at most 3 turns", "each: each item, 8 at a time", "both: 2 at a time"}
    assert texts >= {"a", "b", "otherwise", "no", "ValueError"}


def test_document_stands_alone_and_says_what_it_shows() -> None:
    svg = to_svg(EVERYTHING, title="My <picture>")
    root = read(svg)
    title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")

    assert root.tag == f"{SVG}svg"
    assert root.attrib["role"] == "img"
    assert title is not None
    assert title.text == "My <picture>"
    assert description is not None
    assert "first leads to kind" in (description.text or "")
    assert root.attrib["aria-labelledby"] == f"{title.attrib['id']} {description.attrib['id']}"
    assert not re.search(r"<script|javascript:|href|@import|\bon\w+=|url\((?!#)", svg)
    assert "prefers-color-scheme: dark" in svg


def test_same_workflow_gives_the_same_picture() -> None:
    assert to_svg(EVERYTHING) == to_svg(EVERYTHING)


def test_steps_follow_one_another_downwards() -> None:
    boxes = list_boxes(to_svg(Workflow("w", named("a")).then(named("b")).then(named("c"))))

    assert [box[1] for box in boxes[:4]] == sorted(box[1] for box in boxes[:4])


def test_boxes_do_not_overlap_and_are_within_the_picture() -> None:
    svg = to_svg(EVERYTHING)
    boxes = list_boxes(svg)
    left, top, width, height = map(float, read(svg).attrib["viewBox"].split())

    for index, (x, y, right, bottom) in enumerate(boxes):
        assert left <= x < right <= left + width
        assert top <= y < bottom <= top + height
        for other in boxes[index + 1 :]:
            assert right <= other[0] or other[2] <= x or bottom <= other[1] or other[3] <= y


def test_tools_and_other_agents_of_an_agent_are_shown() -> None:
    shared = create_test_tool("look")
    helper = create_agent("helper", tools=[shared])
    boss = create_agent("boss", tools=[shared, helper.as_tool()], handoffs=[helper])

    assert agents_to_mermaid([boss, helper]) == (
        "flowchart LR\n"
        '    n1("boss")\n'
        '    n2("helper")\n'
        '    n3["look"]\n'
        "    n1 --> n3\n"
        '    n1 -->|"asks"| n2\n'
        '    n1 -.->|"hands over"| n2\n'
        "    n2 --> n3\n"
    )
    assert set(list_texts(to_svg(boss))) >= {"boss", "helper", "look", "hands over"}


def test_picture_without_agents_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="no agents to draw"):
        to_svg([])


def test_many_agents_that_all_know_each_other_are_drawn() -> None:
    agents: list[Agent[Any, str]] = []
    for number in range(30):
        agents.append(create_agent(f"a{number}", handoffs=list(agents)))

    assert len(list_boxes(to_svg(agents))) == 30


def test_very_long_label_is_cut_in_the_box() -> None:
    svg = to_svg(create_test_agent(name="n" * 10_000))

    assert max(map(len, list_texts(svg))) <= 64
    assert len(svg) < 10_000


HOSTILE = st.text(
    alphabet=st.sampled_from(list("<>&\"'`#;[](){}|\\/\n\r\t\0\x1b\u202e\u2028\ufffe\ud800ab %-"))
    | st.characters(),
    min_size=1,
    max_size=20,
).filter(lambda text: bool(text.strip()) and "/" not in text)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(name=HOSTILE, key=HOSTILE)
def test_no_label_can_become_a_part_of_the_picture(name: str, key: str) -> None:
    workflow = Workflow(name, branch(name, str, {key: named("x")}))
    plain = to_svg(Workflow("n", branch("n", str, {"k": named("x")})))
    svg = to_svg(workflow)
    mermaid = workflow.to_mermaid()

    assert [item.tag for item in read(svg).iter()] == [item.tag for item in read(plain).iter()]
    svg.encode()
    mermaid.encode()
    assert len(mermaid.splitlines()) == 8
    for line in mermaid.splitlines()[1:]:
        inside = re.sub(r'"[^"]*"', "", line)
        assert re.fullmatch(r"    (n\d[\[{(\]})]+|n\d -->(\|\|)? n\d)", inside), line
