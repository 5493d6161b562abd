"""Calls a tool as an agent does: with JSON in and JSON out."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from agent_factory.core.tools import Tool, ToolContext

__all__ = ["call_tool"]


def call_tool(tool: Tool[object], **arguments: object) -> Any:
    context = ToolContext(deps=None, run_id="run", call_id="call")
    return json.loads(asyncio.run(tool.run(context, json.dumps(arguments))))
