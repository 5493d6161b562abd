"""Tools of an OpenAPI document and a server."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from aiohttp import web

from agent_factory.core.context import RunContext
from agent_factory.core.tools import ToolContext
from agent_factory.integrations.openapi import OpenApiAuthentication, create_openapi_toolset
from tests.integration.http.servers import Handler, serve
from tests.integrations.http.granting import create_grant
from tests.integrations.openapi.documents import PETS, create_document

pytestmark = pytest.mark.integration


async def echo(request: web.BaseRequest) -> web.StreamResponse:
    headers = {name.lower(): value for name, value in request.headers.items()}
    return web.json_response(
        {
            "method": request.method,
            "path": request.raw_path,
            "headers": headers,
            "body": await request.text(),
        }
    )


def call(
    document: dict[str, Any],
    arguments: dict[str, Any],
    *,
    handler: Handler = echo,
    operation: str = "do_it",
    **options: Any,
) -> Any:
    async def run() -> Any:
        async with serve(handler) as port:
            server = f"http://127.0.0.1:{port}"
            grant = create_grant(private=[server], secrets={"KEY": "hunter2/hunter2"})
            toolset = create_openapi_toolset(
                document, grant=grant, server=f"{server}/v1/", operations=[operation], **options
            )
            context: RunContext[object] = RunContext(None, "run", "agent", "prompt")
            (tool,) = await toolset.list_tools(context)
            given = ToolContext(deps=None, run_id="run", call_id="call")
            return json.loads(await tool.run(given, json.dumps(arguments)))

    return asyncio.run(run())


def answer(body: bytes, content_type: str, status: int = 200) -> Handler:
    async def handle(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=body, status=status, headers={"Content-Type": content_type})

    return handle


def test_arguments_reach_the_server() -> None:
    arguments = {"limit": 5, "tag": ["a b", "c&d"], "X-Trace": "t"}
    result = call(PETS, arguments, operation="listPets")
    assert (result["status"], result["content_type"], result["truncated"]) == (
        200,
        "application/json",
        False,
    )
    told = result["body"]
    assert (told["method"], told["path"]) == ("GET", "/v1/pets?limit=5&tag=a%20b&tag=c%26d")
    assert told["headers"]["x-trace"] == "t"
    assert told["body"] == ""


def test_a_body_reaches_the_server() -> None:
    told = call(PETS, {"body": {"name": "T\u00fc"}}, operation="pets.create")["body"]
    assert (told["method"], told["path"]) == ("POST", "/v1/pets")
    assert json.loads(told["body"]) == {"name": "T\u00fc"}
    assert told["headers"]["content-type"] == "application/json"


def test_slashes_of_a_value_stay_in_their_segment() -> None:
    told = call(PETS, {"id": "a/b?c"}, operation="deletePet")["body"]
    assert (told["method"], told["path"]) == ("DELETE", "/v1/pets/a%2Fb%3Fc")


@pytest.mark.parametrize(
    "authentication",
    [
        OpenApiAuthentication("bearer", "KEY"),
        OpenApiAuthentication("header", "KEY", "X-Key"),
        OpenApiAuthentication("query", "KEY", "key"),
        OpenApiAuthentication("basic", "KEY", user="me"),
    ],
)
def test_the_secret_is_sent_and_does_not_come_back(authentication: OpenApiAuthentication) -> None:
    seen: list[str] = []

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        seen.append(f"{request.raw_path} {sorted(request.headers.items())}")
        return await echo(request)

    result = call(create_document(), {}, handler=handle, authentication=authentication)
    expected = {
        "bearer": "'Bearer hunter2/hunter2'",
        "header": "('X-Key', 'hunter2/hunter2')",
        "query": "key=hunter2/hunter2",
        "basic": "'Basic bWU6aHVudGVyMi9odW50ZXIy'",
    }
    assert expected[authentication.kind] in seen[0].replace("%2F", "/")
    told = json.dumps(result)
    assert "[secret]" in told
    assert "hunter2" not in told
    assert "bWU6" not in told


def test_a_secret_that_json_escapes_does_not_come_back() -> None:
    handler = answer(b'{"a": ["hunter2\\/hunter2"]}', "application/json")
    result = call(
        create_document(),
        {},
        handler=handler,
        authentication=OpenApiAuthentication("bearer", "KEY"),
    )
    assert result["body"] == {"a": ["[secret]"]}


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (b'{"a": 1}', "application/problem+json", {"a": 1}),
        (b"null", "application/json", None),
        (b"text", "text/plain", "text"),
        (b"", "application/json", None),
        (b"{broken", "application/json", "{broken"),
        (b"[" * 100_000, "application/json", "[" * 50_000),
        (b"[" * 5_000, "application/json", "[" * 5_000),
        (b"NaN", "application/json", "NaN"),
        (b"\x89PNG", "image/png", None),
    ],
)
def test_an_answer_comes_as_what_it_is(body: bytes, content_type: str, expected: object) -> None:
    result = call(create_document(), {}, handler=answer(body, content_type))
    assert result["body"] == expected


def test_a_bad_status_is_a_result() -> None:
    result = call(create_document(), {}, handler=answer(b'{"why": 1}', "application/json", 422))
    assert (result["status"], result["body"]) == (422, {"why": 1})


def test_a_long_answer_is_cut_and_says_so() -> None:
    handler = answer(json.dumps(["x"] * 1000).encode(), "application/json")
    bounds: list[dict[str, Any]] = [{"max_bytes": 100}, {"max_characters": 100}]
    for options in bounds:
        result = call(create_document(), {}, handler=handler, **options)
        assert result["truncated"] is True
        assert len(result["body"]) == 100
