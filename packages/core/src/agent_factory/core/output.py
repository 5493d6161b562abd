"""The shape of an agent's answer."""

from __future__ import annotations

import re
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from agent_factory.core.exceptions import ConfigurationError, OutputError
from agent_factory.core.models import OutputSchema

__all__ = ["OutputType"]

T = TypeVar("T")


class OutputType(Generic[T]):
    """Turns a model's text into an agent's output type.

    Args:
        type_: ``str`` for the text as it is, else any type that pydantic can validate.
        agent: Name of the agent, for messages.

    Attributes:
        type: The type as given.
        schema: The shape to ask the model for, or None for free text.

    Raises:
        ConfigurationError: The type has no JSON Schema.
    """

    __slots__ = ("_adapter", "schema", "type")

    def __init__(self, type_: type[T], *, agent: str) -> None:
        self.type = type_
        self.schema: OutputSchema | None = None
        self._adapter: TypeAdapter[T] | None = None
        if type_ is str:
            return
        try:
            self._adapter = TypeAdapter(type_)
            schema: dict[str, Any] = self._adapter.json_schema()
        except Exception as error:
            raise ConfigurationError(
                f"agent {agent!r}: the output type {type_!r} has no JSON Schema: {error}"
            ) from error
        name = re.sub(r"[^A-Za-z0-9_-]", "_", getattr(type_, "__name__", "output"))[:64]
        self.schema = OutputSchema(name or "output", schema)

    def parse(self, text: str) -> T:
        """Return the answer as the output type.

        Args:
            text: The model's whole text.

        Returns:
            The validated value.

        Raises:
            OutputError: The text is not JSON, or does not fit the type; the message is meant for the model.
        """
        if self._adapter is None:
            return text  # type: ignore[return-value]  # T is str where there is no adapter
        try:
            return self._adapter.validate_json(text)
        except ValidationError as error:
            problems = "; ".join(
                f"{'.'.join(map(str, item['loc'])) or 'answer'}: {item['msg']}"
                for item in error.errors(
                    include_url=False, include_context=False, include_input=False
                )
            )
            raise OutputError(
                f"the answer does not fit the required JSON Schema: {problems}"
            ) from None
