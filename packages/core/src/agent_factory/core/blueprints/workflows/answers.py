"""The types of people's answers, made of JSON Schemas."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from pydantic_core import PydanticCustomError, core_schema

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.schemas import create_validator

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["check_answer", "create_answer_type"]

_MAX_PROBLEMS = 3


def create_answer_type(schema: Mapping[str, Any], where: str) -> type[Any]:
    """Return a type whose values are the plain data that fits a JSON Schema.

    Args:
        schema: JSON Schema (2020-12) without references.
        where: What the schema is of, for messages.

    Raises:
        ConfigurationError: The schema is not valid, or has references.
    """
    check_answer(schema, where)
    told = deepcopy(dict(schema))
    find_problems = create_validator(told, where)

    def check(value: Any) -> Any:
        problems = find_problems(value, _MAX_PROBLEMS)
        if problems:
            # The places and the rules, and not the answer.
            raise PydanticCustomError(
                "json_schema",
                "it breaks the schema at {places}",
                {"places": _tell_places(problems)},
            )
        return value

    class Answer:
        @classmethod
        def __get_pydantic_core_schema__(cls, _: Any, __: Any) -> core_schema.CoreSchema:
            return core_schema.no_info_after_validator_function(check, core_schema.any_schema())

        @classmethod
        def __get_pydantic_json_schema__(cls, _: Any, __: Any) -> dict[str, Any]:
            return deepcopy(told)

    # What messages call it.
    Answer.__qualname__ = "value of its JSON Schema"
    return Answer


def check_answer(schema: Mapping[str, Any], where: str) -> None:
    """Refuse a JSON Schema that no answer can be checked against.

    Args:
        schema: The schema.
        where: What it is of, for messages.

    Raises:
        ConfigurationError: It is not valid, or has references, which forms for people cannot follow.
    """
    if any("$ref" in item or "$dynamicRef" in item for item in _walk(schema)):
        raise ConfigurationError(f"{where}: '$ref' may not stand here: write out what it refers to")
    create_validator(schema, where)


def _walk(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    waiting: list[Any] = [schema]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Mapping):
            yield item
            waiting.extend(item.values())
        elif isinstance(item, (list, tuple)):
            waiting.extend(item)


def _tell_places(problems: list[str]) -> str:
    return ", ".join(problem.partition(": ")[0] for problem in problems)
