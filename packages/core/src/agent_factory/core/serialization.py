"""Messages as plain JSON-compatible data, and back.

The data is that of the fields, with a message's ``role`` to tell which one it is. What is at its default is left
out, so that fields that come later do not change the records of today.
"""

from __future__ import annotations

from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import ConfigDict, Discriminator, TypeAdapter, ValidationError

from agent_factory.core.exceptions import HistoryError
from agent_factory.core.messages import AssistantMessage, SystemMessage, ToolMessage, UserMessage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent_factory.core.messages import Message

__all__ = ["explain_problems", "message_from_dict", "message_to_dict", "to_plain"]


def message_to_dict(message: Message) -> dict[str, Any]:
    """Return a message as data that JSON can hold.

    Args:
        message: Any message.
    """
    return {"role": message.role, **to_plain(message)}


def message_from_dict(data: Mapping[str, Any]) -> Message:
    """Return the message that data holds.

    Args:
        data: What `message_to_dict` returned, or the same read from JSON.

    Raises:
        HistoryError: It is no message; the text says which field is wrong.
    """
    try:
        return _messages().validate_python(data)
    except ValidationError as error:
        raise HistoryError(f"this is no message: {explain_problems(error)}") from None


def to_plain(value: object) -> Any:
    """Return dataclasses, tuples and mappings as dictionaries and lists, fields at their default left out.

    Args:
        value: What a frozen value of core is made of.
    """
    if isinstance(value, (tuple, list)):
        return [to_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: to_plain(item) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: to_plain(item)
            for field in fields(value)
            if (item := getattr(value, field.name)) != _default(field)
        }
    return value


def explain_problems(error: ValidationError) -> str:
    """Return what pydantic found, in one line without the values.

    Args:
        error: What a validation raised.
    """
    return "; ".join(
        f"{'.'.join(map(str, item['loc'])) or 'value'}: {item['msg']}"
        for item in error.errors(include_url=False, include_context=False, include_input=False)
    )


def _default(field: Field[Any]) -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()


@cache
def _messages() -> TypeAdapter[Message]:
    # Made at the first use: building it takes a millisecond that an import must not cost.
    union: Any = Annotated[
        SystemMessage | UserMessage | AssistantMessage | ToolMessage, Discriminator("role")
    ]
    return TypeAdapter(union, config=ConfigDict(extra="forbid"))
