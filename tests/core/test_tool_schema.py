from __future__ import annotations

import enum
import functools
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any, Literal, Optional

import pytest
from pydantic import BaseModel, Field

from agent_factory.core import Tool, ToolContext, ToolDefinitionError, ToolSpec, tool


class Point(BaseModel):
    """A place on a map."""

    x: int
    y: int = 0


class Unit(enum.Enum):
    METRE = "m"
    FOOT = "ft"


def properties(made: Tool[Any]) -> dict[str, Any]:
    """Return what the schema says of each parameter."""
    return dict(made.spec.parameters["properties"])


def test_name_description_and_schema_come_from_the_function() -> None:
    @tool
    def convert(amount: float, unit: str = "m") -> float:
        """Convert a length.

        Rounds down.

        Args:
            amount: How much,
                in the given unit.
            unit: Unit of the amount.

        Returns:
            Metres.
        """
        return amount

    assert convert.spec == ToolSpec(
        "convert",
        "Convert a length.\n\nRounds down.",
        {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "amount": {"type": "number", "description": "How much, in the given unit."},
                "unit": {"type": "string", "default": "m", "description": "Unit of the amount."},
            },
            "required": ["amount"],
        },
    )


def test_function_without_parameters_takes_an_empty_object() -> None:
    @tool
    def now() -> str:
        return "now"

    assert now.spec.description == ""
    assert now.spec.parameters == {
        "type": "object",
        "additionalProperties": False,
        "properties": {},
    }


def test_name_and_description_can_be_given() -> None:
    @tool(name="look-up", description="Looks it up.")
    def find() -> None:
        """Say something else."""

    assert (find.name, find.spec.description) == ("look-up", "Looks it up.")


def test_empty_description_given_on_purpose_is_kept() -> None:
    def find() -> None:
        """Say something."""

    assert tool(find, description="").spec.description == ""


def test_careful_defaults_are_once_and_a_finite_timeout() -> None:
    @tool
    def find() -> None:
        pass

    assert (find.effect, find.timeout) == ("once", 60.0)


def test_effect_and_timeout_can_be_given() -> None:
    @tool(effect="read", timeout=1.5)
    def find() -> None:
        pass

    assert (find.effect, find.timeout) == ("read", 1.5)


