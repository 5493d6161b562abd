"""The built-in guardrails as blueprints name them, with their options."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from agent_factory.core.blueprints.schema.base import JsonSchema, Section
from agent_factory.core.guardrails import (
    allow_hosts,
    detect_personal_data,
    detect_secrets,
    judge,
    limit_length,
    match_pattern,
    require_json_schema,
)
from agent_factory.core.guardrails.guardrail import GuardrailStage
from agent_factory.core.guardrails.personal_data import PERSONAL_DATA, PersonalData

if TYPE_CHECKING:
    from agent_factory.core.guardrails.guardrail import Guardrail
    from agent_factory.core.models import Model

__all__ = ["GUARDRAILS", "GuardrailEntry", "JudgeOptions", "create_guardrail"]

_Stages = tuple[GuardrailStage, ...]


class _Options(Section):
    stages: _Stages | None = Field(
        None,
        strict=False,
        min_length=1,
        description="What it looks at; each guardrail has its default.",
    )


class LimitLengthOptions(_Options):
    """Options of ``limit_length``."""

    max_chars: int = Field(ge=1, description="Characters that a text may have.")
    action: Literal["block", "retry", "truncate"] = Field(
        "block", description="What happens to a longer one."
    )


class MatchPatternOptions(_Options):
    """Options of ``match_pattern``."""

    pattern: str = Field(
        min_length=1, description="Regular expression, without references and look-around."
    )
    stages: _Stages = Field(strict=False, min_length=1, description="What it looks at.")
    action: Literal["block", "replace", "retry"] = Field(
        "block", description="What happens to a match."
    )
    require: bool = Field(False, description="Whether a text must match rather than not.")
    replacement: str = Field("[removed]", description="What takes the place of a match.")


class RequireJsonSchemaOptions(_Options):
    """Options of ``require_json_schema``."""

    json_schema: JsonSchema = Field(alias="schema", description="The JSON Schema.")
    action: Literal["retry", "block"] = Field(
        "retry", description="What happens to a text that does not fit."
    )


class AllowHostsOptions(_Options):
    """Options of ``allow_hosts``."""

    hosts: tuple[str, ...] = Field(
        strict=False, min_length=1, description="Hosts that URLs may have."
    )
    action: Literal["block", "retry"] = Field("block", description="What happens to another URL.")


class DetectPersonalDataOptions(_Options):
    """Options of ``detect_personal_data``."""

    kinds: tuple[PersonalData, ...] = Field(
        PERSONAL_DATA, strict=False, min_length=1, description="What to look for."
    )
    action: Literal["redact", "block", "retry"] = Field(
        "redact", description="What happens to a find."
    )


class DetectSecretsOptions(_Options):
    """Options of ``detect_secrets``."""

    action: Literal["redact", "block", "retry"] = Field(
        "redact", description="What happens to a find."
    )


class JudgeOptions(_Options):
    """Options of ``judge``."""

    criteria: str = Field(min_length=1, description="What a text must meet, in words.")
    stages: _Stages = Field(strict=False, min_length=1, description="What it looks at.")
    model: str = Field("default", min_length=1, description="The model that judges.")
    action: Literal["block", "retry"] = Field(
        "block", description="What happens to a text that does not."
    )
    timeout: float = Field(30.0, gt=0, le=3600, description="Seconds that the model has.")


@dataclass(frozen=True, slots=True)
class GuardrailEntry:
    """A guardrail that blueprints can use by name.

    Attributes:
        options: Model of its options.
        create: Makes it from its options as keyword arguments.
    """

    options: type[_Options]
    create: Callable[..., Guardrail[Any]]


GUARDRAILS: dict[str, GuardrailEntry] = {
    "limit_length": GuardrailEntry(LimitLengthOptions, limit_length),
    "match_pattern": GuardrailEntry(MatchPatternOptions, match_pattern),
    "require_json_schema": GuardrailEntry(RequireJsonSchemaOptions, require_json_schema),
    "allow_hosts": GuardrailEntry(AllowHostsOptions, allow_hosts),
    "detect_personal_data": GuardrailEntry(DetectPersonalDataOptions, detect_personal_data),
    "detect_secrets": GuardrailEntry(DetectSecretsOptions, detect_secrets),
    "judge": GuardrailEntry(JudgeOptions, judge),
}
"""The guardrails by name."""


def create_guardrail(
    name: str,
    use: str,
    options: _Options,
    tools: tuple[str, ...],
    create_model: Callable[[str], Model],
) -> Guardrail[Any]:
    """Make the guardrail that a blueprint describes.

    Args:
        name: Its name in the blueprint.
        use: Which one.
        options: Its options.
        tools: The tools that it looks at; all if empty.
        create_model: Makes the model of a name, for one that asks a model.

    Raises:
        ConfigurationError: An option does not go with it.
    """
    given = {
        field: getattr(options, field)
        for field in type(options).model_fields
        if field in options.model_fields_set
    }
    if isinstance(options, JudgeOptions):
        given["model"] = create_model(options.model)
    if "json_schema" in given:
        given["schema"] = given.pop("json_schema")
    positional = [
        given.pop(field)
        for field in ("max_chars", "pattern", "schema", "hosts", "kinds", "model")
        if field in given
    ][:1]
    if given.get("stages", ()) is None:
        del given["stages"]
    made = GUARDRAILS[use].create(*positional, name=name, **given)
    return replace(made, tools=frozenset(tools)) if tools else made
