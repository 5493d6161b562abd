from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agent_factory.core.context import RunContext
from agent_factory.core.exceptions import ConfigurationError, PermissionDeniedError
from agent_factory.core.tools import Tool
from agent_factory.integrations.openapi import OpenApiAuthentication, create_openapi_toolset
from tests.integrations.http.granting import create_grant, create_lookup
from tests.integrations.openapi.documents import PETS, create_document
from tests.integrations.tools.calling import call_tool


def create_tools(document: dict[str, Any], *hosts: str, **options: Any) -> tuple[Tool[object], ...]:
    grant = create_grant(*hosts, secrets={"KEY": "hunter2-hunter2"})
    toolset = create_openapi_toolset(document, grant=grant, **options)
    context: RunContext[object] = RunContext(None, "run", "agent", "prompt")
    return asyncio.run(toolset.list_tools(context))


def test_each_operation_becomes_a_tool() -> None:
    tools = create_tools(PETS, "eu.example.com")
    assert [(item.name, item.effect) for item in tools] == [
        ("listPets", "read"),
        ("pets_create", "once"),
        ("get_pets_id", "read"),
        ("replacePet", "idempotent"),
        ("deletePet", "idempotent"),
    ]


def test_only_the_operations_that_are_listed_become_tools() -> None:
    tools = create_tools(PETS, "eu.example.com", operations=["deletePet"])
    assert [item.name for item in tools] == ["deletePet"]
    assert create_tools(PETS, "eu.example.com", operations=[]) == ()


def test_a_server_that_is_not_granted_is_refused_at_once() -> None:
    with pytest.raises(PermissionDeniedError, match=r"eu\.example\.com"):
        create_tools(PETS, "other.example.com")


def test_a_server_with_a_private_address_is_refused_when_it_is_called() -> None:
    (tool,) = create_tools(
        PETS,
        "eu.example.com",
        operations=["deletePet"],
        lookup=create_lookup({"eu.example.com": ["169.254.169.254"]}),
    )
    with pytest.raises(PermissionDeniedError, match="local link"):
        call_tool(tool, id="5")


@pytest.mark.parametrize(
    ("server", "reason"),
    [
        ("ftp://example.com", "only http and https"),
        ("https://user:hunter2@example.com", "user or a password"),
        ("https://example.com/?a=b", "no '\\?'"),
        ("https://example.com/#a", "no '#'|no '\\?' and no '#'"),
        ("http://127.1/", "number"),
        ("/v1", "only http and https"),
    ],
)
def test_another_server_is_refused(server: str, reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason) as caught:
        create_tools(PETS, "*", server=server)
    assert "hunter2" not in caught.value.message


@pytest.mark.parametrize(
    "change",
    [
        {"servers": []},
        {"servers": [{"url": "/v1"}]},
        {"servers": [{"url": 5}]},
        {"servers": [{"url": "https://{region}.example.com"}]},
        {"servers": ["https://example.com"]},
        {"servers": {}},
    ],
)
def test_a_document_without_a_server_that_can_be_called_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        create_tools(create_document() | change, "*")
    assert create_tools(create_document() | change, "*", server="https://example.com/")


def test_an_operation_with_a_server_of_its_own_needs_to_be_told_the_server() -> None:
    document = create_document(servers=[{"url": "https://other.example.com"}])
    with pytest.raises(ConfigurationError, match="servers of its own"):
        create_tools(document, "*")


def test_the_model_does_not_set_what_authentication_sets() -> None:
    document = create_document(
        parameters=[{"name": "api_key", "in": "query"}, {"name": "X-Key", "in": "header"}]
    )
    for authentication, left in [
        (OpenApiAuthentication("query", "KEY", "api_key"), ["X-Key"]),
        (OpenApiAuthentication("header", "KEY", "x-key"), ["api_key"]),
        (OpenApiAuthentication("bearer", "KEY"), ["api_key", "X-Key"]),
    ]:
        (tool,) = create_tools(document, "*", authentication=authentication)
        assert list(tool.spec.parameters["properties"]) == left


def test_a_secret_that_is_not_granted_is_refused_at_once() -> None:
    with pytest.raises(PermissionDeniedError, match="OTHER"):
        create_tools(PETS, "*", authentication=OpenApiAuthentication("bearer", "OTHER"))


@pytest.mark.parametrize(
    "arguments",
    [
        ("cookie", "KEY"),
        ("bearer", ""),
        ("bearer", "KEY", "name"),
        ("header", "KEY"),
        ("header", "KEY", "A b"),
        ("header", "KEY", "Host"),
        ("query", "KEY"),
        ("query", "KEY", "name", "user"),
        ("basic", "KEY"),
        ("basic", "KEY", "", "a:b"),
    ],
)
def test_authentication_that_cannot_work_is_refused(arguments: tuple[Any, ...]) -> None:
    with pytest.raises(ConfigurationError):
        OpenApiAuthentication(*arguments)


@pytest.mark.parametrize("numbers", [{"timeout": 0}, {"max_bytes": 0}, {"max_characters": 0}])
def test_numbers_out_of_their_range_are_refused(numbers: dict[str, int]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(numbers))):
        create_tools(PETS, "*", **numbers)
