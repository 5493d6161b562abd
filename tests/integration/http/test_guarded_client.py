from __future__ import annotations

import asyncio
import gzip
import json
import shutil
import ssl
import subprocess
from collections.abc import Sequence

import pytest
from aiohttp import web

from agent_factory.core.exceptions import (
    PermissionDeniedError,
    ToolError,
    ToolOutcomeUnknownError,
    ToolTimeoutError,
)
from agent_factory.core.permissions import Grant
from agent_factory.integrations.http import GuardedClient, HttpAnswer, HttpRequest
from agent_factory.integrations.http.connecting import create_session
from agent_factory.integrations.http.resolving import Route
from tests.integration.http.servers import serve, serve_bytes
from tests.integrations.http.granting import create_grant, create_lookup

pytestmark = pytest.mark.integration


async def echo(request: web.BaseRequest) -> web.StreamResponse:
    return web.json_response(
        {
            "method": request.method,
            "path": request.raw_path,
            "headers": {name.lower(): value for name, value in request.headers.items()},
            "body": await request.text(),
        }
    )


def redirect(location: str, status: int = 302) -> web.Response:
    return web.Response(status=status, headers={"Location": location, "Set-Cookie": "a=b"})


async def get(grant: Grant, url: str, **request: object) -> HttpAnswer:
    return await GuardedClient(grant, timeout=20).send(HttpRequest("GET", url, **request))  # type: ignore[arg-type]


def test_a_granted_private_host_is_called() -> None:
    async def run() -> HttpAnswer:
        async with serve(echo) as port:
            grant = create_grant(private=[f"http://127.0.0.1:{port}"])
            return await get(grant, f"http://127.0.0.1:{port}/a?b=c", headers={"X-A": "b"})

    answer = asyncio.run(run())
    told = json.loads(answer.body)
    assert (answer.status, answer.content_type, answer.charset) == (
        200,
        "application/json",
        "utf-8",
    )
    assert told["path"] == "/a?b=c"
    assert told["headers"]["x-a"] == "b"
    assert "cookie" not in told["headers"]


def test_a_name_is_looked_up_once_and_its_address_is_the_one_that_is_called() -> None:
    asked: list[str] = []

    async def run() -> HttpAnswer:
        async with serve(echo) as port:
            grant = create_grant(private=[f"http://app.example:{port}"])
            lookup = create_lookup({"app.example": ["127.0.0.1"]}, asked)
            client = GuardedClient(grant, lookup=lookup)
            return await client.send(HttpRequest("GET", f"http://app.example:{port}/"))

    answer = asyncio.run(run())
    assert asked == ["app.example"]
    assert json.loads(answer.body)["headers"]["host"].startswith("app.example:")


def test_a_name_is_looked_up_as_the_system_does() -> None:
    async def run(*, private: bool) -> HttpAnswer:
        async with serve(echo) as port:
            server = f"http://localhost:{port}"
            grant = create_grant(private=[server]) if private else create_grant(server)
            return await get(grant, f"{server}/")

    assert asyncio.run(run(private=True)).status == 200
    with pytest.raises(PermissionDeniedError, match="leads to a private address"):
        asyncio.run(run(private=False))


def test_a_name_that_does_not_exist_is_told() -> None:
    with pytest.raises(ToolError, match="cannot be resolved"):
        asyncio.run(get(create_grant("nothing.invalid"), "https://nothing.invalid/"))


def test_a_name_that_changes_its_address_meanwhile_is_refused() -> None:
    answers = [["127.0.0.1"], ["169.254.169.254"]]

    async def rebind(host: str, port: int) -> Sequence[str]:
        return answers.pop(0)

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        return redirect("/again") if request.path == "/" else await echo(request)

    async def run() -> None:
        async with serve(handle) as port:
            grant = create_grant(private=[f"http://app.example:{port}"])
            client = GuardedClient(grant, lookup=rebind)
            await client.send(HttpRequest("GET", f"http://app.example:{port}/"))

    with pytest.raises(PermissionDeniedError, match="local link"):
        asyncio.run(run())
    assert answers == []


