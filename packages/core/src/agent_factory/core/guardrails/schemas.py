"""The guardrail that demands JSON of a given shape."""

from __future__ import annotations

import json
import math
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.guardrails._options import check_action, object_to, read_stages
from agent_factory.core.guardrails._origins import remember_origin
from agent_factory.core.guardrails.guardrail import (
    Guardrail,
    GuardrailContext,
    GuardrailStage,
    Verdict,
)
from agent_factory.core.guardrails.redaction import redact_secrets

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from jsonschema_rs import Draft202012Validator, ValidationError

__all__ = ["require_json_schema"]

MAX_PROBLEMS = 5
MAX_NAME = 40
_Action = Literal["retry", "block"]


@remember_origin
def require_json_schema(
    schema: Mapping[str, Any] | bool,
    *,
    stages: Iterable[GuardrailStage] = ("output",),
    action: _Action = "retry",
    name: str = "require_json_schema",
) -> Guardrail:
    """Return a guardrail that lets only JSON pass that fits a schema.

    The text must be JSON and nothing else: no code fence, no words around it, no ``NaN``, no key twice in an object. The reason
    of an objection lists at most 5 problems with the places of the values (RFC 6901), and never the values.

    Args:
        schema: JSON Schema, draft 2020-12. References lead to the schema itself only; nothing is fetched. Its patterns
            are matched in linear time, and so must do without look-around and backreferences.
        stages: What it looks at.
        action: What happens to other texts: ``retry`` tells the model what is wrong, ``block`` ends the run.
        name: Name for people and records.

    Raises:
        ConfigurationError: A value is refused, or the schema cannot be used.
    """
    check_action(name, action, _Action)
    validator = _compile(name, schema)

    def check(text: str, context: GuardrailContext[object]) -> Verdict:
        if context.outcome != "ok":  # an error of a tool is words
            return Verdict.allow()
        try:
            value = json.loads(
                text, parse_constant=_refuse, parse_float=_to_float, object_pairs_hook=_to_object
            )
            errors = list(islice(validator.iter_errors(value), MAX_PROBLEMS + 1))
        except _RefusedError as error:
            return object_to(action, f"the text is not acceptable JSON: {error}")
        except json.JSONDecodeError as error:
            return object_to(
                action,
                f"the text is not JSON: {error.msg} at line {error.lineno}, column {error.colno}; "
                "write the JSON only, without a code fence or words around it",
            )
        except (RecursionError, ValueError):
            return object_to(action, "the text is not JSON that can be checked: too deep or large")
        if not errors:
            return Verdict.allow()
        listed = "; ".join(map(_describe, errors[:MAX_PROBLEMS]))
        listed += "; and more" if len(errors) > MAX_PROBLEMS else ""
        return object_to(action, f"the JSON does not fit the schema: {listed}")

    return Guardrail(name, read_stages(name, stages), check)


def _compile(name: str, schema: Mapping[str, Any] | bool) -> Draft202012Validator:
    # Imported here, so that only who uses the guardrail pays for it.
    import jsonschema_rs

    plain = schema if isinstance(schema, bool) else dict(schema)
    try:
        return jsonschema_rs.Draft202012Validator(
            plain,
            mask="the value",
            retriever=_retrieve,
            pattern_options=jsonschema_rs.RegexOptions(),
        )
    except ValueError as error:
        place = "".join(f"/{part}" for part in getattr(error, "instance_path", ()))
        raise ConfigurationError(
            f"guardrail {name!r}: the schema cannot be used: at {place or 'the top'!r}: {str(error).splitlines()[0]}; it must be "
            "JSON Schema of draft 2020-12 that refers to nothing outside itself, with patterns without look-around"
        ) from None


def _retrieve(_uri: str) -> Any:
    raise ValueError("nothing outside the schema is fetched")


class _RefusedError(ValueError):
    """JSON that Python would read and that is refused."""


def _refuse(constant: str) -> None:
    raise _RefusedError(f"{constant} is not a number of JSON")


def _to_float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        # The validator would take infinity for null.
        raise _RefusedError("a number is too large")
    return value


def _to_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        # Which one counts depends on who reads it, so what was checked might not be what is used.
        raise _RefusedError("an object has the same key twice")
    return value


def _describe(error: ValidationError) -> str:
    place = "".join(f"/{_escape(part)}" for part in error.instance_path)
    where = f"at {place!r}" if place else "at the top"
    kind = error.kind.name
    # What the validator says of these repeats what the model wrote.
    if kind in ("additionalProperties", "unevaluatedProperties"):
        keys = error.kind.as_dict()["unexpected"][:MAX_PROBLEMS]
        return f"{where}: the keys {', '.join(repr(_shorten(str(key))) for key in keys)} are not allowed"
    if kind == "propertyNames":
        return f"{where}: a key does not fit 'propertyNames'"
    if kind in ("additionalItems", "unevaluatedItems"):
        return f"{where}: there are more items than are allowed"
    # The schema is the program's own; the mask keeps values out.
    return f"{where}: {error.message[:200]}"


def _escape(part: str | int) -> str:
    return _shorten(str(part).replace("~", "~0").replace("/", "~1"))


def _shorten(key: str) -> str:
    """Return a key that a model wrote, without a secret in it and not longer than a line can bear."""
    key = redact_secrets(key)
    return key if len(key) <= MAX_NAME else f"{key[:MAX_NAME]}..."
