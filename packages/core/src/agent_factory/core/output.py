"""The shape of an agent's answer, and the three ways to get it from a model."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeAlias, TypeVar, get_args

from pydantic_core import ValidationError
from typing_extensions import TypeForm

from agent_factory.core.exceptions import ConfigurationError, OutputError
from agent_factory.core.models import OutputSchema, ToolSpec
from agent_factory.core.output_schemas import get_output_schema
from agent_factory.core.problems import explain

if TYPE_CHECKING:
    # Imported where it is needed: an agent that answers in words does not need it.
    from pydantic import TypeAdapter

__all__ = ["ANSWER_TOOL", "OutputMode", "OutputType"]

T = TypeVar("T")

OutputMode: TypeAlias = Literal["native", "tool", "prompt"]
"""How a model is asked for a structured answer.

``native`` hands the JSON Schema to the provider, ``tool`` offers a tool that takes the answer as its arguments,
``prompt`` describes the schema in the instructions. In each the answer is validated here.
"""

ANSWER_TOOL = "final_answer"
"""Name of the tool that takes the answer in the mode ``tool``."""

_FENCE = "```"


class OutputType(Generic[T]):
    """Turns a model's text into an agent's output type.

    Args:
        type_: ``str`` for the text as it is, else any type that pydantic can validate.
        agent: Name of the agent, for messages.
        mode: How the model is asked for it.

    Attributes:
        type: The type as given.
        mode: The mode as given; without meaning for ``str``.
        schema: The shape to ask the provider for, or None.
        tool: The tool that takes the answer, or None.
        instructions: What the model has to be told in its instructions; empty if nothing.

    Raises:
        ConfigurationError: It is no type, has no JSON Schema, or the mode is unknown.
    """

    __slots__ = ("_adapter", "_wrapped", "instructions", "mode", "schema", "tool", "type")

    def __init__(self, type_: TypeForm[T], *, agent: str, mode: OutputMode = "native") -> None:
        if mode not in get_args(OutputMode):
            raise ConfigurationError(
                f"agent {agent!r}: output_mode must be one of {', '.join(get_args(OutputMode))}, not {mode!r}"
            )
        self.type = type_
        self.mode = mode
        self.schema: OutputSchema | None = None
        self.tool: ToolSpec | None = None
        self.instructions = ""
        self._adapter: TypeAdapter[T] | None = None
        self._wrapped = False
        if type_ is str:
            return
        if isinstance(type_, str):
            raise ConfigurationError(
                f"agent {agent!r}: the output type must be a type, not the text {type_!r}"
            )
        from pydantic import TypeAdapter

        try:
            self._adapter = TypeAdapter(type_)
            # Not through pydantic, which takes references within the schema for its own.
            own = get_output_schema(type_)
            schema: dict[str, Any] = self._adapter.json_schema() if own is None else own
        except Exception as error:
            raise ConfigurationError(
                f"agent {agent!r}: the output type {type_!r} has no JSON Schema: {error}"
            ) from error
        if mode == "prompt":
            self.instructions = (
                "Answer with JSON alone, without a word before or after it, that fits this JSON Schema:\n"
                f"{json.dumps(schema, ensure_ascii=False)}"
            )
            return
        if schema.get("type") != "object":
            # Providers and tools take objects only.
            self._wrapped = True
            definitions = schema.pop("$defs", None)
            schema = {
                "type": "object",
                "properties": {"value": schema},
                "required": ["value"],
                "additionalProperties": False,
            }
            if definitions is not None:
                schema["$defs"] = definitions
        if mode == "tool":
            self.tool = ToolSpec(
                ANSWER_TOOL, "Give the final answer. Call it once, when the work is done.", schema
            )
            return
        called = "output" if own is not None else getattr(type_, "__name__", "output")
        name = re.sub(r"[^A-Za-z0-9_-]", "_", called)[:64]
        self.schema = OutputSchema(name or "output", schema)

    def parse(self, text: str) -> T:
        """Return the answer as the output type.

        Args:
            text: The model's whole text, or the arguments of its call of the answer's tool.

        Returns:
            The validated value.

        Raises:
            OutputError: The text is not JSON, or does not fit the type; the message is meant for the model.
            ConfigurationError: A validator of the type has a defect.
        """
        if self._adapter is None:
            return text  # type: ignore[return-value]  # T is str where there is no adapter
        if self.mode == "prompt":
            text = _strip_fence(text)
        bare = False
        if self._wrapped:
            text, bare = _unwrap(text)
        try:
            return self._adapter.validate_json(text)
        except ValidationError as error:
            hint = "; the answer must be an object with the one key 'value'" if bare else ""
            raise OutputError(
                f"the answer does not fit the required JSON Schema: {explain(error, 'answer')}{hint}",
                details={"reason": "mismatch"},
            ) from None
        except Exception as error:  # a validator of the type may raise anything
            raise ConfigurationError(
                f"the output type {self.type!r} raised {type(error).__name__}: {error}, while it validated an answer: "
                "have its validators raise ValueError for what does not fit"
            ) from error


def _strip_fence(text: str) -> str:
    """Return what stands between the marks of a Markdown code block, where a text is nothing but one."""
    # Not a regular expression: one that allows for white space everywhere takes cubic time for a text that is all of it.
    inner = text.strip()
    if not (inner.startswith(_FENCE) and inner.endswith(_FENCE)) or len(inner) < 2 * len(_FENCE):
        return text
    language, line_end, rest = inner[len(_FENCE) : -len(_FENCE)].partition("\n")
    language = language.strip()
    return rest if line_end and (not language or language.isalnum()) else text


def _unwrap(text: str) -> tuple[str, bool]:
    """Return the value of the object around an answer; an answer without that object as it is, and True."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text, True
    if isinstance(value, dict) and value.keys() == {"value"}:
        return json.dumps(value["value"]), False
    return text, True
