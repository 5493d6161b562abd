"""Blueprints from Python: agents written down as a blueprint, and a blueprint written as YAML."""

from agent_factory.core.blueprints.exporting.creation import create_blueprint
from agent_factory.core.blueprints.exporting.exceptions import ExportError
from agent_factory.core.blueprints.exporting.writing import write_blueprint

__all__ = ["ExportError", "create_blueprint", "write_blueprint"]