def test_environment_proxies_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> int:
        async with serve(echo) as port, serve_bytes(b"HTTP/1.1 418 I\r\n\r\n") as proxy:
            for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
                monkeypatch.setenv(name, f"http://127.0.0.1:{proxy}")
            monkeypatch.setenv("no_proxy", "")
            grant = create_grant(private=[f"http://127.0.0.1:{port}"])
            return (await get(grant, f"http://127.0.0.1:{port}/")).status

    assert asyncio.run(run()) == 200


@pytest.mark.parametrize(
    ("location", "error", "reason"),
    [
        ("http://127.0.0.1:1/", PermissionDeniedError, "redirects to an address"),
        (
            "http://169.254.169.254/latest/meta-data",
            PermissionDeniedError,
            "redirects to an address",
        ),
        ("https://other.example/", PermissionDeniedError, "redirects to an address"),
        ("//evil.example/", PermissionDeniedError, "redirects to an address"),
        ("https://inner.example/", PermissionDeniedError, "leads to a private address"),
        ("http://2130706433/", ToolError, "number"),
        ("http://user:pw@127.0.0.1/", ToolError, "user or a password"),
        ("file:///etc/passwd", ToolError, "only http and https"),
        ("javascript:alert(1)", ToolError, "only http and https"),
    ],
)
def test_a_redirect_is_checked_like_a_url(
    location: str, error: type[ToolError], reason: str
) -> None:
    async def handle(_: web.BaseRequest) -> web.StreamResponse:
        return redirect(location)

    async def run() -> None:
        async with serve(handle) as port:
            grant = create_grant("inner.example", private=[f"http://127.0.0.1:{port}"])
            client = GuardedClient(grant, lookup=create_lookup({"inner.example": ["10.1.2.3"]}))
            await client.send(HttpRequest("GET", f"http://127.0.0.1:{port}/"))

    with pytest.raises(error, match=reason):
        asyncio.run(run())


def test_redirects_have_an_end() -> None:
    async def handle(_: web.BaseRequest) -> web.StreamResponse:
        return redirect("/again")

    async def run(most: int) -> HttpAnswer:
        async with serve(handle) as port:
            grant = create_grant(private=[f"http://127.0.0.1:{port}"])
            client = GuardedClient(grant, max_redirects=most)
            return await client.send(HttpRequest("GET", f"http://127.0.0.1:{port}/"))

    with pytest.raises(ToolError, match="more than 3 times"):
        asyncio.run(run(3))
    assert asyncio.run(run(0)).status == 302


@pytest.mark.parametrize(
    ("status", "method", "expected", "has_body"),
    [
        (301, "POST", "GET", False),
        (302, "POST", "GET", False),
        (303, "POST", "GET", False),
        (303, "PUT", "GET", False),
        (301, "PUT", "PUT", True),
        (307, "POST", "POST", True),
        (308, "PUT", "PUT", True),
    ],
)
def test_the_method_after_a_redirect_is_the_one_of_the_standard(
    status: int, method: str, expected: str, has_body: bool
) -> None:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        return redirect("/there", status) if request.path == "/" else await echo(request)

    async def run() -> HttpAnswer:
        async with serve(handle) as port:
            grant = create_grant(private=[f"http://127.0.0.1:{port}"])
            return await GuardedClient(grant).send(
                HttpRequest(
                    method, f"http://127.0.0.1:{port}/", {"Content-Type": "text/plain"}, b"text"
                )
            )

    told = json.loads(asyncio.run(run()).body)
    assert told["method"] == expected
    assert (told["body"] == "text") is has_body
    assert ("content-type" in told["headers"]) is has_body


@pytest.mark.parametrize("same", [True, False])
def test_secrets_go_along_to_the_same_origin_only(same: bool) -> None:
    async def run() -> HttpAnswer:
        async with serve(echo) as other:

            async def handle(request: web.BaseRequest) -> web.StreamResponse:
                if request.path == "/":
                    return redirect("/there" if same else f"http://127.0.0.1:{other}/there")
                return await echo(request)

            async with serve(handle) as port:
                grant = create_grant(
                    private=[f"http://127.0.0.1:{port}", f"http://127.0.0.1:{other}"]
                )
                return await get(
                    grant,
                    f"http://127.0.0.1:{port}/",
                    headers={"Authorization": "mine", "X-Plain": "a"},
                    secret_headers={"X-Key": "hunter2-hunter2"},
                )

    headers = json.loads(asyncio.run(run()).body)["headers"]
    assert headers["x-plain"] == "a"
    assert ("x-key" in headers) is same
    assert ("authorization" in headers) is same


