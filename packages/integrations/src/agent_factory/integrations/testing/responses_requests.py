"""Reads requests of the Responses protocol, as strictly as OpenAI does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from agent_factory.core.messages import (
    AssistantMessage,
    Image,
    Message,
    Reasoning,
    SystemMessage,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from agent_factory.integrations.testing.chat_requests import read_image
from agent_factory.integrations.testing.fields import Fields, refuse, refuse_type, refuse_value
from agent_factory.integrations.testing.received import ReceivedRequest
from agent_factory.integrations.testing.schemas import check_tool_choice, read_output, read_tool

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent_factory.core.models import OutputSchema, ToolSpec

__all__ = ["read_items", "read_responses_request"]

_ROLES: Final = ("assistant", "system", "developer", "user")
_KINDS: Final = ("message", "function_call", "function_call_output", "reasoning")
_PROVIDER: Final = "openai.responses"


def read_responses_request(body: Fields, before: Sequence[Any] = ()) -> ReceivedRequest:
    """Return a request, decoded.

    Args:
        body: The whole request.
        before: The items of the conversation that the request continues.

    Raises:
        RefusedError: OpenAI would refuse it.
    """
    if not body.value.get("model"):
        refuse("Missing required parameter: 'model'.", "model", "missing_required_parameter")
    model = body.text("model")
    items = [*before, *read_items(body)]
    messages = _read_messages([Fields(item, f"input[{at}]") for at, item in enumerate(items)])
    if body.value.get("instructions") is not None:
        messages = [SystemMessage(body.text("instructions")), *messages]
    tools = _read_tools(body)
    body.decimal("temperature", 0, 2)
    body.decimal("top_p", 0, 1)
    body.whole("top_logprobs", 0, 20)
    return ReceivedRequest(
        "responses",
        model,
        tuple(messages),
        tools,
        _read_format(body),
        body.flag("stream"),
        body.whole("max_output_tokens", 16),
        body.value,
    )


def read_items(body: Fields) -> list[Any]:
    """Return the items of a request's input.

    Args:
        body: The whole request.

    Raises:
        RefusedError: It is neither a text nor a list.
    """
    value = body.require("input")
    if isinstance(value, str):
        return [{"role": "user", "content": value}]
    if not isinstance(value, list):
        refuse_type("input", "one of a string or array of input items", value)
    return value


class _Conversation:
    """Puts items together to messages: thoughts, words and calls of one turn are one message."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._thoughts: list[Reasoning] = []
        self._text: str | None = None
        self._calls: list[ToolCall] = []
        self._waiting: dict[str, str] = {}

    def think(self, thought: Reasoning) -> None:
        if self._calls or self._text is not None:
            self.flush()
        self._thoughts.append(thought)

    def say(self, text: str) -> None:
        if self._calls or self._text is not None:
            self.flush()
        self._text = text

    def call(self, call: ToolCall) -> None:
        self._calls.append(call)
        self._waiting[call.id] = call.name

    def answer(self, call_id: str, output: str) -> None:
        self.flush()
        if call_id not in self._waiting:
            refuse(f"No tool call found for function call output with call_id {call_id}.", "input")
        self.messages.append(ToolMessage(call_id, self._waiting.pop(call_id), output))

    def add(self, message: Message) -> None:
        self.flush()
        self.messages.append(message)

    def flush(self) -> None:
        if self._calls or self._text is not None:
            self.messages.append(
                AssistantMessage(self._text or "", tuple(self._calls), tuple(self._thoughts))
            )
        elif self._thoughts:
            item = json.loads(self._thoughts[-1].data).get("id", "")
            refuse(
                f"Item '{item}' of type 'reasoning' was provided without its required following item.",
                "input",
            )
        self._thoughts, self._text, self._calls = [], None, []

    def finish(self) -> list[Message]:
        self.flush()
        for call_id in self._waiting:
            refuse(f"No tool output found for function call {call_id}.", "input")
        return self.messages


def _read_messages(items: list[Fields]) -> list[Message]:
    conversation = _Conversation()
    for item in items:
        kind = item.value.get("type", "message")
        if kind == "message":
            _read_message(item, conversation)
        elif kind == "function_call":
            conversation.call(
                ToolCall(item.text("call_id"), item.text("name"), item.text("arguments"))
            )
        elif kind == "function_call_output":
            conversation.answer(item.text("call_id"), _read_output(item))
        elif kind == "reasoning":
            parts = [part.text("text") for part in item.items("summary")]
            data = json.dumps(item.value)
            conversation.think(Reasoning("\n\n".join(parts), data, _PROVIDER))
        else:
            refuse_value(item.path("type"), kind, _KINDS)
    return conversation.finish()


def _read_message(item: Fields, conversation: _Conversation) -> None:
    role = item.choice("role", _ROLES)
    content = item.require("content")
    texts: list[str] = []
    images: list[Image] = []
    if isinstance(content, str):
        texts = [content]
    elif isinstance(content, list):
        wrote = role == "assistant"
        kinds = ("output_text", "refusal") if wrote else ("input_text", "input_image")
        for part in item.items("content"):
            kind = part.choice("type", kinds)
            if kind == "input_image":
                url = part.require("image_url")
                images.append(read_image(url, part.value.get("detail"), part.path("image_url")))
            else:
                texts.append(part.text("refusal" if kind == "refusal" else "text"))
    else:
        refuse_type(item.path("content"), "one of a string or array of objects", content)
    text = "".join(texts)
    if role == "assistant":
        conversation.say(text)
    elif role == "user":
        conversation.add(UserMessage(text, tuple(images)))
    else:
        conversation.add(SystemMessage(text))


def _read_output(item: Fields) -> str:
    output = item.require("output")
    if isinstance(output, str):
        return output
    if not isinstance(output, list):
        refuse_type(item.path("output"), "one of a string or array of objects", output)
    return "".join(part.text("text") for part in item.items("output"))


def _read_tools(body: Fields) -> tuple[ToolSpec, ...]:
    if body.value.get("tools") is None:
        check_tool_choice(body, 0, set())
        return ()
    items = body.items("tools")
    # Tools that the server itself would carry out are taken, and never called.
    specs = tuple(read_tool(item) for item in items if item.text("type") == "function")
    check_tool_choice(body, len(items), {spec.name for spec in specs})
    return specs


def _read_format(body: Fields) -> OutputSchema | None:
    if body.value.get("text") is None or body.inner("text").value.get("format") is None:
        return None
    wanted = body.inner("text").inner("format")
    kind = wanted.choice("type", ("text", "json_object", "json_schema"))
    if kind == "json_object" and "json" not in json.dumps(body.value["input"]).lower():
        refuse(
            "Response input messages must contain the word 'json' in some form to use 'text.format' of type "
            "'json_object'.",
            "input",
        )
    if kind != "json_schema":
        return None
    return read_output(wanted, "invalid_json_schema", "text.format.schema")