@pytest.mark.parametrize(
    ("annotation", "schema"),
    [
        (Literal["a", "b"], {"enum": ["a", "b"], "type": "string"}),
        (Optional[int], {"anyOf": [{"type": "integer"}, {"type": "null"}]}),  # noqa: UP045
        (int | None, {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        (list[str], {"items": {"type": "string"}, "type": "array"}),
        (dict[str, int], {"additionalProperties": {"type": "integer"}, "type": "object"}),
        (
            Annotated[int, Field(ge=1, le=9, description="A digit.")],
            {"type": "integer", "minimum": 1, "maximum": 9, "description": "A digit."},
        ),
        (Point, {"$ref": "#/$defs/Point"}),
        (Unit, {"$ref": "#/$defs/Unit"}),
    ],
)
def test_types_become_json_schema(annotation: Any, schema: dict[str, Any]) -> None:
    def take(value: Any) -> None:
        pass

    take.__annotations__["value"] = annotation

    assert properties(tool(take)) == {"value": schema}


def test_nested_model_is_defined_in_the_schema() -> None:
    @tool
    def go(to: Point) -> None:
        pass

    point = go.spec.parameters["$defs"]["Point"]
    assert point["description"] == "A place on a map."
    assert point["required"] == ["x"]


def test_docstring_wins_over_the_description_in_the_type() -> None:
    @tool
    def go(far: Annotated[int, Field(description="from the type")]) -> None:
        """Go.

        Args:
            far: from the docstring
        """

    assert properties(go)["far"]["description"] == "from the docstring"


def test_context_parameter_is_hidden_from_the_model() -> None:
    @tool
    def plain(context: ToolContext, value: int) -> None:
        pass

    @tool
    def typed(context: ToolContext[int], value: int) -> None:
        pass

    assert list(properties(plain)) == list(properties(typed)) == ["value"]


def test_names_that_pydantic_reserves_can_be_parameters() -> None:
    @tool
    def odd(schema: int, _private: int, model_config: int, title: str, self: int) -> None:
        pass

    assert list(properties(odd)) == ["schema", "_private", "model_config", "title", "self"]


def test_method_instance_and_cached_function_can_be_tools() -> None:
    class Counter:
        """Counts up."""

        def count(self, by: int) -> None:
            pass

        def __call__(self, start: int) -> None:
            pass

    @functools.lru_cache
    def cached(key: str) -> None:
        pass

    assert list(properties(tool(Counter().count))) == ["by"]
    assert list(properties(tool(cached))) == ["key"]
    made = tool(Counter())
    assert (made.name, made.spec.description) == ("Counter", "Counts up.")
    assert list(properties(made)) == ["start"]


def no_type(value) -> None:  # type: ignore[no-untyped-def]
    pass


def many(*values: int) -> None:
    pass


def named(**values: int) -> None:
    pass


def positional(value: int, /) -> None:
    pass


def unknown_name(value: Nowhere) -> None:  # type: ignore[name-defined]  # noqa: F821
    pass


def unknown_attribute(value: enum.Nothing) -> None:  # type: ignore[name-defined]
    pass


def opaque(value: Tool[Any] | object) -> None:
    pass


def late_context(value: int, context: ToolContext) -> None:
    pass


def named_context(*, context: ToolContext) -> None:
    pass


def field_default(value: int = Field(3, ge=1)) -> None:
    pass


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (no_type, "'no_type': parameter 'value' needs a type annotation"),
        (many, "'many': parameter '*values' cannot be named by a model"),
        (named, "'named': parameter '**values' cannot be named by a model"),
        (positional, "'positional': parameter 'value' cannot be named by a model"),
        (unknown_name, "'unknown_name': its signature cannot be read: name 'Nowhere'"),
        (unknown_attribute, "'unknown_attribute': its signature cannot be read: module 'enum'"),
        (opaque, "'opaque': a parameter's type has no JSON Schema"),
        (late_context, "'late_context': parameter 'context' takes a ToolContext, which only"),
        (named_context, "'named_context': parameter 'context' takes a ToolContext, which only"),
        (field_default, "write 'value: Annotated[TYPE, Field(...)] = DEFAULT' instead"),
        (max, "'max': its signature cannot be read"),
        (lambda: None, "tool name '<lambda>' must be 1 to 64 letters"),
    ],
)
def test_function_that_a_model_could_not_call_is_refused(function: Any, said: str) -> None:
    with pytest.raises(ToolDefinitionError) as caught:
        tool(function)
    assert said in caught.value.message


def rows(count: int) -> Iterator[int]:
    yield count


async def pages(count: int) -> AsyncIterator[int]:
    yield count


class Reader:
    def rows(self, count: int) -> Iterator[int]:
        yield count

    async def __call__(self, count: int) -> AsyncIterator[int]:
        yield count


@pytest.mark.parametrize(
    "function",
    [
        rows,
        pages,
        Reader().rows,
        Reader(),
        functools.partial(rows, count=1),
        functools.partial(Reader().rows, 1),
        functools.partial(Reader(), 1),
    ],
)
def test_function_that_yields_is_refused(function: Any) -> None:
    with pytest.raises(ToolDefinitionError, match=r"a function that yields .* return a list"):
        tool(function, name="rows")


@pytest.mark.parametrize("name", ["", "a b", "a.b", "ä", "x" * 65, "tool\n"])
def test_name_that_providers_refuse_is_refused(name: str) -> None:
    def find() -> None:
        pass

    with pytest.raises(ToolDefinitionError, match=r"tool\(name=\.\.\.\)"):
        tool(find, name=name)


@pytest.mark.parametrize(
    "timeout", [0, -1, float("inf"), float("nan"), True, "5", None, pytest.param(10**400, id="big")]
)
def test_timeout_that_is_no_duration_is_refused(timeout: Any) -> None:
    def find() -> None:
        pass

    with pytest.raises(ToolDefinitionError, match="finite number of seconds above 0"):
        tool(find, timeout=timeout)


def test_unknown_effect_is_refused_with_the_known_ones() -> None:
    def find() -> None:
        pass

    with pytest.raises(ToolDefinitionError, match="read, idempotent, once, not 'write'"):
        tool(find, effect="write")  # type: ignore[call-overload]
