"""A blueprint that has a bit of everything, for the tests of locks."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from agent_factory.core.locks import DependencyPart, ModelPart, Parts, ToolPart, ToolsetPart
from agent_factory.core.permissions import Permissions
from agent_factory.core.prices import Price

__all__ = ["DIGEST", "OTHER_DIGEST", "create_parts"]

DIGEST = f"sha256:{'a' * 64}"
OTHER_DIGEST = f"sha256:{'b' * 64}"


def create_parts(**changes: Any) -> Parts:
    """Return the parts of a blueprint, some of them changed."""
    spec = {
        "name": "fetch",
        "description": "Get a page.",
        "parameters": {"type": "object", "properties": {"url": {"type": "string"}}},
    }
    parts = Parts(
        name="research",
        version="1.2.0",
        entry="main",
        metadata={"description": "Finds things out."},
        inputs={
            "type": "object",
            "properties": {"topic": {"type": "string"}},
            "required": ["topic"],
        },
        outputs={"type": "object", "properties": {"answer": {"type": "string"}}},
        prompts={"style": "Be brief.\nBe kind.\n", "agents/main/instructions": "Answer."},
        agents={"main": {"model": "default", "tools": ["fetch"]}},
        tools={
            "fetch": ToolPart(
                "http_fetch", options={"timeout": 5}, spec=spec, distribution="acme-tools 1.0.0"
            )
        },
        toolsets={"github": ToolsetPart({"url": "https://example.com"}, {"search": spec})},
        models={
            "default": ModelPart(
                "openai:gpt-5-mini",
                {"temperature": 0.5},
                Price(250_000, 2_000_000, 25_000),
                "USD",
                date(2026, 7, 24),
            )
        },
        permissions=Permissions(
            models=("openai:gpt-5-mini",),
            tools=("http_fetch", "github/*"),
            hosts=("example.com",),
            secrets=("TOKEN",),
            read=("docs",),
            spend=500_000,
            timeout=60.0,
        ),
        guardrails={"secrets": {"on": "output"}},
        memory={"default": {"kind": "window"}},
        limits={"max_requests": 10, "timeout": 60.0},
        workflows={"main": {"steps": ["main"]}},
        evals={"basic": {"cases": 3}},
        dependencies={
            "summary": DependencyPart("../summary", "1.0.0", DIGEST, "^1.0", DIGEST),
            "summary/words": DependencyPart("../words", "0.1.0", DIGEST),
        },
    )
    return replace(parts, **changes)
