"""What a blueprint may say: version 1 of the schema."""

from agent_factory.core.blueprints.schema.agents import (
    AgentSection,
    GuardrailSection,
    MemorySection,
    SummariseSection,
)
from agent_factory.core.blueprints.schema.base import parse_money
from agent_factory.core.blueprints.schema.blueprint import (
    SCHEMA_VERSION,
    Blueprint,
    DependencySection,
    MetadataSection,
)
from agent_factory.core.blueprints.schema.limits import LimitsSection
from agent_factory.core.blueprints.schema.models import ModelSection, ModelSettings
from agent_factory.core.blueprints.schema.permissions import FilesSection, PermissionsSection
from agent_factory.core.blueprints.schema.prompts import InstructionsSection, PromptSection
from agent_factory.core.blueprints.schema.tools import (
    AuthenticationSection,
    McpSection,
    OpenApiSection,
    SecretValue,
    ToolSection,
    ToolsetSection,
    ToolUseSection,
)

__all__ = [
    "SCHEMA_VERSION",
    "AgentSection",
    "AuthenticationSection",
    "Blueprint",
    "DependencySection",
    "FilesSection",
    "GuardrailSection",
    "InstructionsSection",
    "LimitsSection",
    "McpSection",
    "MemorySection",
    "MetadataSection",
    "ModelSection",
    "ModelSettings",
    "OpenApiSection",
    "PermissionsSection",
    "PromptSection",
    "SecretValue",
    "SummariseSection",
    "ToolSection",
    "ToolUseSection",
    "ToolsetSection",
    "parse_money",
]
