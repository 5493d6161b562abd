"""Tools with which a model uses a long-term memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, TypeVar

from pydantic import Field

from agent_factory.core.memory.ports import LongTermMemory, MemoryScope
from agent_factory.core.tools import Tool, ToolContext, tool

__all__ = ["create_memory_tools"]

D = TypeVar("D")

_Fact = Annotated[str, Field(pattern=r"\S", max_length=4000)]
_Limit = Annotated[int, Field(ge=1, le=20)]


def create_memory_tools(
    memory: LongTermMemory, *, scope: Callable[[ToolContext[D]], MemoryScope]
) -> tuple[Tool[D], ...]:
    """Make the tools ``remember``, ``recall`` and ``forget``.

    ```python
    def find_scope(context: ToolContext[User]) -> MemoryScope:
        return MemoryScope(context.deps.tenant, context.deps.name)

    tools = create_memory_tools(memory, scope=find_scope)
    ```

    Args:
        memory: Where it is remembered.
        scope: Says whose memory a run may use; called for each call of a tool. The model has no say in it.

    Returns:
        The tools, in this order: ``remember`` and ``forget`` have the effect ``idempotent``, ``recall`` has ``read``.
    """

    async def remember(context: ToolContext[D], text: _Fact) -> dict[str, str]:
        """Remember a fact for later conversations.

        Args:
            context: The run that calls.
            text: One fact, in words that are understood without this conversation.
        """
        item = await memory.remember(scope(context), text)
        return {"id": item.id, "text": item.text}

    async def recall(
        context: ToolContext[D], query: str, limit: _Limit = 5
    ) -> list[dict[str, str]]:
        """Look up what was remembered in earlier conversations.

        Args:
            context: The run that calls.
            query: Words to look for; empty for what was remembered last.
            limit: How many facts at most.
        """
        items = await memory.recall(scope(context), query, limit=limit)
        return [
            {"id": item.id, "text": item.text, "remembered": f"{item.created_at:%Y-%m-%d}"}
            for item in items
        ]

    async def forget(context: ToolContext[D], item_id: str) -> str:
        """Forget a fact that is wrong, out of date or no longer wanted.

        Args:
            context: The run that calls.
            item_id: The fact's id, as recall and remember return it.
        """
        if await memory.forget(scope(context), item_id):
            return "forgotten"
        return "nothing is remembered under this id"

    return (
        tool(remember, effect="idempotent"),
        tool(recall, effect="read"),
        tool(forget, effect="idempotent"),
    )
