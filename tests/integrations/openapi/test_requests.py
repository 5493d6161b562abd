from __future__ import annotations

import json
from typing import Any

import pytest
import yarl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.core.exceptions import ToolArgumentsError, ToolError
from agent_factory.integrations.http import HttpRequest, parse_url
from agent_factory.integrations.openapi import compile_operations
from agent_factory.integrations.openapi.calling import create_request
from tests.integrations.openapi.documents import create_document

quick = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
SERVER = "https://api.example.com/v1"


def write(
    path: str, *parameters: dict[str, Any], method: str = "get", **arguments: Any
) -> HttpRequest:
    document = create_document(
        path,
        method,
        parameters=list(parameters),
        requestBody={"content": {"application/json": {"schema": {}}}},
    )
    (operation,) = compile_operations(document)
    return create_request(operation, SERVER, arguments, secret_headers={}, secret_query={})


def query(name: str = "q", **more: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", **more}


def path(name: str = "id", **more: Any) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, **more}


@pytest.mark.parametrize(
    ("more", "value", "expected"),
    [
        ({}, "a b&c=d", "q=a%20b%26c%3Dd"),
        ({}, 5, "q=5"),
        ({}, 1.5, "q=1.5"),
        ({}, True, "q=true"),
        ({}, ["a", "b,c"], "q=a&q=b%2Cc"),
        ({"explode": False}, ["a", "b,c"], "q=a,b%2Cc"),
        ({"style": "spaceDelimited", "explode": False}, ["a", "b"], "q=a%20b"),
        ({"style": "pipeDelimited"}, ["a", "b"], "q=a%7Cb"),
        ({}, {"x": 1, "y": "z"}, "x=1&y=z"),
        ({"explode": False}, {"x": 1, "y": "z"}, "q=x,1,y,z"),
        ({"style": "deepObject"}, {"x": 1, "y": "z"}, "q%5Bx%5D=1&q%5By%5D=z"),
        ({"content": {"application/json": {}}}, {"x": [1]}, "q=%7B%22x%22%3A%5B1%5D%7D"),
    ],
)
def test_a_query_is_written_in_its_style(
    more: dict[str, Any], value: object, expected: str
) -> None:
    assert write("/a", query(**more), q=value).url == f"{SERVER}/a?{expected}"


def test_what_is_not_given_is_left_out() -> None:
    assert write("/a", query(), query("r")).url == f"{SERVER}/a"
    assert write("/a", query(), q=[]).url == f"{SERVER}/a"


@pytest.mark.parametrize(
    ("more", "value", "expected"),
    [
        ({}, "a/b?c#d", "a%2Fb%3Fc%23d"),
        ({}, "a..b", "a..b"),
        ({}, "\u00fc", "%C3%BC"),
        ({}, ["a", "b,c"], "a,b%2Cc"),
        ({}, {"x": 1}, "x,1"),
        ({"explode": True}, {"x": 1}, "x=1"),
    ],
)
def test_a_path_is_written_in_its_style(more: dict[str, Any], value: object, expected: str) -> None:
    assert write("/a/{id}/b", path(**more), id=value).url == f"{SERVER}/a/{expected}/b"


@pytest.mark.parametrize(
    "value",
    [
        ".",
        "..",
        "../admin",
        "a/../b",
        "..\\admin",
        "%2e%2e",
        "%2e%2e/x",
        "%252e%252e%252fx",
        "",
        None,
        [],
        [".."],
        "./x",
        "/..",
        "\ud800",
    ],
)
def test_no_value_leads_to_another_path(value: object) -> None:
    with pytest.raises(ToolArgumentsError, match="/id: "):
        write("/a/{id}", path(), id=value)


def test_values_together_make_no_other_path() -> None:
    with pytest.raises(ToolArgumentsError):
        write("/a/{x}{y}", path("x"), path("y"), x=".", y=".")


@quick
@given(st.text(max_size=20), st.text(max_size=20))
def test_whatever_the_values_the_url_keeps_its_shape(first: str, second: str) -> None:
    try:
        request = write("/a/{id}/c", path(), query(), id=first, q=second)
        url = parse_url(request.url).url
    except ToolError:
        return
    assert (url.host, url.raw_path.count("/")) == ("api.example.com", 4)
    assert url.raw_path.startswith("/v1/a/")
    assert url.raw_path.endswith("/c")
    assert yarl.URL(request.url).query == {"q": second}
    assert url.parts[3] == first or "/" in first


def test_headers_are_written_and_checked() -> None:
    header = {"name": "X-Tags", "in": "header"}
    tags: dict[str, Any] = {"X-Tags": ["a", "b"]}
    assert write("/a", header, **tags).headers["X-Tags"] == "a,b"
    with pytest.raises(ToolArgumentsError, match="X-Tags"):
        write("/a", header, **{"X-Tags": "a\r\nHost: evil.example"})


def test_a_body_is_sent_as_json() -> None:
    request = write("/a", method="post", body={"a": ["\u00fc", None]})
    assert request.body is not None
    assert json.loads(request.body) == {"a": ["\u00fc", None]}
    assert request.headers["Content-Type"] == "application/json"
    assert write("/a", method="post").body is None
    with pytest.raises(ToolArgumentsError, match="half a character"):
        write("/a", method="post", body="\ud800")
