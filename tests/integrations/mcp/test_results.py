from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from agent_factory.integrations.mcp.results import describe_result


def text(value: str) -> Any:
    return SimpleNamespace(type="text", text=value)


def describe(*blocks: Any, structured: object = None) -> str:
    return describe_result(SimpleNamespace(content=list(blocks), structured_content=structured))


def test_texts_are_joined() -> None:
    assert describe(text("one"), text("two")) == "one\ntwo"


def test_structured_content_is_json() -> None:
    assert describe(structured={"name": "Zoë", "n": 1}) == '{"name":"Zoë","n":1}'


@pytest.mark.parametrize(
    ("said", "structured"),
    [
        (['{"n": 1}'], {"n": 1}),
        (["5"], {"result": 5}),
        (["plain"], {"result": "plain"}),
        (["1", "2"], {"result": [1, 2]}),
        (["[1,2]"], [1, 2]),
    ],
)
def test_structured_content_that_the_texts_repeat_is_told_once(
    said: list[str], structured: object
) -> None:
    assert describe(*map(text, said), structured=structured) == "\n".join(said)


def test_structured_content_that_says_more_is_told_too() -> None:
    assert describe(text("one row"), structured={"rows": [1]}) == 'one row\n{"rows":[1]}'


def test_data_are_described_and_not_told() -> None:
    blocks = [
        SimpleNamespace(type="audio", data="AAAA", mime_type="audio/wav\nand more"),
        SimpleNamespace(type="resource_link", name="log", uri="file:///log", description="Today's"),
        SimpleNamespace(
            type="resource",
            resource=SimpleNamespace(uri="file:///a", mime_type=None, blob="AAAAAAAA"),
        ),
        SimpleNamespace(
            type="resource",
            resource=SimpleNamespace(uri="file:///b", mime_type="text/plain", text="inside"),
        ),
        SimpleNamespace(type="hologram"),
    ]

    assert describe(*blocks).split("\n") == [
        "[audio, audio/wav and more, about 3 bytes: not shown]",
        "[link to the resource log, file:///log: Today's]",
        "[resource file:///a, type not said, about 6 bytes: not shown]",
        "[resource file:///b, text/plain]",
        "inside",
        "[content of the kind hologram: not shown]",
    ]
