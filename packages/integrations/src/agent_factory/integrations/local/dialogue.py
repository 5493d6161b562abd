"""Turns a conversation with tools into one that any chat model can hold, and back.

A small model has no notion of tool calls. So the tools are described to it in words, it is asked for one JSON
object, and llama.cpp lets it write nothing else: either ``{"tool": …, "arguments": …}``, or ``{"answer": …}``.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from agent_factory.core.messages import (
    AssistantMessage,
    Message,
    SystemMessage,
    ToolCall,
    ToolMessage,
    UserMessage,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agent_factory.core.models import ModelRequest, ToolSpec

__all__ = ["build_messages", "build_schema", "is_repeated", "read_answer"]


def build_schema(request: ModelRequest, *, tools: bool = True) -> dict[str, Any] | None:
    """Return the JSON Schema that the answer has to fit, or None for free text.

    Args:
        request: What the agent asks.
        tools: Whether tools may be called.
    """
    if not request.tools:
        return None if request.output is None else dict(request.output.schema)
    definitions: dict[str, Any] = {}
    answer: Mapping[str, Any] = {"type": "string"}
    if request.output is not None:
        answer = _hoist(request.output.schema, "answer", definitions)
    branches = [_closed({"answer": answer})]
    for number, spec in enumerate(request.tools if tools else ()):
        arguments = _hoist(spec.parameters, f"tool{number}", definitions)
        branches.append(_closed({"tool": {"const": spec.name}, "arguments": arguments}))
    schema: dict[str, Any] = {"anyOf": branches} if len(branches) > 1 else branches[0]
    return schema | ({"$defs": definitions} if definitions else {})


def build_messages(request: ModelRequest) -> list[dict[str, str]]:
    """Return the conversation in the roles that every chat template knows, one message a turn.

    Args:
        request: What the agent asks.
    """
    system = [message.text for message in request.messages if isinstance(message, SystemMessage)]
    if request.tools:
        system.append(_explain(request.tools))
    turns: list[dict[str, str]] = []
    if system:
        turns.append({"role": "system", "content": "\n\n".join(system)})
    for message in request.messages:
        if isinstance(message, SystemMessage):
            continue
        role = "assistant" if isinstance(message, AssistantMessage) else "user"
        content = _render(message, in_json=bool(request.tools))
        # Many templates demand that the roles take turns.
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += f"\n\n{content}"
        else:
            turns.append({"role": role, "content": content})
    return turns


def read_answer(text: str, request: ModelRequest) -> AssistantMessage:
    """Return the message that a whole answer with tools stands for.

    Args:
        text: The JSON that the model wrote.
        request: What it was asked.

    Raises:
        ValueError: It is not one of the two objects.
    """
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError("no object")
    if "tool" in value:
        made = sum(
            len(item.tool_calls) for item in request.messages if isinstance(item, AssistantMessage)
        )
        arguments = json.dumps(value.get("arguments"), ensure_ascii=False)
        return AssistantMessage("", (ToolCall(f"call-{made + 1}", str(value["tool"]), arguments),))
    if "answer" not in value:
        raise ValueError("neither 'tool' nor 'answer'")
    answer = value["answer"]
    if request.output is None and isinstance(answer, str):
        return AssistantMessage(answer)
    return AssistantMessage(json.dumps(answer, ensure_ascii=False))


def is_repeated(message: AssistantMessage, request: ModelRequest) -> bool:
    """Tell whether a message makes a tool call that was answered since the user last spoke.

    Args:
        message: A message with at most one call.
        request: What was asked.
    """
    for earlier in reversed(request.messages):
        if isinstance(earlier, UserMessage):
            return False
        if isinstance(earlier, AssistantMessage):
            known = {(call.name, call.arguments) for call in earlier.tool_calls}
            if any((call.name, call.arguments) in known for call in message.tool_calls):
                return True
    return False


def _render(message: Message, *, in_json: bool) -> str:
    if isinstance(message, ToolMessage):
        return f"The tool {message.name} returned:\n{message.content}"
    if not isinstance(message, AssistantMessage):
        return message.text
    lines = [
        f'{{"tool": {json.dumps(call.name)}, "arguments": {call.arguments or "{}"}}}'
        for call in message.tool_calls
    ]
    if message.text:
        text = json.dumps({"answer": message.text}, ensure_ascii=False)
        lines.insert(0, text if in_json and not lines else message.text)
    return "\n".join(lines)


def _explain(tools: Sequence[ToolSpec]) -> str:
    # Of the wordings tried with SmolLM2-135M, this one had it call the right tool most often.
    lines = ["You can use these tools:"]
    for spec in tools:
        properties = spec.parameters.get("properties", {})
        arguments = "; ".join(_describe(*item) for item in properties.items()) or "none"
        lines.append(f"- {spec.name}: {spec.description} Arguments: {arguments}")
    lines.append("Reply with one JSON object. To call a tool:")
    for spec in tools:
        call = {
            "tool": spec.name,
            "arguments": dict.fromkeys(spec.parameters.get("required", []), "..."),
        }
        lines.append(json.dumps(call, ensure_ascii=False))
    lines.append("Once a tool has returned what you need, answer the user:")
    lines.append('{"answer": "..."}')
    return "\n".join(lines)


def _describe(name: str, schema: Mapping[str, Any]) -> str:
    """Return what a model should know of one argument; an example says more to it than a schema."""
    kind = schema.get("type")
    if not isinstance(kind, str) or kind in ("array", "object"):
        return f"{name}: {json.dumps(schema, ensure_ascii=False, default=dict)}"
    return f"{name} ({kind}): {schema.get('description', '')}".rstrip(": ")


def _closed(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _hoist(schema: Mapping[str, Any], prefix: str, definitions: dict[str, Any]) -> dict[str, Any]:
    """Return a schema that may stand inside another one, with its definitions moved to the outer one."""

    def move(node: Any) -> Any:
        if isinstance(node, list):
            return [move(item) for item in node]
        if not isinstance(node, dict):
            return node
        moved = {key: move(value) for key, value in node.items()}
        reference = moved.get("$ref")
        if isinstance(reference, str) and reference.startswith("#/$defs/"):
            moved["$ref"] = f"#/$defs/{prefix}.{reference.removeprefix('#/$defs/')}"
        return moved

    plain = dict(schema)
    for name, definition in plain.pop("$defs", {}).items():
        definitions[f"{prefix}.{name}"] = move(definition)
    return cast("dict[str, Any]", move(plain))
