from __future__ import annotations

import pytest

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.permissions import Need
from agent_factory.integrations.mcp import HttpServer, SecretRef, StdioServer, find_needs


def test_program_needs_its_command_its_folder_and_its_secrets() -> None:
    server = StdioServer(("files", "--all"), {"KEY": SecretRef("TOKEN"), "MODE": "x"}, "data")

    assert find_needs(server) == (
        Need("commands", "files", ("command", 0)),
        Need("read", "data", ("folder",)),
        Need("secrets", "TOKEN", ("environment", "KEY")),
    )


def test_address_needs_its_host_and_its_secrets() -> None:
    server = HttpServer("https://mcp.example.com/mcp", {"Authorization": SecretRef("TOKEN")})

    assert find_needs(server) == (
        Need("hosts", "https://mcp.example.com:443", ("url",)),
        Need("secrets", "TOKEN", ("headers", "Authorization")),
    )


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://127.0.0.1:8080/mcp", "http://127.0.0.1:8080"),
        ("http://localhost:80/", "http://localhost:80"),
        ("https://[::1]/mcp", "https://[::1]:443"),
    ],
)
def test_address_of_this_machine_needs_a_private_host(url: str, target: str) -> None:
    assert find_needs(HttpServer(url)) == (Need("private_hosts", target, ("url",)),)


@pytest.mark.parametrize(
    "url", ["ftp://example.com", "https://user:hunter2@example.com/", "http://127.1/", "nothing"]
)
def test_address_that_cannot_be_called_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"HttpServer\.url") as caught:
        HttpServer(url)
    assert "hunter2" not in caught.value.message


@pytest.mark.parametrize("name", ["Host", "Mcp-Session-Id", "Accept", "a b", "Content-Type"])
def test_header_that_is_not_for_the_blueprint_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="header"):
        HttpServer("https://example.com", {name: "value"})


def test_header_with_a_line_break_is_refused_without_its_value() -> None:
    with pytest.raises(ConfigurationError) as caught:
        HttpServer("https://example.com", {"X-Key": "hidden\r\nHost: other"})
    assert "hidden" not in caught.value.message


@pytest.mark.parametrize("command", [(), ("",), (" ",), ("a\0b",), "a text"])
def test_command_that_cannot_be_run_is_refused(command: tuple[str, ...]) -> None:
    with pytest.raises(ConfigurationError, match="command"):
        StdioServer(command)


@pytest.mark.parametrize("name", ["", "1A", "A=B", "A B", "A\n"])
def test_name_of_no_environment_variable_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="environment"):
        StdioServer(("files",), {name: "value"})


def test_secret_without_a_name_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="name"):
        SecretRef(" ")
