"""The tool `http_fetch` and a server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest
from aiohttp import web

from agent_factory.core.tools import ToolContext
from agent_factory.integrations.tools.http_fetch import HttpFetchOptions, create_http_fetch
from tests.integration.http.servers import Handler, serve
from tests.integrations.http.granting import create_grant

pytestmark = pytest.mark.integration


def fetch(
    handler: Handler,
    arguments: Mapping[str, object] | None = None,
    *,
    gets_secret: bool = True,
    **options: object,
) -> Any:
    async def run() -> Any:
        async with serve(handler) as port:
            server = f"http://127.0.0.1:{port}"
            grant = create_grant(private=[server], secrets={"KEY": "hunter2-hunter2"})
            if "headers" in options:
                options["secret_hosts"] = [server if gets_secret else "https://other.example"]
            tool = create_http_fetch(grant, HttpFetchOptions.model_validate(options))
            context = ToolContext(deps=None, run_id="run", call_id="call")
            given = json.dumps({"url": f"{server}/page", **(arguments or {})})
            return json.loads(await tool.run(context, given))

    return asyncio.run(run())


def answer(body: bytes, content_type: str, status: int = 200) -> Handler:
    async def handle(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=body, status=status, headers={"Content-Type": content_type})

    return handle


async def echo(request: web.BaseRequest) -> web.StreamResponse:
    headers = {name.lower(): value for name, value in request.headers.items()}
    return web.json_response(
        {"method": request.method, "headers": headers, "body": await request.text()}
    )


def test_a_page_comes_as_readable_text() -> None:
    page = "<title>T</title><script>x</script><p>Gr\u00fc\u00dfe <a href='/a'>here</a>"
    result = fetch(answer(page.encode(), "text/html; charset=utf-8"))
    assert result["text"].startswith("T\n\nGr\u00fc\u00dfe here (http://127.0.0.1:")
    assert (result["status"], result["content_type"], result["truncated"]) == (
        200,
        "text/html",
        False,
    )
    assert result["url"].endswith("/page")


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        (b'{"a": [1]}', "application/json", '{"a": [1]}'),
        (b"a,b\n1,2\n", "text/csv", "a,b\n1,2\n"),
        (b"\xfc", "text/plain; charset=latin1", "\u00fc"),
        (b"\xef\xbb\xbfa", "text/plain", "a"),
        (b"\xff\xfea\0b\0", "text/plain", "ab"),
        (b"\xff", "text/plain", "\ufffd"),
        (b"<meta charset='windows-1252'>\x80", "text/html", "\u20ac"),
        (b"abc", "text/plain; charset=rot13", "abc"),
        (b"", "image/png", ""),
    ],
)
def test_texts_come_as_they_are(body: bytes, content_type: str, text: str) -> None:
    result = fetch(answer(body, content_type))
    assert result["text"] == text
    assert "note" not in result


@pytest.mark.parametrize(
    "content_type", ["image/png", "application/octet-stream", "application/pdf"]
)
def test_what_is_no_text_is_not_shown(content_type: str) -> None:
    result = fetch(answer(b"data", content_type))
    assert result["text"] == ""
    assert content_type in result["note"]


def test_binary_data_under_the_name_of_a_text_are_not_shown() -> None:
    result = fetch(answer(b"\x89PNG\0\0\0", "text/plain"))
    assert result["text"] == ""
    assert "binary" in result["note"]


def test_only_content_types_that_are_accepted_are_shown() -> None:
    assert fetch(answer(b"a", "text/csv"), content_types=["text/*"])["text"] == "a"
    result = fetch(answer(b"a", "text/csv"), content_types=["application/json"])
    assert "only application/json" in result["note"]


@pytest.mark.parametrize("status", [404, 500])
def test_a_bad_status_is_a_result(status: int) -> None:
    result = fetch(answer(b"why", "text/plain", status))
    assert (result["status"], result["text"]) == (status, "why")


def test_what_is_too_long_is_cut_and_says_so() -> None:
    long = answer(b"x" * 5000, "text/plain")
    result = fetch(long, max_bytes=100)
    assert (len(result["text"]), result["truncated"]) == (100, True)
    result = fetch(long, max_characters=200)
    assert (len(result["text"]), result["truncated"]) == (200, True)


def test_fixed_headers_and_secrets_are_sent_and_secrets_do_not_come_back() -> None:
    options: dict[str, Any] = {
        "headers": {"X-Fixed": "a", "Authorization": {"secret": "KEY", "prefix": "Bearer "}}
    }
    told = json.loads(fetch(echo, {"headers": {"Accept": "text/csv"}}, **options)["text"])
    assert told["headers"]["x-fixed"] == "a"
    assert told["headers"]["accept"] == "text/csv"
    assert told["headers"]["authorization"] == "[secret]"


def test_a_host_that_is_not_named_gets_no_secret() -> None:
    options: dict[str, Any] = {"headers": {"X-Key": {"secret": "KEY"}, "X-Fixed": "a"}}
    told = json.loads(fetch(echo, gets_secret=False, **options)["text"])
    assert told["headers"]["x-fixed"] == "a"
    assert "x-key" not in told["headers"]


def test_a_body_is_sent() -> None:
    arguments = {
        "method": "POST",
        "body": '{"a": 1}',
        "headers": {"Content-Type": "application/json"},
    }
    told = json.loads(fetch(echo, arguments, methods=["POST"])["text"])
    assert (told["method"], told["body"]) == ("POST", '{"a": 1}')
    assert told["headers"]["content-type"] == "application/json"


def test_the_model_cannot_change_a_fixed_header() -> None:
    told = json.loads(
        fetch(echo, {"headers": {"Accept": "text/csv"}}, headers={"accept": "text/html"})["text"]
    )
    assert told["headers"]["accept"] == "text/html"


def test_head_has_no_text() -> None:
    result = fetch(answer(b"abc", "text/plain"), {"method": "HEAD"})
    assert (result["status"], result["text"]) == (200, "")
