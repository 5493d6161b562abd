"""Templates for new blueprints."""

from agent_factory.cli.templates.creating import (
    CreatedBlueprint,
    create_from_template,
    list_templates,
)
from agent_factory.cli.templates.template import Template

__all__ = ["CreatedBlueprint", "Template", "create_from_template", "list_templates"]
