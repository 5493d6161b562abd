"""Results of MCP tools as text for a model."""

from __future__ import annotations

import json
from typing import Any

from agent_factory.integrations.mcp.words import clean

__all__ = ["describe_result"]

_MOST_SHOWN = 200


def describe_result(result: Any) -> str:
    """Return the result of a call as text.

    Texts are joined. Structured content is appended as JSON, unless the texts say the same already. Of images, sounds and
    other data the model gets a line that says what they are.

    Args:
        result: The SDK's ``CallToolResult``.
    """
    texts = [_describe(block) for block in result.content]
    structured = result.structured_content
    if structured is None or (texts and _repeats(texts, structured)):
        return "\n".join(texts)
    return "\n".join([*texts, json.dumps(structured, ensure_ascii=False, separators=(",", ":"))])


def _describe(block: Any) -> str:
    kind = str(block.type)
    if kind == "text":
        return str(block.text)
    if kind in ("image", "audio"):
        return f"[{kind}, {_shorten(block.mime_type)}, about {_count_bytes(block.data):,} bytes: not shown]"
    if kind == "resource_link":
        about = f": {_shorten(block.description)}" if block.description else ""
        return f"[link to the resource {_shorten(block.name)}, {_shorten(block.uri)}{about}]"
    if kind == "resource":
        inner = block.resource
        where = f"{_shorten(inner.uri)}, {_shorten(inner.mime_type or 'type not said')}"
        text = getattr(inner, "text", None)
        if text is not None:
            return f"[resource {where}]\n{text}"
        return f"[resource {where}, about {_count_bytes(inner.blob):,} bytes: not shown]"
    return f"[content of the kind {_shorten(kind)}: not shown]"


def _repeats(texts: list[str], structured: object) -> bool:
    """Return whether texts say what the structured content says.

    Servers are asked to send both, and some SDKs put what is no object under ``result``.
    """
    values = [structured]
    if isinstance(structured, dict) and set(structured) == {"result"}:
        values.append(structured["result"])
    return any(
        (
            _says(texts[0], value)
            if len(texts) == 1
            else isinstance(value, list)
            and len(value) == len(texts)
            and all(map(_says, texts, value))
        )
        for value in values
    )


def _says(text: str, value: object) -> bool:
    if text == value:
        return True
    try:
        return bool(json.loads(text) == value)
    except (ValueError, RecursionError):
        return False


def _count_bytes(data: str) -> int:
    """Return how many bytes a text in base64 stands for."""
    return len(data) * 3 // 4


def _shorten(value: object) -> str:
    return clean(str(value).replace("\n", " "), _MOST_SHOWN)
