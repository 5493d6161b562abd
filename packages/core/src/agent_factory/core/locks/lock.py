"""The lock of a blueprint: what it was when somebody looked at it, by digests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.locks.canonical import compute_digest, freeze, shorten_number, thaw
from agent_factory.core.locks.manifests import manifest_from_dict, manifest_to_dict
from agent_factory.core.locks.parts import DependencyPart, ModelPart, Parts, ToolPart, ToolsetPart
from agent_factory.core.locks.shapes import LOCK_SCHEMA, SECTIONS, find_faults
from agent_factory.core.permissions.manifest import Permissions

__all__ = ["Lock", "create_dependency_parts", "create_lock", "write_lock"]


@dataclass(frozen=True, slots=True)
class Lock:
    """A blueprint's parts by their digests. It is the same on every machine, and has no time and no absolute path in it.

    Attributes:
        name: Name of the blueprint.
        version: Its version.
        entry: The agent or the workflow that a run begins with.
        meaning: Digest of what the blueprint says and what belongs to it: everything but its name and version, what
            is told of it, and what others decide: prices, packages, and what tools tell a model of themselves.
        permissions: What the blueprint may touch.
        sections: Entries by the part they belong to and their name, as in the file.

    Raises:
        ConfigurationError: Something may not stand in a lock.
    """

    name: str
    version: str
    entry: str
    meaning: str
    permissions: Permissions
    sections: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        """Check the entries, and keep copies."""
        unknown = sorted(set(self.sections) - set(SECTIONS))
        if unknown:
            raise ConfigurationError(f"a lock has no part {unknown[0]!r}")
        kept = {
            section: freeze(self.sections[section], section)
            for section in SECTIONS
            if self.sections.get(section)
        }
        object.__setattr__(self, "sections", MappingProxyType(kept))
        # So that two ways to write the same permissions make equal locks.
        permissions = manifest_from_dict(manifest_to_dict(self.permissions))
        object.__setattr__(self, "permissions", permissions)
        content = self.to_dict()
        if _has_nul(content):
            # Readers of YAML, which find the places of problems, refuse it.
            raise ConfigurationError(
                "a name or a value of the blueprint has the character NUL in it"
            )
        for fault in find_faults(content):
            raise ConfigurationError(f"Lock: {'.'.join(map(str, fault.path))}: {fault.message}")

    @property
    def digest(self) -> str:
        """Digest of everything in the lock."""
        return compute_digest(self._to_content())

    def to_dict(self) -> dict[str, Any]:
        """Return the lock as plain JSON-compatible data, as in the file."""
        return {**self._to_content(), "digest": self.digest}

    def _to_content(self) -> dict[str, Any]:
        manifest = manifest_to_dict(self.permissions)
        content: dict[str, Any] = {
            "schema": LOCK_SCHEMA,
            "blueprint": {
                "name": self.name,
                "version": self.version,
                "entry": self.entry,
                "digest": self.meaning,
            },
            "permissions": {"digest": compute_digest(manifest), "manifest": manifest},
        }
        content |= thaw(self.sections)
        return content


def create_lock(parts: Parts) -> Lock:
    """Return the lock of a blueprint. The same parts give the same lock everywhere.

    Args:
        parts: What the blueprint consists of.

    Raises:
        ConfigurationError: A part has what JSON cannot hold exactly.
    """
    schemas = {"inputs": parts.inputs, "outputs": parts.outputs}
    sections: dict[str, dict[str, Any]] = {
        "schemas": {
            name: compute_digest(schema) for name, schema in schemas.items() if schema is not None
        },
        "tools": {name: _lock_tool(tool) for name, tool in parts.tools.items()},
        "toolsets": {name: _lock_toolset(toolset) for name, toolset in parts.toolsets.items()},
        "models": {name: _lock_model(model) for name, model in parts.models.items()},
        "limits": {name: shorten_number(limit) for name, limit in parts.limits.items()},
        "dependencies": {name: _lock_dependency(item) for name, item in parts.dependencies.items()},
    }
    for section in ("agents", "evals", "guardrails", "memory", "prompts", "workflows"):
        items: Mapping[str, Any] = getattr(parts, section)
        sections[section] = {name: compute_digest(item) for name, item in items.items()}
    return Lock(
        parts.name,
        parts.version,
        parts.entry,
        _compute_meaning(parts, sections),
        parts.permissions,
        sections,
    )


def create_dependency_parts(
    name: str, path: str, lock: Lock, *, requires: str = ""
) -> dict[str, DependencyPart]:
    """Return a dependency as a part, and those that it depends on itself, whose names begin with its own.

    Args:
        name: The name that the blueprint has for it.
        path: Where it is, relative to the folder of the blueprint.
        lock: Its own lock as it stands in its file.
        requires: The range of versions that the blueprint asks for; empty if it asks for none.

    Raises:
        ConfigurationError: The path or the range is none.
    """
    parts = {name: DependencyPart(path, lock.version, lock.digest, requires, lock.meaning)}
    for inner, entry in lock.sections.get("dependencies", {}).items():
        parts[f"{name}/{inner}"] = DependencyPart(
            entry["path"], entry["version"], entry["digest"], entry.get("requires", "")
        )
    return parts


def write_lock(lock: Lock) -> str:
    """Return a lock as the text of its file: JSON in ASCII, one value a line, keys sorted, so that changes are easy to see.

    Args:
        lock: The lock.
    """
    # ASCII: what cannot be seen, or looks like something else, shows in a review.
    return json.dumps(lock.to_dict(), indent=2, sort_keys=True, allow_nan=False) + "\n"


def _has_nul(value: object) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(_has_nul(item) for pair in value.items() for item in pair)
    return isinstance(value, list) and any(map(_has_nul, value))


def _compute_meaning(parts: Parts, sections: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the digest of what the blueprint itself says, which needs no package, no server and no price to be known."""
    said: dict[str, Any] = {name: dict(items) for name, items in sections.items()}
    said["tools"] = {
        name: {key: entry[key] for key in ("use", "options")}
        for name, entry in sections["tools"].items()
    }
    said["models"] = {
        name: {key: entry[key] for key in ("use", "settings")}
        for name, entry in sections["models"].items()
    }
    said["toolsets"] = {name: entry["config"] for name, entry in sections["toolsets"].items()}
    said["entry"] = parts.entry
    said["permissions"] = manifest_to_dict(parts.permissions)
    return compute_digest(said)


