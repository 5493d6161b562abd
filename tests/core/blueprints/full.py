"""A blueprint that says everything that a blueprint can say, for tests that change it in any way."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from agent_factory.core.blueprints import Adapters, BlueprintFile, parse_blueprint
from agent_factory.core.permissions import Need
from agent_factory.core.toolsets import Toolset, create_tools_per_run
from tests.core.blueprints.making import create_adapters
from tests.utils import create_test_tool

if TYPE_CHECKING:
    from pathlib import Path

    from agent_factory.core.blueprints.schema import ToolsetSection
    from agent_factory.core.registry import ToolEnvironment

__all__ = ["FULL", "Toolsets", "create_full_adapters", "parse_data", "write_files"]

TEXT = {"type": "string"}
OBJECT = {"type": "object", "properties": {"topic": TEXT}, "required": ["topic"]}

FULL: dict[str, Any] = {
    "schema": "agent-factory/blueprint@1",
    "name": "full",
    "version": "1.2.3",
    "description": "Says everything.",
    "metadata": {
        "authors": ["Ada"],
        "license": "MIT",
        "homepage": "https://example.com/full",
        "keywords": ["all"],
    },
    "inputs": {**OBJECT, "additionalProperties": False},
    "outputs": {"type": "object", "properties": {"total": {"type": "integer"}}},
    "entry": "lead",
    "models": {
        "fast": {
            "use": "default",
            "settings": {
                "temperature": 0.5,
                "top_p": 0.9,
                "seed": 7,
                "reasoning_effort": "low",
            },
            "fallbacks": ["spare"],
        },
        "spare": "other",
    },
    "prompts": {"kind": "Be kind.", "long": {"file": "prompts/long.md"}},
    "tools": {
        "look": {
            "use": "echo",
            "with": {"folder": "docs"},
            "description": "Looks.",
            "approval": True,
            "timeout": 7,
        },
        "get": {"use": "fetch", "with": {"host": "api.example.com", "secret": "TOKEN"}},
    },
    "toolsets": {
        "local": {
            "mcp": {
                "command": ["server", "--stdio"],
                "environment": {"KEY": {"secret": "TOKEN", "prefix": "Key "}, "MODE": "fast"},
                "folder": "docs",
                "effects": {"search": "read"},
                "trust_hints": True,
                "timeout": 5,
                "call_timeout": 6,
            },
            "prefix": "web_",
            "approval_for": ["search"],
        },
        "remote": {
            "mcp": {
                "url": "https://api.example.com/mcp",
                "headers": {"X-Key": {"secret": "TOKEN"}, "X-Mode": {"text": "fast"}},
            },
            "approval": True,
        },
        "api": {
            "openapi": {
                "file": "api.yaml",
                "server": "https://api.example.com/v1",
                "operations": ["list"],
                "authentication": {"kind": "header", "secret": "TOKEN", "name": "X-Key"},
                "timeout": 9,
            }
        },
    },
    "agents": {
        "lead": {
            "description": "Leads.",
            "model": "fast",
            "instructions": {"prompt": "kind"},
            "prompt": "Write about {{input.topic}}.",
            "tools": [
                "look",
                {"use": "echo", "with": {"folder": "docs"}, "name": "again"},
                {"toolset": "local", "approval": True},
                {"agent": "clerk", "name": "ask_clerk", "description": "Asks the clerk."},
                {"blueprint": "helper", "approval": True},
            ],
            "output": {"type": "object", "properties": {"total": {"type": "integer"}}},
            "output_mode": "tool",
            "guardrails": ["detect_secrets", "short"],
            "memory": "recent",
            "limits": {
                "max_requests": 20,
                "max_tool_calls": 5,
                "max_output_retries": 1,
                "timeout": 30,
                "max_tokens": 9000,
                "max_cost": "0.20 USD",
                "max_output_tokens": 900,
                "max_parallel_tools": 2,
                "approval_timeout": 60,
            },
            "handoffs": ["heir"],
        },
        "clerk": {"instructions": {"file": "prompts/long.md"}, "model": "other"},
        "heir": {"instructions": {"text": "Go on."}, "tools": [{"toolset": "api"}]},
    },
    "workflows": {
        "flow": {
            "description": "Goes on.",
            "steps": [
                {
                    "name": "plan",
                    "agent": "clerk",
                    "input": "Plan {{input.topic}}",
                    "retry": {"max_attempts": 2, "first_delay": 0.1, "max_delay": 0.2},
                    "timeout": 5,
                },
                {"name": "seen", "tool": "look", "arguments": {"text": "{{steps.plan}}"}},
                {"name": "noted", "value": {"plan": "{{steps.plan}}"}},
                {"name": "good", "ask": "Good?", "answer": {"type": "boolean"}},
                {
                    "name": "each",
                    "for_each": ["a", "b"],
                    "steps": [{"name": "one", "tool": "look", "arguments": {"text": "{{item}}"}}],
                    "max_items": 5,
                    "limit": 2,
                },
                {"name": "both", "parallel": [{"name": "left", "ask": "Left?"}]},
                {
                    "name": "which",
                    "switch": "{{steps.good}}",
                    "cases": {"true": [{"name": "yes", "ask": "Sure?"}]},
                    "otherwise": [{"name": "no", "ask": "Why?"}],
                },
                {
                    "name": "loop",
                    "repeat": [{"name": "turn", "ask": "Again?"}],
                    "until": {"value": "{{steps.turn}}", "equals": "no"},
                    "max_turns": 3,
                    "start": "yes",
                },
                {
                    "name": "careful",
                    "try": [{"name": "risk", "tool": "look", "arguments": {"text": "x"}}],
                    "on_error": [{"name": "sorry", "ask": "{{error.message}}"}],
                },
            ],
            "output": {"plan": "{{steps.plan}}"},
        },
        "counting": {
            "steps": [
                {
                    "name": name,
                    "repeat": [{"name": f"{name}_turn", "ask": "How many?"}],
                    "until": {"value": f"{{{{steps.{name}_turn}}}}", test: 3},
                    "max_turns": 3,
                }
                for name, test in (("a", "not_equals"), ("b", "at_least"), ("c", "at_most"))
            ]
        },
    },
    "guardrails": {
        "short": {
            "use": "limit_length",
            "with": {"max_chars": 500, "stages": ["output"]},
            "tools": ["look"],
        },
        "fair": {"use": "judge", "with": {"criteria": "Be fair.", "stages": ["output"]}},
        "plain": "detect_secrets",
    },
    "memory": {
        "recent": [{"keep_last": 4}, {"keep_window": 1000}],
        "brief": {"summarise": {"max_tokens": 100, "keep_tokens": 50, "model": "other"}},
    },
    "limits": {"max_requests": 9, "max_cost": "0.30 USD"},
    "permissions": {
        "models": ["default", "other"],
        "tools": ["echo", "fetch", "local/search", "remote/*", "api/list"],
        "hosts": ["api.example.com"],
        "private_hosts": ["http://localhost:8080"],
        "secrets": ["TOKEN"],
        "files": {"read": ["docs"], "write": ["out"]},
        "commands": ["server"],
        "spend": "0.50 USD",
        "timeout": 60,
    },
    "dependencies": {"helper": {"path": "helper/blueprint.yaml", "version": "^1.0"}},
    "evals": {
        "smoke": {
            "description": "Works at all.",
            "target": "lead",
            "repetitions": 2,
            "seed": 3,
            "concurrency": 2,
            "timeout": 20,
            "gate": {
                "min_pass_rate": 0.5,
                "min_mean_score": 0.4,
                "min_pass_power": 0.3,
                "max_cost": "0.10 USD",
                "max_flaky": 1,
            },
            "cassette": "cassettes/smoke.yaml",
            "approve": True,
            "answers": {"good": True},
            "cases": [
                {
                    "name": "one",
                    "input": {"topic": "lids"},
                    "tags": ["fast"],
                    "expect": [
                        {"exact": "42"},
                        {"contains": {"all_of": ["a"], "none_of": ["b"], "ignore_case": True}},
                        {"matches": "[0-9]+"},
                        {"json_schema": {"type": "object"}},
                        {"number": {"value": 3, "absolute": 1, "relative": 0.1, "at": "/total"}},
                        {
                            "tool_called": {
                                "name": "look",
                                "min_times": 2,
                                "max_times": 3,
                                "arguments": {"text": "x"},
                                "outcome": "ok",
                            }
                        },
                        {"tool_not_called": "again"},
                        {"tool_order": ["look", "again"]},
                        {"judge": {"criteria": "Good.", "model": "fast", "min_score": 0.5}},
                        {"fails": "guardrail"},
                        {"max_cost": "0.05 USD"},
                        {"max_requests": 3},
                        {"max_tool_calls": 4},
                    ],
                }
            ],
        }
    },
    "evals_file": "evals.yaml",
}

FILES = {
    "prompts/long.md": "Take your time.\nThen answer.\n",
    "api.yaml": "openapi: 3.1.0\ninfo: {title: A, version: '1'}\npaths: {}\n",
    "evals.yaml": (
        "schema: agent-factory/evals@1\nevals:\n  more:\n    cases:\n"
        "      - {name: two, input: {topic: jars}, expect: [{contains: jars}]}\n"
    ),
    "helper/blueprint.yaml": (
        "schema: agent-factory/blueprint@1\nname: helper\nversion: 1.4.0\n"
        "permissions: {models: [default]}\nagent: {instructions: Help.}\n"
    ),
}


class Toolsets:
    """Makes toolsets of one tool, ``search``, and keeps what was closed."""

    def __init__(self) -> None:
        self.closed: list[str] = []

    def find_needs(self, section: ToolsetSection, file: BlueprintFile) -> tuple[Need, ...]:
        """Return nothing: what toolsets need is another test's matter."""
        del section, file
        return ()

    def create(
        self,
        name: str,
        section: ToolsetSection,
        file: BlueprintFile,
        environment: ToolEnvironment,
    ) -> Toolset[object]:
        """Return a toolset that can be closed."""
        del section, file, environment
        closed = self.closed

        class Closable(Toolset[object]):
            async def list_tools(self, context: Any) -> Any:
                return await create_tools_per_run(
                    lambda _: [create_test_tool("search")]
                ).list_tools(context)

            async def aclose(self) -> None:
                closed.append(name)

        return Closable()


def create_full_adapters(toolsets: Toolsets | None = None) -> Adapters:
    """Return what the blueprint is put together with."""
    return replace(create_adapters(), toolsets=toolsets or Toolsets())


def write_files(folder: Path, line_end: str = "\n") -> None:
    """Write the files that belong to the blueprint."""
    for path, text in FILES.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.replace("\n", line_end).encode())


def parse_data(data: object, folder: Path) -> BlueprintFile:
    """Return the blueprint that plain data makes; JSON is YAML."""
    content = json.dumps(deepcopy(data), indent=1).encode()
    return parse_blueprint(content, name=str(folder / "blueprint.yaml"), folder=folder)
