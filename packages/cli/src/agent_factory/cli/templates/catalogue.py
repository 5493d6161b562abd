"""The templates that come along."""

from __future__ import annotations

from agent_factory.cli.templates.template import Template

__all__ = ["TEMPLATES"]

TEMPLATES = (
    Template(
        "docs",
        "questions over a folder of documents, with quotations; runs without a key",
        "How long can I return an article?",
    ),
    Template(
        "extract",
        "data out of texts, in the form of a JSON Schema",
        "Please send 3 desk lamps and 1 shelf to Marta Klein, 5 Mill Lane, York, by Friday.",
    ),
    Template(
        "chat",
        "an assistant with tools, one of which asks for approval",
        "When is the office closed?",
        "chat",
    ),
    Template(
        "workflow",
        "two agents, and a question to a person between them",
        "My parcel came three days late, and the lamp in it is broken. I want my money back.",
    ),
)
"""The templates, the usual one first."""
