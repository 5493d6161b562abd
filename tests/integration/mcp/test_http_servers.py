"""MCP servers over streamable HTTP on a local port: written with the SDK, and ones that misbehave."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from agent_factory.core.exceptions import (
    PermissionDeniedError,
    ToolError,
    ToolOutcomeUnknownError,
    ToolTimeoutError,
)
from agent_factory.integrations.mcp import McpToolset, SecretRef
from tests.integration.mcp.servers import (
    CONTEXT,
    create_url_toolset,
    find_tool,
    run_http_server,
    wait_until,
)

pytestmark = pytest.mark.integration


async def call(toolset: McpToolset, name: str, **arguments: object) -> str:
    tool = await find_tool(toolset, name)
    return await tool.run(CONTEXT, json.dumps(arguments))


def run(toolset: McpToolset, name: str, **arguments: object) -> str:
    async def work() -> str:
        async with toolset:
            return await call(toolset, name, **arguments)

    return asyncio.run(work())


class OddServer:
    """A server that answers calls of its one tool with what a test wants, and keeps what it was sent."""

    def __init__(self) -> None:
        self.calls = 0
        self.sessions = 0
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.reply: Any = None

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.method != "POST":
            return web.Response(status=405)
        message = await request.json()
        self.requests.append((message["method"], dict(request.headers)))
        if "id" not in message:
            return web.Response(status=202)
        if message["method"] == "initialize":
            self.sessions += 1
            result: dict[str, Any] = {
                "protocolVersion": message["params"]["protocolVersion"],
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "odd", "version": "1"},
            }
            return self.answer(message, result, {"Mcp-Session-Id": f"session-{self.sessions}"})
        if message["method"] == "tools/list":
            return self.answer(
                message, {"tools": [{"name": "act", "inputSchema": {"type": "object"}}]}
            )
        if message["method"] == "tools/call":
            self.calls += 1
            if self.reply is not None:
                replied: web.StreamResponse = await self.reply(request, message)
                return replied
            return self.answer(message, {"content": [{"type": "text", "text": "done"}]})
        return web.Response(status=400, text="what?")

    def answer(
        self, message: dict[str, Any], result: object, headers: dict[str, str] | None = None
    ) -> web.Response:
        body = {"jsonrpc": "2.0", "id": message["id"], "result": result}
        return web.json_response(body, headers=headers)

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[str]:
        app = web.Application()
        app.router.add_route("*", "/mcp", self.handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}/mcp"
        finally:
            await runner.cleanup()


def call_odd(server: OddServer, folder: Path, times: int = 1, **options: Any) -> str:
    async def work() -> str:
        async with server.serve() as url, create_url_toolset(url, folder, **options) as toolset:
            tool = await find_tool(toolset, "act")
            said = ""
            for _ in range(times):
                said = await tool.run(CONTEXT, "{}")
            return said

    return asyncio.run(work())


def test_tool_of_a_server_is_called_over_http(tmp_path: Path) -> None:
    with run_http_server() as port:
        toolset = create_url_toolset(f"http://127.0.0.1:{port}/mcp", tmp_path)

        assert run(toolset, "add", first=1, second=2) == "3"


def test_secret_in_a_header_reaches_the_server_and_not_the_model(tmp_path: Path) -> None:
    with run_http_server() as port:
        toolset = create_url_toolset(
            f"http://127.0.0.1:{port}/mcp",
            tmp_path,
            {"Authorization": SecretRef("TOKEN", "Bearer ")},
        )

        assert run(toolset, "read_header", header="authorization") == "Bearer [secret]"


def test_call_over_http_that_takes_too_long_is_cancelled_on_the_server(tmp_path: Path) -> None:
    file = tmp_path / "state"

    async def work(port: int) -> None:
        url = f"http://127.0.0.1:{port}/mcp"
        async with create_url_toolset(url, tmp_path, call_timeout=1.5) as toolset:
            with pytest.raises(ToolTimeoutError):
                await call(toolset, "wait", file=str(file))
            await wait_until(lambda: file.read_text() == "cancelled")

    with run_http_server() as port:
        asyncio.run(work(port))


def test_server_that_was_started_again_is_connected_to_again(tmp_path: Path) -> None:
    async def work() -> str:
        with run_http_server() as port:
            toolset = create_url_toolset(f"http://127.0.0.1:{port}/mcp", tmp_path)
            assert await call(toolset, "add", first=1, second=1) == "2"
        with run_http_server(port=port):
            async with toolset:
                return await call(toolset, "add", first=1, second=2)

    assert asyncio.run(work()) == "3"


def test_server_that_is_gone_is_told_as_that(tmp_path: Path) -> None:
    async def work() -> None:
        with run_http_server() as port:
            toolset = create_url_toolset(f"http://127.0.0.1:{port}/mcp", tmp_path)
            tool = await find_tool(toolset, "add")
        async with toolset:
            # Nothing was sent, so the outcome of the call is known.
            with pytest.raises(ToolError, match="cannot be reached") as caught:
                await tool.run(CONTEXT, '{"first": 1, "second": 2}')
        assert not isinstance(caught.value, ToolOutcomeUnknownError)

    asyncio.run(work())


def test_address_that_is_not_granted_is_never_called(tmp_path: Path) -> None:
    server = OddServer()

    with pytest.raises(PermissionDeniedError):
        call_odd(server, tmp_path, permissions={"private_hosts": ()})

    assert server.requests == []


def test_public_name_with_a_private_address_is_never_called(tmp_path: Path) -> None:
    async def lookup(host: str, port: int) -> Sequence[str]:
        return ("127.0.0.1",)

    toolset = create_url_toolset(
        "http://mcp.example.com/mcp",
        tmp_path,
        permissions={"hosts": ("http://mcp.example.com",), "private_hosts": ()},
        lookup=lookup,
    )

    with pytest.raises(PermissionDeniedError, match="private"):
        asyncio.run(toolset.list_tools())


def test_name_that_leads_elsewhere_later_is_not_followed(tmp_path: Path) -> None:
    server = OddServer()
    found = ["127.0.0.1"]

    async def lookup(host: str, port: int) -> Sequence[str]:
        return tuple(found)

    async def work() -> None:
        async with server.serve() as url:
            named = url.replace("127.0.0.1", "mcp.internal")
            async with create_url_toolset(named, tmp_path, lookup=lookup) as toolset:
                tool = await find_tool(toolset, "act")
                assert server.requests[0][1]["Host"].startswith("mcp.internal:")
                found[:] = ["169.254.169.254"]
                with pytest.raises(ToolError, match="local link"):
                    await tool.run(CONTEXT, "{}")

    asyncio.run(work())
    assert server.calls == 0


def test_redirect_to_another_origin_is_not_followed(tmp_path: Path) -> None:
    server, other = OddServer(), OddServer()

    async def work() -> None:
        async with other.serve() as elsewhere, server.serve() as url:

            async def reply(request: web.Request, message: dict[str, Any]) -> web.Response:
                return web.Response(status=307, headers={"Location": elsewhere})

            server.reply = reply
            async with create_url_toolset(url, tmp_path, {"X-Key": SecretRef("TOKEN")}) as toolset:
                tool = await find_tool(toolset, "act")
                with pytest.raises(ToolError, match="not followed"):
                    await tool.run(CONTEXT, "{}")

    asyncio.run(work())
    assert other.requests == []


def test_session_that_the_server_forgot_is_begun_anew(tmp_path: Path) -> None:
    server = OddServer()

    async def reply(request: web.Request, message: dict[str, Any]) -> web.Response:
        if request.headers["Mcp-Session-Id"] == "session-1":
            return web.Response(status=404)
        return server.answer(message, {"content": [{"type": "text", "text": "again"}]})

    server.reply = reply

    assert call_odd(server, tmp_path) == "again"
    assert server.sessions == 2


def test_failure_of_the_server_leaves_the_outcome_unknown(tmp_path: Path) -> None:
    server = OddServer()

    async def reply(request: web.Request, message: dict[str, Any]) -> web.Response:
        return web.Response(status=504, text="gateway")

    server.reply = reply

    with pytest.raises(ToolOutcomeUnknownError, match="HTTP 504"):
        call_odd(server, tmp_path)
    assert server.calls == 1


def test_refusal_of_the_server_is_no_unknown_outcome(tmp_path: Path) -> None:
    server = OddServer()

    async def reply(request: web.Request, message: dict[str, Any]) -> web.Response:
        return web.Response(status=403, text="no")

    server.reply = reply

    with pytest.raises(ToolError, match="HTTP 403") as caught:
        call_odd(server, tmp_path)
    assert not isinstance(caught.value, ToolOutcomeUnknownError)


def test_stream_that_breaks_off_leaves_the_outcome_unknown(tmp_path: Path) -> None:
    server = OddServer()

    async def reply(request: web.Request, message: dict[str, Any]) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b": hello\n\n")
        return response

    server.reply = reply

    with pytest.raises(ToolOutcomeUnknownError):
        call_odd(server, tmp_path)
    assert server.calls == 1


def test_answer_over_http_beyond_every_bound_is_refused(tmp_path: Path) -> None:
    server = OddServer()

    async def reply(request: web.Request, message: dict[str, Any]) -> web.Response:
        text = "a" * (17 * 1024 * 1024)
        return server.answer(message, {"content": [{"type": "text", "text": text}]})

    server.reply = reply

    with pytest.raises(ToolOutcomeUnknownError):
        call_odd(server, tmp_path)
    assert server.calls == 1


def test_compressed_answer_is_refused(tmp_path: Path) -> None:
    server = OddServer()

    async def reply(request: web.Request, message: dict[str, Any]) -> web.Response:
        return web.Response(body=b"\x1f\x8b", headers={"Content-Encoding": "gzip"})

    server.reply = reply

    with pytest.raises(ToolOutcomeUnknownError, match="compressed"):
        call_odd(server, tmp_path)


def test_address_without_a_server_says_what_to_check(tmp_path: Path) -> None:
    async def work() -> None:
        server = OddServer()
        async with server.serve() as url:
            await create_url_toolset(f"{url}/other", tmp_path).list_tools()

    with pytest.raises(ToolError, match="no MCP server at this address"):
        asyncio.run(work())


def test_failed_call_does_not_end_another_of_the_same_session(tmp_path: Path) -> None:
    server = OddServer()
    failed = asyncio.Event()

    async def reply(request: web.Request, message: dict[str, Any]) -> web.Response:
        if server.calls == 1:
            await failed.wait()
            return server.answer(message, {"content": [{"type": "text", "text": "well"}]})
        return web.Response(status=502)

    server.reply = reply

    async def work() -> str:
        async with server.serve() as url, create_url_toolset(url, tmp_path) as toolset:
            tool = await find_tool(toolset, "act")
            first = asyncio.create_task(tool.run(CONTEXT, "{}"))
            await wait_until(lambda: server.calls == 1)
            with pytest.raises(ToolOutcomeUnknownError):
                await tool.run(CONTEXT, "{}")
            failed.set()
            return await first

    assert asyncio.run(work()) == "well"
