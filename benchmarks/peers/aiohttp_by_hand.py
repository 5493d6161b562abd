"""The same work over aiohttp, by hand: what a framework could cost at the least."""

from __future__ import annotations

import json
from typing import Any

import aiohttp

from benchmarks.answers import ADD_ONE
from benchmarks.peers.base import ADDER, INSTRUCTIONS, KEY, MODEL, PROMPT

__all__ = ["create"]

TOOL = {
    "type": "function",
    "function": {"name": "add", "description": "Return the sum.", "parameters": ADD_ONE},
}


class ByHand:
    """An aiohttp session."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/chat/completions"
        self._session: aiohttp.ClientSession | None = None

    def _post(self, body: dict[str, Any]) -> Any:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None),
            )
        data = json.dumps({"model": MODEL, **body}).encode()
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
        return self._session.post(self._url, data=data, headers=headers)

    def _messages(self) -> list[dict[str, Any]]:
        return [
            {"role": "system", "content": INSTRUCTIONS},
            {"role": "user", "content": PROMPT},
        ]

    async def ask(self) -> str:
        """Ask once."""
        async with self._post({"messages": self._messages()}) as response:
            body = json.loads(await response.read())
        return str(body["choices"][0]["message"]["content"])

    async def call_tools(self) -> str:
        """Ask until there are no more tool calls."""
        messages = self._messages()
        while True:
            async with self._post({"messages": messages, "tools": [TOOL]}) as response:
                body = json.loads(await response.read())
            message = body["choices"][0]["message"]
            calls = message.get("tool_calls")
            if not calls:
                return str(message["content"])
            messages.append(message)
            for call in calls:
                arguments = json.loads(call["function"]["arguments"])
                result = ADDER.add(arguments["a"], arguments["b"])
                messages.append(
                    {"role": "tool", "tool_call_id": call["id"], "content": str(result)}
                )

    async def stream(self) -> str:
        """Ask for a stream."""
        pieces = []
        body = {"messages": self._messages(), "stream": True}
        rest = b""
        async with self._post(body) as response:
            async for data in response.content.iter_any():
                *events, rest = (rest + data).split(b"\n\n")
                for event in events:
                    if event.startswith(b"data: {"):
                        choices = json.loads(event[6:])["choices"]
                        if choices and (text := choices[0]["delta"].get("content")):
                            pieces.append(text)
        return "".join(pieces)

    async def aclose(self) -> None:
        """Close the session."""
        if self._session is not None:
            await self._session.close()


def create(url: str) -> ByHand:
    """Return the client of a server."""
    return ByHand(url)