def test_a_redirect_that_hands_a_secret_to_somebody_else_is_refused() -> None:
    async def run() -> None:
        async with serve(echo) as other:

            async def handle(request: web.BaseRequest) -> web.StreamResponse:
                return redirect(f"http://127.0.0.1:{other}/?{request.raw_path.partition('?')[2]}")

            async with serve(handle) as port:
                grant = create_grant(
                    private=[f"http://127.0.0.1:{port}", f"http://127.0.0.1:{other}"]
                )
                await get(
                    grant, f"http://127.0.0.1:{port}/", secret_query={"key": "hunter2 hunter2"}
                )

    with pytest.raises(ToolError, match="with a secret in the URL") as caught:
        asyncio.run(run())
    assert "hunter2" not in caught.value.message


def test_no_secret_comes_back() -> None:
    async def run() -> HttpAnswer:
        async with serve(echo) as port:
            grant = create_grant(private=[f"http://127.0.0.1:{port}"])
            return await get(
                grant,
                f"http://127.0.0.1:{port}/",
                secret_headers={"Authorization": "Basic aGVsbG86d29ybGQ="},
                secret_query={"key": "hunter2/hunter2"},
            )

    answer = asyncio.run(run())
    assert answer.url.endswith("/?key=[secret]") or "%5Bsecret%5D" in answer.url
    told = json.loads(answer.body)
    assert told["headers"]["authorization"] == "[secret]"
    assert "hunter2" not in answer.body.decode()


def test_a_secret_that_is_cut_off_by_the_bound_is_hidden_too() -> None:
    async def handle(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text="key=hunter2-hunter2 and more")

    async def run() -> HttpAnswer:
        async with serve(handle) as port:
            grant = create_grant(private=[f"http://127.0.0.1:{port}"])
            return await GuardedClient(grant, max_bytes=12).send(
                HttpRequest(
                    "GET", f"http://127.0.0.1:{port}/", secret_headers={"A": "hunter2-hunter2"}
                )
            )

    answer = asyncio.run(run())
    assert (answer.body, answer.truncated) == (b"key=[secret]", True)


def test_cookies_are_not_kept() -> None:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        return redirect("/there") if request.path == "/" else await echo(request)

    async def run() -> HttpAnswer:
        async with serve(handle) as port:
            grant = create_grant(private=[f"http://127.0.0.1:{port}"])
            await get(grant, f"http://127.0.0.1:{port}/")
            return await get(grant, f"http://127.0.0.1:{port}/")

    assert "cookie" not in json.loads(asyncio.run(run()).body)["headers"]


async def call_bytes(
    *pieces: bytes,
    wait: bool = False,
    method: str = "GET",
    max_bytes: int = 1000,
    timeout: float = 20,
) -> HttpAnswer:
    async with serve_bytes(*pieces, wait=wait) as port:
        grant = create_grant(private=[f"http://127.0.0.1:{port}"])
        client = GuardedClient(grant, max_bytes=max_bytes, timeout=timeout)
        return await client.send(HttpRequest(method, f"http://127.0.0.1:{port}/"))


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"


def test_a_bomb_is_read_up_to_the_bound() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    head = HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    answer = asyncio.run(call_bytes(head, bomb))
    assert (len(answer.body), answer.truncated) == (1000, True)


def test_an_endless_body_is_read_up_to_the_bound() -> None:
    answer = asyncio.run(call_bytes(HEAD + b"\r\n", *[b"x" * 1000] * 50, wait=True))
    assert (len(answer.body), answer.truncated) == (1000, True)


@pytest.mark.parametrize(
    "pieces",
    [
        (b"",),
        (b"HTTP/1.1 200 OK\r\nA: b",),
        (HEAD + b"Content-Length: 100\r\n\r\nfew",),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhel",),
        (b"HTTP/1.1 102 Processing\r\n\r\n" * 3,),
    ],
)
def test_a_server_that_never_ends_is_given_up(pieces: tuple[bytes, ...]) -> None:
    with pytest.raises(ToolTimeoutError, match="did not answer in full"):
        asyncio.run(call_bytes(*pieces, wait=True, timeout=0.2))


