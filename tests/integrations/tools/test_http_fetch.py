from __future__ import annotations

import pytest
from pydantic import ValidationError

from agent_factory.core.exceptions import (
    ConfigurationError,
    PermissionDeniedError,
    ToolArgumentsError,
    ToolError,
)
from agent_factory.core.permissions import Need
from agent_factory.core.registry import ToolEnvironment
from agent_factory.integrations.tools.http_fetch import (
    HttpFetchOptions,
    create_http_fetch,
    create_http_fetch_entry,
)
from tests.integrations.http.granting import create_grant, create_lookup
from tests.integrations.tools.calling import call_tool


def read_options(**options: object) -> HttpFetchOptions:
    return HttpFetchOptions.model_validate(options)


def test_without_options_it_only_reads() -> None:
    tool = create_http_fetch(create_grant())
    assert (tool.name, tool.effect) == ("http_fetch", "read")
    properties = tool.spec.parameters["properties"]
    assert properties["method"]["enum"] == ["GET", "HEAD"]
    assert "body" not in properties
    assert "Content-Type" not in properties["headers"]["properties"]
    assert all(item["description"] for item in properties.values())


def test_a_method_that_may_change_something_makes_its_effect_once() -> None:
    tool = create_http_fetch(create_grant(), read_options(methods=["GET", "POST"]))
    assert tool.effect == "once"
    assert "body" in tool.spec.parameters["properties"]


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"url": 5},
        {"url": "https://example.com/", "method": "POST"},
        {"url": "https://example.com/", "method": "get"},
        {"url": "https://example.com/", "body": "x"},
        {"url": "https://example.com/", "headers": {"Authorization": "x"}},
        {"url": "https://example.com/", "headers": {"Host": "x"}},
        {"url": "https://example.com/", "headers": {"Accept": "a\r\nHost: b"}},
        {"url": "https://example.com/", "headers": {"Accept": ""}},
        {"url": "https://example.com/" + "a" * 9000},
        {"url": "https://example.com/", "timeout": 5},
    ],
)
def test_other_arguments_are_refused(arguments: dict[str, object]) -> None:
    with pytest.raises(ToolArgumentsError):
        call_tool(create_http_fetch(create_grant("example.com")), **arguments)


def test_a_body_needs_a_method_that_has_one() -> None:
    tool = create_http_fetch(create_grant("example.com"), read_options(methods=["GET", "POST"]))
    with pytest.raises(ToolArgumentsError, match="GET has no body"):
        call_tool(tool, url="https://example.com/", body="x")


def test_a_host_that_is_not_granted_is_refused() -> None:
    with pytest.raises(PermissionDeniedError, match=r"permissions\.hosts") as caught:
        call_tool(create_http_fetch(create_grant("example.com")), url="https://other.example/")
    assert caught.value.tool == "http_fetch"


def test_a_private_address_behind_a_granted_name_is_refused() -> None:
    lookup = create_lookup({"example.com": ["10.0.0.1"]})
    tool = create_http_fetch(create_grant("example.com"), lookup=lookup)
    with pytest.raises(PermissionDeniedError, match="private address"):
        call_tool(tool, url="https://example.com/")


def test_a_url_that_is_none_is_told() -> None:
    with pytest.raises(ToolError, match="only http and https"):
        call_tool(create_http_fetch(create_grant("example.com")), url="file:///etc/passwd")


def test_a_secret_that_is_not_granted_is_refused_at_once() -> None:
    options = read_options(headers={"X-Key": {"secret": "KEY"}}, secret_hosts=["example.com"])
    with pytest.raises(PermissionDeniedError, match="KEY"):
        create_http_fetch(create_grant("example.com"), options)


def test_a_secret_without_hosts_that_get_it_is_refused() -> None:
    options = read_options(headers={"X-Key": {"secret": "KEY"}})
    with pytest.raises(ConfigurationError, match="secret_hosts"):
        create_http_fetch(create_grant("example.com", secrets={"KEY": "hunter2"}), options)


def test_the_entry_needs_the_secrets_that_its_options_name() -> None:
    entry = create_http_fetch_entry()
    options = entry.options.model_validate(
        {"headers": {"A": "b", "X-Key": {"secret": "KEY", "prefix": "Bearer "}}}
    )
    assert entry.needs(options) == (Need("secrets", "KEY", ("headers", "X-Key", "secret")),)


def test_the_entry_makes_the_tool() -> None:
    entry = create_http_fetch_entry()
    grant = create_grant("example.com")
    tool = entry.create(entry.options(), ToolEnvironment(grant.folder, grant))
    assert tool.name == entry.name


@pytest.mark.parametrize(
    "options",
    [
        {"unknown": 1},
        {"methods": []},
        {"methods": ["TRACE"]},
        {"methods": ["get"]},
        {"headers": {"Host": "a"}},
        {"headers": {"A b": "c"}},
        {"headers": {"A": "b\nC: d"}},
        {"headers": {"A": "b", "a": "c"}},
        {"headers": {"A": {"secret": ""}}},
        {"headers": {"A": {"secret": "B", "prefix": "\n"}}},
        {"headers": {"A": {"secret": "B", "more": 1}}},
        {"secret_hosts": ["https://example.com/path"]},
        {"content_types": ["image/png"]},
        {"max_bytes": 0},
        {"max_bytes": 1 << 30},
        {"timeout": 0},
        {"timeout": float("nan")},
        {"max_redirects": 100},
    ],
)
def test_other_options_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        HttpFetchOptions.model_validate(options)
