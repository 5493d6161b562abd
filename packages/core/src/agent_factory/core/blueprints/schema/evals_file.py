"""A file with suites of test cases, beside a blueprint."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from agent_factory.core.blueprints.schema.base import Name, Section
from agent_factory.core.blueprints.schema.evals import SuiteSection

__all__ = ["EvalsFile"]


class EvalsFile(Section):
    """A file with suites of test cases."""

    schema_version: Literal["agent-factory/evals@1"] = Field(
        alias="schema", description="Version of the schema that the file follows."
    )
    evals: dict[Name, SuiteSection] = Field(
        default_factory=dict, description="Suites of test cases by name."
    )