@pytest.mark.parametrize(
    "piece",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: " + b"b" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 " + b"b" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 100_000 + b"\r\n",
        HEAD + b"Content-Length: 10\r\n\r\nfew",
        HEAD + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nfew",
        HEAD + b"Content-Length: -3\r\n\r\nfew",
        HEAD + b"Content-Length: 3\r\n\r\nmore",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nhello",
        HEAD + b"Content-Encoding: br\r\nContent-Length: 3\r\n\r\nfew",
        HEAD + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nfew",
    ],
)
def test_an_answer_that_is_none_is_told_without_quoting_it(piece: bytes) -> None:
    with pytest.raises(ToolError) as caught:
        asyncio.run(call_bytes(piece))
    assert len(caught.value.message) < 300
    assert not isinstance(caught.value, ToolTimeoutError)


def test_after_a_request_that_may_have_changed_something_the_outcome_is_unknown() -> None:
    with pytest.raises(ToolOutcomeUnknownError, match="request was sent before that"):
        asyncio.run(call_bytes(HEAD + b"Content-Length: 10\r\n\r\nfew", method="POST"))
    head = (
        b"HTTP/1.1 303 See Other\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"
    )
    with pytest.raises(ToolOutcomeUnknownError, match="not permitted"):
        asyncio.run(call_bytes(head, method="POST"))


def test_a_server_that_does_not_listen_is_told() -> None:
    async def run() -> None:
        async with serve(echo) as port:
            pass
        grant = create_grant(private=[f"http://127.0.0.1:{port}"])
        await GuardedClient(grant).send(HttpRequest("POST", f"http://127.0.0.1:{port}/"))

    with pytest.raises(ToolError, match="cannot be reached") as caught:
        asyncio.run(run())
    # Nothing was sent, so nothing is in doubt.
    assert not isinstance(caught.value, ToolOutcomeUnknownError)


@pytest.mark.parametrize("status", [400, 404, 500, 503])
def test_a_bad_status_is_an_answer(status: int) -> None:
    head = b"HTTP/1.1 %d X\r\nContent-Length: 3\r\n\r\nwhy" % status
    answer = asyncio.run(call_bytes(head))
    assert (answer.status, answer.body) == (status, b"why")


def test_a_server_without_tls_is_no_https_server() -> None:
    async def run() -> None:
        async with serve(echo) as port:
            grant = create_grant(private=[f"127.0.0.1:{port}"])
            await get(grant, f"https://127.0.0.1:{port}/")

    with pytest.raises(ToolError, match=r"cannot be reached|connection"):
        asyncio.run(run())


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("makes a certificate with openssl")
    folder = tmp_path_factory.mktemp("tls")
    made = "-keyout key.pem -out cert.pem -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1"
    subprocess.run(
        [program, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *made.split()],
        cwd=folder,
        check=True,
        capture_output=True,
        timeout=60,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


def test_a_certificate_that_nobody_vouches_for_is_refused_before_anything_is_sent(
    certificate: ssl.SSLContext,
) -> None:
    seen: list[str] = []

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        seen.append(request.raw_path)
        return await echo(request)

    async def run() -> None:
        async with serve(handle, tls=certificate) as port:
            grant = create_grant(private=[f"127.0.0.1:{port}"])
            client = GuardedClient(grant)
            await client.send(HttpRequest("POST", f"https://127.0.0.1:{port}/"))

    with pytest.raises(ToolError, match=r"certificate of https://127\.0\.0\.1:\d+ is not trusted"):
        asyncio.run(run())
    assert seen == []


def test_no_connection_is_made_to_an_address_that_was_not_checked() -> None:
    seen: list[str] = []

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        seen.append(request.raw_path)
        return await echo(request)

    async def run() -> None:
        async with serve(handle) as port:
            # The library asks nobody about an address that stands in a URL.
            session = create_session(Route(("93.184.216.34",)), lambda: seen.append("sending"))
            async with session:
                await session.get(f"http://127.0.0.1:{port}/")

    with pytest.raises(ToolError, match="another address than was checked"):
        asyncio.run(run())
    assert seen == []
