"""Workflows of blueprints: checked without running anything, and made of the same parts as those in Python."""

from agent_factory.core.blueprints.workflows.checking import check_workflow
from agent_factory.core.blueprints.workflows.compiling import create_workflow

__all__ = ["check_workflow", "create_workflow"]
