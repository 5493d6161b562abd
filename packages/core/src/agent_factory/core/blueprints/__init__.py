"""Blueprints: agents as YAML files, read strictly and without running anything."""

from agent_factory.core.blueprints.assembly import create_agent
from agent_factory.core.blueprints.loading import BlueprintFile, load_blueprint, parse_blueprint
from agent_factory.core.blueprints.schema import (
    SCHEMA_VERSION,
    AgentSection,
    Blueprint,
    LimitsSection,
    ToolSection,
)

__all__ = [
    "SCHEMA_VERSION",
    "AgentSection",
    "Blueprint",
    "BlueprintFile",
    "LimitsSection",
    "ToolSection",
    "create_agent",
    "load_blueprint",
    "parse_blueprint",
]
