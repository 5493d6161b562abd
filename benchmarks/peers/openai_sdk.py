"""The ``openai`` package with a loop written by hand: what all the others are compared with."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from openai import AsyncOpenAI

from benchmarks.answers import ADD_ONE
from benchmarks.peers.base import ADDER, INSTRUCTIONS, KEY, MODEL, PROMPT

__all__ = ["create"]

TOOL: Any = {
    "type": "function",
    "function": {"name": "add", "description": "Return the sum.", "parameters": ADD_ONE},
}


async def run_tool(call: Any) -> dict[str, Any]:
    """Return the tool message for a call."""
    arguments = json.loads(call.function.arguments)
    result = ADDER.add(arguments["a"], arguments["b"])
    return {"role": "tool", "tool_call_id": call.id, "content": str(result)}


class Sdk:
    """The SDK's client."""

    def __init__(self, url: str) -> None:
        self._client = AsyncOpenAI(api_key=KEY, base_url=url)

    def _messages(self) -> list[Any]:
        return [
            {"role": "system", "content": INSTRUCTIONS},
            {"role": "user", "content": PROMPT},
        ]

    async def ask(self) -> str:
        """Ask once."""
        answer = await self._client.chat.completions.create(model=MODEL, messages=self._messages())
        return answer.choices[0].message.content or ""

    async def call_tools(self) -> str:
        """Ask until there are no more tool calls."""
        messages = self._messages()
        while True:
            answer = await self._client.chat.completions.create(
                model=MODEL, messages=messages, tools=[TOOL]
            )
            message = answer.choices[0].message
            if not message.tool_calls:
                return message.content or ""
            messages.append(message)
            messages += await asyncio.gather(*map(run_tool, message.tool_calls))

    async def stream(self) -> str:
        """Ask for a stream."""
        pieces = []
        stream = await self._client.chat.completions.create(
            model=MODEL,
            messages=self._messages(),
            stream=True,
            stream_options={"include_usage": True},
        )
        async for chunk in stream:
            if chunk.choices and chunk.choices[0].delta.content:
                pieces.append(chunk.choices[0].delta.content)
        return "".join(pieces)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()


def create(url: str) -> Sdk:
    """Return the client of a server."""
    return Sdk(url)
