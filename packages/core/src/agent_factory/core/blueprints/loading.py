"""Reading a blueprint file and telling everything that is wrong with it, each at its place."""

from __future__ import annotations

import types
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from agent_factory.core.blueprints.document import MAX_BYTES, Document, read_document
from agent_factory.core.blueprints.schema import SCHEMA_VERSION, Blueprint
from agent_factory.core.exceptions import BlueprintError
from agent_factory.core.source import Location, Problem
from agent_factory.core.suggestions import describe_choices

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["BlueprintFile", "create_problems", "load_blueprint", "parse_blueprint"]


@dataclass(frozen=True, slots=True)
class BlueprintFile:
    """A blueprint together with where it came from.

    Attributes:
        blueprint: What the file says.
        document: The file's text with its places, for messages.
        folder: The folder that relative paths in the file start from.
    """

    blueprint: Blueprint
    document: Document
    folder: Path


def load_blueprint(file: Path) -> BlueprintFile:
    """Read and check a blueprint file. Nothing that it names is looked up or run.

    Args:
        file: The file, YAML in UTF-8 of at most 1 MiB.

    Returns:
        The blueprint.

    Raises:
        BlueprintError: The file cannot be read, or breaks the schema; it has every problem.
    """
    try:
        with file.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        reason = "there is no such file" if isinstance(error, FileNotFoundError) else error.strerror
        raise BlueprintError(
            f"{file} cannot be read",
            problems=[Problem(Location(str(file), 1, 1), f"{reason}")],
        ) from error
    return parse_blueprint(content, name=str(file), folder=file.parent)


def parse_blueprint(content: bytes, *, name: str, folder: Path) -> BlueprintFile:
    """Check the content of a blueprint file.

    Args:
        content: The bytes of the file.
        name: The file's name for messages.
        folder: The folder that relative paths in the blueprint start from.

    Returns:
        The blueprint.

    Raises:
        BlueprintError: The content breaks YAML or the schema; it has every problem.
    """
    document = read_document(content, name)
    if document.problems:
        raise _to_error(name, document.problems)
    try:
        blueprint = Blueprint.model_validate(document.value)
    except ValidationError as error:
        raise _to_error(name, create_problems(document, error, Blueprint)) from None
    return BlueprintFile(blueprint, document, folder)


def _to_error(name: str, problems: Sequence[Problem]) -> BlueprintError:
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    return BlueprintError(f"{name} has {count}", problems=problems)


def create_problems(
    document: Document,
    error: ValidationError,
    model: type[BaseModel],
    prefix: tuple[str | int, ...] = (),
) -> list[Problem]:
    """Turn pydantic's errors into problems at their places in the file.

    Args:
        document: The file.
        error: What pydantic found.
        model: The model that was validated.
        prefix: Where in the file the validated value is.

    Returns:
        The problems, in the order of the file.
    """
    problems = []
    for item in error.errors(include_url=False):
        path = (*prefix, *item["loc"])
        kind = item["type"]
        if kind == "extra_forbidden":
            known = _known_keys(model, item["loc"][:-1])
            hint = "" if known is None else f": {describe_choices(str(item['loc'][-1]), known)}"
            message, at_key = f"unknown key {item['loc'][-1]!r}{hint}", True
        elif kind == "missing":
            message, at_key = f"the key {item['loc'][-1]!r} is missing", True
        else:
            message, at_key = _describe(item["loc"], kind, item), False
        problems.append(document.create_problem(path, message, at_key=at_key))
    return sorted(problems, key=lambda found: (found.location.line, found.location.column))


def _describe(loc: tuple[str | int, ...], kind: str, item: Any) -> str:
    place = ".".join(str(part) for part in loc) or "a blueprint"
    value = item["input"]
    if kind == "model_type":
        return f"{place} must be a mapping of keys to values, not {_name_kind(value)}"
    if kind == "tuple_type":
        return f"{place} must be a list, not {_name_kind(value)}"
    if loc[-1:] == ("schema",):
        return f"schema must be {SCHEMA_VERSION!r}, not {value!r}"
    if kind == "string_type" and isinstance(value, (bool, int, float)):
        return f"{place} must be text, not {_name_kind(value)}: put it in quotes"
    if kind == "string_pattern_mismatch" and loc[-1:] == ("version",):
        return f"{place} must be three numbers such as '0.1.0', not {value!r}"
    if kind == "string_pattern_mismatch" and loc[-1:] == ("name",):
        return f"{place} must be lower-case letters, digits and '-', not {value!r}"
    said = str(item["msg"])
    return f"{place}: {said[:1].lower()}{said[1:]}, not {_name_kind(value)}"


def _name_kind(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."


def _known_keys(model: type[BaseModel], loc: tuple[str | int, ...]) -> list[str] | None:
    """Return the keys that the model at the end of a path has; None where the path leads to no one model."""
    current: Any = model
    for part in loc:
        if _is_model(current):
            named = {field.alias or name: field for name, field in current.model_fields.items()}
            current = named[part].annotation if part in named else None
        else:
            # The items of a list come first in its type, the values of a dict last.
            arguments = [item for item in get_args(current) if item is not ...]
            current = arguments[-1] if arguments else None
        current = _strip(current)
    if not _is_model(current):
        return None
    return [field.alias or name for name, field in current.model_fields.items()]


def _is_model(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _strip(annotation: Any) -> Any:
    """Take away what surrounds a model or a sequence of models in an annotation."""
    if get_origin(annotation) is Annotated:
        return _strip(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        several = [item for item in get_args(annotation) if item is not type(None)]
        return _strip(several[0]) if len(several) == 1 else None
    return annotation
