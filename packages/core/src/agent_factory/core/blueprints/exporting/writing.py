"""Writing a blueprint as YAML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_factory.core.blueprints.exporting.yaml_text import write_yaml
from agent_factory.core.blueprints.schema.agents import GuardrailSection, MemorySection
from agent_factory.core.blueprints.schema.base import Section
from agent_factory.core.blueprints.schema.blueprint import DependencySection
from agent_factory.core.blueprints.schema.eval_expectations import (
    ContainsSection,
    ExpectationSection,
    JudgeSection,
    NumberSection,
    ToolCalledSection,
)
from agent_factory.core.blueprints.schema.limits import LimitsSection
from agent_factory.core.blueprints.schema.models import ModelSection
from agent_factory.core.blueprints.schema.prompts import InstructionsSection, PromptSection
from agent_factory.core.blueprints.schema.tools import SecretValue, ToolSection, ToolUseSection
from agent_factory.core.blueprints.schema.workflows import (
    ConditionSection,
    StepSection,
    WorkflowSection,
)

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from agent_factory.core.blueprints.schema.blueprint import Blueprint

__all__ = ["write_blueprint"]

# The key whose value alone stands for the section, where there is no other.
_SHORT_FORMS: dict[type[Section], str] = {
    ContainsSection: "all_of",
    DependencySection: "path",
    GuardrailSection: "use",
    InstructionsSection: "text",
    JudgeSection: "criteria",
    ModelSection: "use",
    NumberSection: "value",
    PromptSection: "text",
    SecretValue: "text",
    ToolCalledSection: "name",
    ToolSection: "use",
    ToolUseSection: "use",
}

# Where it means something whether a key was given, also one with the value that it has anyway.
_AS_GIVEN = (ConditionSection, ExpectationSection, LimitsSection, StepSection, WorkflowSection)

_MAX_WHOLE = 10**15


def write_blueprint(blueprint: Blueprint) -> str:
    """Return a blueprint as the text of its file. Reading it gives the same blueprint again.

    The keys stand in the order of the schema, without those that have their default; short forms are used where there are
    any. Comments and the layout of a file that it was read from are not kept.

    Args:
        blueprint: The blueprint.

    Raises:
        ConfigurationError: A value cannot be written, such as a text with half of a character, or the file would be larger than
            what is read; the message says where.
    """
    data: dict[str, Any] = _to_data(blueprint)
    return write_yaml(data)


def _to_data(value: Any) -> Any:
    if isinstance(value, Section):
        return _section_to_data(value)
    if isinstance(value, dict):
        return {key: _to_data(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        items = [_to_data(item) for item in value]
        return items[0] if len(value) == 1 and isinstance(value[0], MemorySection) else items
    return value


def _section_to_data(section: Section) -> Any:
    data: dict[str, Any] = {}
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        if (
            name not in section.model_fields_set
            if isinstance(section, _AS_GIVEN)
            else not field.is_required() and _is_default(value, field)
        ):
            continue
        data[field.alias or name] = _write_number(value, field)
    key = _SHORT_FORMS.get(type(section))
    if key is None or data.keys() != {key}:
        return data
    short = data[key]
    if isinstance(section, ContainsSection) and len(short) == 1:
        return short[0]
    return short


def _is_default(value: Any, field: FieldInfo) -> bool:
    if isinstance(value, _AS_GIVEN):
        return not value.model_fields_set
    default = field.get_default(call_default_factory=True, validated_data={})
    return type(value) is type(default) and bool(value == default)


def _write_number(value: Any, field: FieldInfo) -> Any:
    """Return a value as data; a number of seconds without the decimals that it does not have."""
    if (
        isinstance(value, float)
        and field.annotation is not Any
        and value.is_integer()
        and abs(value) < _MAX_WHOLE
    ):
        return int(value)
    return _to_data(value)
