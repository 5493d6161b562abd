"""What a test case of a blueprint expects."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from agent_factory.core.blueprints.schema.base import JsonSchema, Money, Section
from agent_factory.core.exceptions import ConfigurationError

__all__ = [
    "ContainsSection",
    "ExpectationSection",
    "JudgeSection",
    "NumberSection",
    "ToolCalledSection",
    "check_not_empty",
]

T = TypeVar("T")

_POINTER = r"^(/([^~/]|~[01])*)*$"
_CODE = r"^[a-z][a-z0-9_]{0,63}$"

_ToolName = Annotated[str, Field(min_length=1, max_length=200)]


def _shorten(error: ConfigurationError) -> str:
    """Return what an error says, without the name of the expectation, which the place of the problem tells."""
    return error.message.partition(": ")[2]


def check_not_empty(items: tuple[T, ...]) -> tuple[T, ...]:
    """Refuse an empty list; a minimum length would be reported again where an item does not fit.

    Args:
        items: The items that fit.
    """
    if not items:
        raise PydanticCustomError("empty", "must have at least one item")
    return items


def _check_pattern(pattern: str) -> str:
    from agent_factory.core.evals.expectations.texts import Matches

    try:
        Matches(pattern)
    except ConfigurationError as error:
        raise PydanticCustomError("pattern", "{reason}", {"reason": _shorten(error)}) from None
    return pattern


def _check_schema(schema: dict[str, Any]) -> dict[str, Any]:
    from agent_factory.core.evals.expectations.data import FitsSchema

    try:
        FitsSchema(schema)
    except ConfigurationError as error:
        raise PydanticCustomError("json_schema", "{reason}", {"reason": _shorten(error)}) from None
    return schema


def _check_pointer(pointer: str) -> str:
    if not re.fullmatch(_POINTER, pointer):
        raise PydanticCustomError("json_pointer", "must be a JSON pointer, such as '/total'")
    return pointer


def _check_code(code: str) -> str:
    if not re.fullmatch(_CODE, code):
        raise PydanticCustomError(
            "error_code", "must be the code of an error, such as 'guardrail' or 'limit_exceeded'"
        )
    return code


class ContainsSection(Section):
    """What the answer contains, and what it does not. A text, or a list of texts, stands for 'all_of'."""

    all_of: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        (), strict=False, max_length=100, description="Texts that all stand in the answer."
    )
    none_of: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        (), strict=False, max_length=100, description="Texts of which none stands in the answer."
    )
    ignore_case: bool = Field(
        False, description="Whether upper and lower case letters count as the same."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.all_of and not self.none_of:
            raise PydanticCustomError("one_of", "must have a text in 'all_of' or 'none_of'")
        return self


class NumberSection(Section):
    """A number in the answer. A number alone stands for 'value'."""

    value: float = Field(description="The number that is expected.")
    absolute: float = Field(0.0, ge=0, description="How far off the answer may be.")
    relative: float = Field(
        0.0, ge=0, description="How far off the answer may be, as a part of the value: 0.01 is 1 %."
    )
    at: (
        Annotated[
            str,
            Field(max_length=500, json_schema_extra={"pattern": _POINTER}),
            AfterValidator(_check_pointer),
        ]
        | None
    ) = Field(
        None,
        description="JSON pointer to the number in an answer that is JSON; the first number of the text if left out.",
        examples=["/total"],
    )


class ToolCalledSection(Section):
    """A tool that is called. A name alone stands for at least one call."""

    name: _ToolName = Field(description="Name of the tool, as the model calls it.")
    min_times: int = Field(1, ge=0, le=10_000, description="How often it is called at least.")
    max_times: int | None = Field(
        None, ge=0, le=10_000, description="How often it is called at most; any number if left out."
    )
    arguments: dict[str, Any] = Field(
        default_factory=dict,
        description="Arguments that a call has to count; it may have more, within objects too.",
    )
    outcome: Literal["ok", "error", "denied", "unknown"] | None = Field(
        None, description="How a call ends to count; in any way if left out."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.max_times is not None and self.max_times < self.min_times:
            raise PydanticCustomError("range", "must not have a 'max_times' below 'min_times'")
        return self


class JudgeSection(Section):
    """What a model judges of the answer. A text alone stands for 'criteria'."""

    criteria: str = Field(
        min_length=1, max_length=10_000, description="What the answer must be like, in words."
    )
    model: str = Field(
        "default",
        min_length=1,
        max_length=200,
        description="Name of the judge in models, or what may stand under 'use' there.",
    )
    min_score: float | None = Field(
        None,
        ge=0,
        le=1,
        description="The lowest mark that passes, from 0 to 1; the judge says pass or fail if left out.",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.criteria.strip():
            raise PydanticCustomError("criteria", "must have criteria that are not empty")
        return self


def _expand_contains(value: object) -> object:
    if isinstance(value, str):
        return {"all_of": [value]}
    if isinstance(value, list):
        return {"all_of": value}
    return _check_mapping(value, "a text, a list of texts, or a mapping with 'all_of' or 'none_of'")


def _expand_number(value: object) -> object:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return {"value": value}
    return _check_mapping(value, "a number, or a mapping with 'value'")


def _expand_tool(value: object) -> object:
    if isinstance(value, str):
        return {"name": value}
    return _check_mapping(value, "the name of a tool, or a mapping with 'name'")


def _expand_judge(value: object) -> object:
    if isinstance(value, str):
        return {"criteria": value}
    return _check_mapping(value, "criteria as a text, or a mapping with 'criteria'")


def _check_mapping(value: object, form: str) -> object:
    """Refuse what neither a short form nor a mapping is, with words for what there may be."""
    if isinstance(value, (dict, Section)):
        return value
    raise PydanticCustomError("form", "must be {form}", {"form": form})


_Contains = Annotated[
    ContainsSection,
    BeforeValidator(_expand_contains, json_schema_input_type=ContainsSection | list[str] | str),
]
_Number = Annotated[
    NumberSection, BeforeValidator(_expand_number, json_schema_input_type=NumberSection | float)
]
_ToolCalled = Annotated[
    ToolCalledSection, BeforeValidator(_expand_tool, json_schema_input_type=ToolCalledSection | str)
]
_Judge = Annotated[
    JudgeSection, BeforeValidator(_expand_judge, json_schema_input_type=JudgeSection | str)
]


class ExpectationSection(Section, json_schema_extra={"minProperties": 1, "maxProperties": 1}):
    """One expectation: exactly one of these keys."""

    exact: Any = Field(
        None,
        description="The answer itself: a text, white space around it aside, or any JSON value.",
        examples=["42"],
    )
    contains: _Contains | None = Field(
        None, description="What the answer contains, and what it does not."
    )
    matches: Annotated[str, AfterValidator(_check_pattern)] | None = Field(
        None,
        min_length=1,
        max_length=2000,
        description="Regular expression that matches somewhere in the answer; without look-around and backreferences.",
        examples=["(?i)order [0-9]+"],
    )
    json_schema: Annotated[JsonSchema, AfterValidator(_check_schema)] | None = Field(
        None, description="JSON Schema (2020-12) that the answer fits; it needs nothing outside it."
    )
    number: _Number | None = Field(None, description="A number in the answer.")
    tool_called: _ToolCalled | None = Field(None, description="A tool that is called.")
    tool_not_called: _ToolName | None = Field(
        None, description="Name of a tool that is not called."
    )
    tool_order: (
        Annotated[
            tuple[_ToolName, ...],
            Field(strict=False, max_length=100, json_schema_extra={"minItems": 1}),
            AfterValidator(check_not_empty),
        ]
        | None
    ) = Field(
        None,
        description="Names of tools that are called in this order; other calls may come between.",
    )
    judge: _Judge | None = Field(None, description="What a model judges of the answer.")
    fails: (
        Annotated[str, Field(json_schema_extra={"pattern": _CODE}), AfterValidator(_check_code)]
        | None
    ) = Field(None, description="Code of the error that the run ends with.", examples=["guardrail"])
    max_cost: Money | None = Field(None, description="What the run costs at most.")
    max_requests: int | None = Field(None, ge=0, description="Model calls at most.")
    max_tool_calls: int | None = Field(None, ge=0, description="Tool calls at most.")

    @property
    def kind(self) -> str:
        """The key that was given."""
        (kind,) = self.model_fields_set
        return kind

    @model_validator(mode="after")
    def _check(self) -> Self:
        given = [name for name in type(self).model_fields if name in self.model_fields_set]
        if len(given) != 1:
            has = " and ".join(map(repr, given)) if given else "none"
            raise PydanticCustomError(
                "one_of",
                "must have exactly one key, and has {has}: begin a new item of the list for each expectation",
                {"has": has},
            )
        if given != ["exact"] and getattr(self, given[0]) is None:
            raise PydanticCustomError(
                "one_of", "must have a value for {key}", {"key": repr(given[0])}
            )
        return self
