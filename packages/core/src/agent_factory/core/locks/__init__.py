"""Locks: what a blueprint was when somebody looked at it, and what two of its versions differ in."""

from agent_factory.core.locks.canonical import canonicalise, compute_digest, normalise_newlines
from agent_factory.core.locks.changes import Change
from agent_factory.core.locks.diff import BlueprintDiff, compare
from agent_factory.core.locks.drift import Drift, check_lock
from agent_factory.core.locks.lock import Lock, create_dependency_parts, create_lock, write_lock
from agent_factory.core.locks.parts import DependencyPart, ModelPart, Parts, ToolPart, ToolsetPart
from agent_factory.core.locks.permission_changes import PermissionChange, compare_permissions
from agent_factory.core.locks.ranges import VersionRange, parse_range
from agent_factory.core.locks.reading import read_lock
from agent_factory.core.locks.schema_changes import SchemaChange, compare_schemas
from agent_factory.core.locks.shapes import LOCK_SCHEMA
from agent_factory.core.locks.versions import Level, Version, check_version, parse_version

__all__ = [
    "LOCK_SCHEMA",
    "BlueprintDiff",
    "Change",
    "DependencyPart",
    "Drift",
    "Level",
    "Lock",
    "ModelPart",
    "Parts",
    "PermissionChange",
    "SchemaChange",
    "ToolPart",
    "ToolsetPart",
    "Version",
    "VersionRange",
    "canonicalise",
    "check_lock",
    "check_version",
    "compare",
    "compare_permissions",
    "compare_schemas",
    "compute_digest",
    "create_dependency_parts",
    "create_lock",
    "normalise_newlines",
    "parse_range",
    "parse_version",
    "read_lock",
    "write_lock",
]