def _lock_tool(tool: ToolPart) -> dict[str, Any]:
    entry: dict[str, Any] = {"use": tool.use, "options": compute_digest(tool.options)}
    if tool.spec is not None:
        entry["spec"] = compute_digest(tool.spec)
    if tool.distribution:
        entry["distribution"] = tool.distribution
    return entry


def _lock_toolset(toolset: ToolsetPart) -> dict[str, Any]:
    entry: dict[str, Any] = {"config": compute_digest(toolset.config)}
    if toolset.tools is not None:
        entry["tools"] = {name: compute_digest(spec) for name, spec in toolset.tools.items()}
    return entry


def _lock_model(model: ModelPart) -> dict[str, Any]:
    entry: dict[str, Any] = {"use": model.use, "settings": compute_digest(model.settings)}
    if model.price is not None and model.as_of is not None:
        entry["price"] = {
            "input": model.price.input,
            "output": model.price.output,
            "cached_input": model.price.cached_input,
            "per_request": model.price.per_request,
            "currency": model.currency,
            "as_of": model.as_of.isoformat(),
        }
    return entry


def _lock_dependency(dependency: DependencyPart) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "path": dependency.path,
        "version": dependency.version,
        "digest": dependency.digest,
    }
    if dependency.requires:
        entry["requires"] = dependency.requires
    return entry
