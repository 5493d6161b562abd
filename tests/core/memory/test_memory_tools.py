from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from agent_factory.core.context import ToolContext
from agent_factory.core.exceptions import ToolArgumentsError
from agent_factory.core.memory import InMemoryLongTermMemory, MemoryScope, create_memory_tools

if TYPE_CHECKING:
    from agent_factory.core.tools import Tool


@dataclass(frozen=True)
class User:
    tenant: str
    name: str


def get_scope(context: ToolContext[User]) -> MemoryScope:
    return MemoryScope(context.deps.tenant, context.deps.name)


def create() -> dict[str, Tool[User]]:
    tools = create_memory_tools(InMemoryLongTermMemory(), scope=get_scope)
    return {tool.name: tool for tool in tools}


def call(tool: Tool[User], user: User = User("acme", "ada"), **arguments: object) -> str:
    context = ToolContext(deps=user, run_id="run-1", call_id="call-1")
    return asyncio.run(tool.run(context, json.dumps(arguments)))


def test_tools_say_what_they_do_to_the_world() -> None:
    assert [(name, tool.effect) for name, tool in create().items()] == [
        ("remember", "idempotent"),
        ("recall", "read"),
        ("forget", "idempotent"),
    ]


def test_model_is_told_of_no_scope() -> None:
    parameters = {name: list(tool.spec.parameters["properties"]) for name, tool in create().items()}

    assert parameters == {
        "remember": ["text"],
        "recall": ["query", "limit"],
        "forget": ["item_id"],
    }


def test_every_tool_and_parameter_is_described() -> None:
    for tool in create().values():
        assert tool.spec.description
        assert all(item["description"] for item in tool.spec.parameters["properties"].values())


def test_fact_is_remembered_recalled_and_forgotten() -> None:
    tools = create()
    kept = json.loads(call(tools["remember"], text="Ada drinks tea."))
    (found,) = json.loads(call(tools["recall"], query="tea"))

    assert (found["id"], found["text"]) == (kept["id"], "Ada drinks tea.")
    assert call(tools["forget"], item_id=kept["id"]) == "forgotten"
    assert call(tools["forget"], item_id=kept["id"]) == "nothing is remembered under this id"
    assert call(tools["recall"], query="tea") == "[]"


def test_empty_query_recalls_the_newest() -> None:
    tools = create()
    for text in ("first", "second"):
        call(tools["remember"], text=text)

    assert [item["text"] for item in json.loads(call(tools["recall"], query="", limit=1))] == [
        "second"
    ]


@pytest.mark.parametrize("other", [User("acme", "bob"), User("umbrella", "ada")])
def test_run_of_another_user_sees_and_forgets_nothing(other: User) -> None:
    tools = create()
    kept = json.loads(call(tools["remember"], text="Ada drinks tea."))

    assert call(tools["recall"], other, query="tea") == "[]"
    assert call(tools["forget"], other, item_id=kept["id"]) != "forgotten"
    assert call(tools["recall"], query="tea") != "[]"


def test_scope_in_the_arguments_is_refused() -> None:
    with pytest.raises(ToolArgumentsError, match="scope"):
        call(create()["recall"], query="tea", scope="umbrella")


@pytest.mark.parametrize("text", ["", " \n", "x" * 4001])
def test_model_is_told_that_a_text_cannot_be_remembered(text: str) -> None:
    with pytest.raises(ToolArgumentsError, match="text"):
        call(create()["remember"], text=text)


@pytest.mark.parametrize("limit", [0, 21])
def test_model_is_told_how_many_it_may_recall(limit: int) -> None:
    with pytest.raises(ToolArgumentsError, match="limit"):
        call(create()["recall"], query="tea", limit=limit)
