"""Blueprints: agents as YAML files, read strictly and without running anything."""

from agent_factory.core.blueprints.adapters import Adapters, ModelFactory, ToolsetFactory
from agent_factory.core.blueprints.assembly import Assembly, assemble, create_agent
from agent_factory.core.blueprints.checking import check_blueprint, find_problems
from agent_factory.core.blueprints.exporting import (
    ExportError,
    create_blueprint,
    write_blueprint,
)
from agent_factory.core.blueprints.loading import (
    BlueprintFile,
    LoadedSuite,
    load_blueprint,
    parse_blueprint,
)
from agent_factory.core.blueprints.schema import (
    SCHEMA_VERSION,
    AgentSection,
    Blueprint,
    LimitsSection,
    ModelSection,
    ModelSettings,
    PermissionsSection,
    ToolSection,
    ToolsetSection,
    ToolUseSection,
)

__all__ = [
    "SCHEMA_VERSION",
    "Adapters",
    "AgentSection",
    "Assembly",
    "Blueprint",
    "BlueprintFile",
    "ExportError",
    "LimitsSection",
    "LoadedSuite",
    "ModelFactory",
    "ModelSection",
    "ModelSettings",
    "PermissionsSection",
    "ToolSection",
    "ToolUseSection",
    "ToolsetFactory",
    "ToolsetSection",
    "assemble",
    "check_blueprint",
    "create_agent",
    "create_blueprint",
    "find_problems",
    "load_blueprint",
    "parse_blueprint",
    "write_blueprint",
]
