"""Output types that a JSON Schema describes, for answers whose shape is data and no class."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin

from pydantic_core import PydanticCustomError, core_schema

from agent_factory.core.schemas import create_validator

if TYPE_CHECKING:
    from typing_extensions import TypeForm

__all__ = ["SchemaOutput", "create_output_type", "get_output_schema"]

_MAX_PROBLEMS = 5


@dataclass(frozen=True)
class SchemaOutput:
    """What makes an output type of a JSON Schema. Two of the same schema are equal.

    Attributes:
        canonical: The schema as JSON text, keys sorted.
        schema: The schema.
        find_problems: Returns what keeps a value from fitting.
    """

    canonical: str
    schema: Mapping[str, Any] = field(compare=False)
    find_problems: Callable[[Any, int], list[str]] = field(compare=False, repr=False)

    def __get_pydantic_core_schema__(self, *_: object) -> core_schema.CoreSchema:
        """Return how pydantic validates a value: against the JSON Schema, without changing it."""
        return core_schema.no_info_plain_validator_function(self._validate)

    def _validate(self, value: Any) -> Any:
        problems = self.find_problems(value, _MAX_PROBLEMS)
        if problems:
            raise PydanticCustomError(
                "json_schema", "{problems}", {"problems": "; ".join(problems)}
            )
        return value


def create_output_type(schema: Mapping[str, Any]) -> TypeForm[Any]:
    """Return an output type for `Agent` out of a JSON Schema.

    ```python
    agent = Agent(name="a", model=model, output_type=create_output_type({"type": "array", "items": {"type": "string"}}))
    ```

    Args:
        schema: JSON Schema (2020-12); references lead nowhere outside it.

    Returns:
        The type. Values are plain data that fit the schema.

    Raises:
        ConfigurationError: The schema is not valid.
    """
    copy = deepcopy(dict(schema))
    find_problems = create_validator(copy, "the output's schema")
    canonical = json.dumps(copy, sort_keys=True, separators=(",", ":"))
    made: Any = Annotated[Any, SchemaOutput(canonical, copy, find_problems)]
    return made


def get_output_schema(type_: Any) -> dict[str, Any] | None:
    """Return the JSON Schema that an output type was made of, or None where it was not.

    Args:
        type_: The output type.
    """
    if get_origin(type_) is Annotated:
        for item in get_args(type_)[1:]:
            if isinstance(item, SchemaOutput):
                return deepcopy(dict(item.schema))
    return None
