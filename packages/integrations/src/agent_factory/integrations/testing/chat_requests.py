"""Reads requests of the Chat Completions protocol, as strictly as OpenAI does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.messages import (
    AssistantMessage,
    Image,
    Message,
    SystemMessage,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from agent_factory.integrations.testing.fields import Fields, refuse, refuse_type, refuse_value
from agent_factory.integrations.testing.received import ReceivedRequest
from agent_factory.integrations.testing.schemas import check_tool_choice, read_output, read_tool

if TYPE_CHECKING:
    from agent_factory.core.models import OutputSchema, ToolSpec

__all__ = ["read_chat_request", "read_image"]

_ROLES: Final = ("system", "assistant", "user", "function", "tool", "developer")
_ORPHAN: Final = (
    "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'."
)


def read_chat_request(body: Fields) -> ReceivedRequest:
    """Return a request, decoded.

    Args:
        body: The whole request.

    Raises:
        RefusedError: OpenAI would refuse it.
    """
    if not body.value.get("model"):
        refuse("you must provide a model parameter")
    model = body.text("model")
    messages = _read_messages(body.items("messages", least=1))
    tools = _read_tools(body)
    limit = _check_settings(body)
    return ReceivedRequest(
        "chat.completions",
        model,
        messages,
        tools,
        _read_format(body),
        body.flag("stream"),
        limit,
        body.value,
    )


def read_image(url: object, detail: object, where: str) -> Image:
    """Return an image of a request.

    Args:
        url: Its address.
        detail: How closely to look; None for ``auto``.
        where: Where the address stands.

    Raises:
        RefusedError: OpenAI would refuse it.
    """
    if not isinstance(url, str):
        refuse_type(where, "a string", url)
    level: Any = detail or "auto"
    try:
        return Image(url, level)
    except ConfigurationError:
        refuse(
            f"Invalid '{where}'. Expected a valid URL or a base64-encoded data URL with an image MIME type (e.g. "
            "'data:image/png;base64,aW1nIGJ5dGVzIGhlcmU='), and a detail of 'low', 'high' or 'auto'.",
            where,
            "invalid_value",
        )


def _read_messages(items: list[Fields]) -> tuple[Message, ...]:
    messages: list[Message] = []
    waiting: dict[str, str] = {}
    for index, item in enumerate(items):
        role = item.choice("role", _ROLES)
        if role == "tool":
            call_id = item.text("tool_call_id")
            if call_id not in waiting:
                refuse(_ORPHAN, f"messages.[{index}].role")
            content = _read_text(item, index)
            messages.append(ToolMessage(call_id, waiting.pop(call_id), content))
            continue
        _check_answered(waiting, index)
        if role == "assistant":
            message = _read_assistant(item, index)
            waiting = {call.id: call.name for call in message.tool_calls}
            messages.append(message)
        elif role == "user":
            messages.append(_read_user(item, index))
        elif role == "function":
            refuse(
                "Messages with role 'function' are no longer supported.", f"messages.[{index}].role"
            )
        else:
            messages.append(SystemMessage(_read_text(item, index)))
    _check_answered(waiting, len(items))
    return tuple(messages)


def _check_answered(waiting: dict[str, str], index: int) -> None:
    if waiting:
        refuse(
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
            f"'tool_call_id'. The following tool_call_ids did not have response messages: {', '.join(waiting)}",
            f"messages.[{index}].role",
        )


def _read_text(item: Fields, index: int, *kinds: str) -> str:
    content = item.value.get("content")
    if content is None:
        refuse(
            "Invalid value for 'content': expected a string, got null.",
            f"messages.[{index}].content",
        )
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        refuse_type(item.path("content"), "one of a string or array of objects", content)
    texts = []
    for part in item.items("content", least=1):
        kind = part.choice("type", ("text", *kinds))
        texts.append(part.text(kind))
    return "".join(texts)


def _read_user(item: Fields, index: int) -> UserMessage:
    if not isinstance(item.value.get("content"), list):
        return UserMessage(_read_text(item, index))
    texts, images = [], []
    for part in item.items("content", least=1):
        kind = part.choice("type", ("text", "image_url", "input_audio", "refusal", "file"))
        if kind == "text":
            texts.append(part.text("text"))
        elif kind == "image_url":
            image = part.inner("image_url")
            images.append(
                read_image(image.require("url"), image.value.get("detail"), image.path("url"))
            )
        else:
            refuse_value(part.path("type"), kind, ("text", "image_url"))
    return UserMessage("".join(texts), tuple(images))


def _read_assistant(item: Fields, index: int) -> AssistantMessage:
    calls = []
    if item.value.get("tool_calls") is not None:
        for call in item.items("tool_calls", least=1):
            call.choice("type", ("function",))
            function = call.inner("function")
            calls.append(
                ToolCall(call.text("id"), function.text("name"), function.text("arguments"))
            )
    text = ""
    if item.value.get("content") is not None:
        text = _read_text(item, index, "refusal")
    elif item.value.get("refusal") is not None:
        text = item.text("refusal")
    elif not calls:
        _read_text(item, index)
    return AssistantMessage(text, tuple(calls))


def _read_tools(body: Fields) -> tuple[ToolSpec, ...]:
    if body.value.get("tools") is None:
        check_tool_choice(body, 0, set())
        return ()
    specs = []
    for item in body.items("tools", least=1):
        item.choice("type", ("function", "custom"))
        if item.value["type"] == "function":
            specs.append(read_tool(item.inner("function")))
    check_tool_choice(body, len(body.value["tools"]), {spec.name for spec in specs})
    return tuple(specs)


def _read_format(body: Fields) -> OutputSchema | None:
    if body.value.get("response_format") is None:
        return None
    wanted = body.inner("response_format")
    kind = wanted.choice("type", ("json_object", "json_schema", "text"))
    if kind == "json_object" and "json" not in json.dumps(body.value["messages"]).lower():
        refuse(
            "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
            "messages",
        )
    if kind != "json_schema":
        return None
    return read_output(wanted.inner("json_schema"), None, "response_format")


def _check_settings(body: Fields) -> int | None:
    body.decimal("temperature", 0, 2)
    body.decimal("top_p", 0, 1)
    body.whole("n", 1, 128)
    if body.value.get("stream_options") is not None:
        if not body.flag("stream"):
            refuse(
                "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
                "stream_options",
            )
        body.inner("stream_options").flag("include_usage")
        body.inner("stream_options").flag("include_obfuscation")
    logprobs = body.flag("logprobs")
    if body.whole("top_logprobs", 0, 20) is not None and not logprobs:
        refuse(
            "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.",
            "top_logprobs",
        )
    old, new = body.whole("max_tokens", 1), body.whole("max_completion_tokens", 1)
    if old is not None and new is not None:
        refuse(
            "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
            "max_tokens",
            "invalid_parameter_combination",
        )
    return old if new is None else new
