"""What a blueprint consists of, by parts: what is locked and compared."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.locks.canonical import DIGEST, freeze, normalise_newlines
from agent_factory.core.locks.ranges import parse_range
from agent_factory.core.locks.versions import parse_version
from agent_factory.core.permissions.manifest import Permissions
from agent_factory.core.prices.table import Price

__all__ = [
    "BLUEPRINT_NAME",
    "MAX_NAME_CHARS",
    "DependencyPart",
    "ModelPart",
    "Parts",
    "ToolPart",
    "ToolsetPart",
    "check_dependency_path",
]

MAX_NAME_CHARS = 200
"""Characters of the name of a part."""

BLUEPRINT_NAME = re.compile(r"[a-z][a-z0-9-]{0,63}")
"""What the name of a blueprint looks like, as a whole."""

# Readers of YAML, which find the places of problems, take no longer key that is written in one line.
_MAX_ESCAPED = 1000


@dataclass(frozen=True, slots=True)
class ToolPart:
    """A tool that a blueprint uses.

    Attributes:
        use: Name of the tool in the registry.
        options: Its options as the blueprint has them.
        spec: What a model is told of it: ``name``, ``description`` and ``parameters``; None as long as the tool was not
            made, as in a validation, which imports no package.
        distribution: Name and version of the installed package that declares it, such as ``acme-tools 1.2.0``; empty
            for a tool that comes along.

    Raises:
        ConfigurationError: A value is no JSON, or a text is missing.
    """

    use: str
    options: Mapping[str, Any] = field(default_factory=dict)
    spec: Mapping[str, Any] | None = None
    distribution: str = ""

    def __post_init__(self) -> None:
        """Check the values, and keep copies."""
        _check_text(self.use, "ToolPart.use")
        if self.distribution:
            _check_text(self.distribution, "ToolPart.distribution")
        _freeze(self, "options", "spec")


@dataclass(frozen=True, slots=True)
class ToolsetPart:
    """Tools that come together, as from a server.

    Attributes:
        config: The toolset as the blueprint has it; paths as they are written there.
        tools: What a model is told of each tool, by name, as `ToolPart.spec`; None as long as nobody asked the server.

    Raises:
        ConfigurationError: A value is no JSON.
    """

    config: Mapping[str, Any] = field(default_factory=dict)
    tools: Mapping[str, Mapping[str, Any]] | None = None

    def __post_init__(self) -> None:
        """Check the values, and keep copies."""
        _freeze(self, "config", "tools")


@dataclass(frozen=True, slots=True)
class ModelPart:
    """A model that a blueprint uses.

    Attributes:
        use: Name of the model, such as ``openai:gpt-5-mini``.
        settings: Its settings as the blueprint has them, without secrets.
        price: What it costs; None where no price is known.
        currency: The unit of the price, such as ``USD``; empty without a price.
        as_of: The day on which the price was looked up; None without a price.

    Raises:
        ConfigurationError: A value is no JSON, or a price lacks its currency or its day, or they have no price.
    """

    use: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    price: Price | None = None
    currency: str = ""
    as_of: date | None = None

    def __post_init__(self) -> None:
        """Check the values, and keep copies."""
        _check_text(self.use, "ModelPart.use")
        _freeze(self, "settings")
        if self.price is None and (self.currency or self.as_of is not None):
            raise ConfigurationError("ModelPart has a currency or a day, but no price")
        if self.price is not None:
            _check_text(self.currency, "ModelPart.currency")
            if type(self.as_of) is not date:
                raise ConfigurationError(
                    "ModelPart.as_of must be the day on which the price was looked up"
                )
            freeze(
                [getattr(self.price, item.name) for item in fields(self.price)], "ModelPart.price"
            )


@dataclass(frozen=True, slots=True)
class DependencyPart:
    """Another blueprint that a blueprint depends on.

    Attributes:
        path: Where it is: relative to the folder of the blueprint that names it, with ``/`` between the names.
        version: Its version.
        digest: `Lock.digest` of its own lock as it stands in its file; that has in it the digests of those it depends
            on.
        requires: The range of versions that the blueprint asks for; empty if it asks for none.
        meaning: `Lock.meaning` of its own lock; empty if it is not known. By it a comparison tells new prices from a
            new content.

    Raises:
        ConfigurationError: A value is none of its kind, or the path is absolute.
    """

    path: str
    version: str
    digest: str
    requires: str = ""
    meaning: str = ""

    def __post_init__(self) -> None:
        """Check the values."""
        check_dependency_path(self.path)
        parse_version(self.version)
        if self.requires:
            parse_range(self.requires)
        _check_text(self.digest, "DependencyPart.digest")
        for digest in (self.digest, self.meaning or self.digest):
            if not DIGEST.fullmatch(digest):
                raise ConfigurationError(
                    f"DependencyPart has something else than a digest: {digest!r}"
                )


@dataclass(frozen=True, slots=True)
class Parts:
    r"""Everything that a blueprint means, by part and name. Immutable; the order of names means nothing.

    What a file says is given as it says it, with defaults filled in, never with what this machine makes of it: no
    absolute path, no environment, no time.

    Attributes:
        name: Name of the blueprint.
        version: Its version.
        entry: The agent or the workflow that a run begins with.
        metadata: What people are told of the blueprint, such as ``description``. Compared, but no part of its meaning.
        inputs: JSON Schema of what a run takes; None where the blueprint declares none.
        outputs: JSON Schema of what a run returns; None where the blueprint declares none.
        prompts: Texts for models by name, and the instructions that stand within an agent as
            ``agents/<name>/instructions``. Their line ends become ``\n``.
        agents: Agents, without the texts that are among the prompts.
        tools: Tools by the name that they have in the blueprint.
        toolsets: Toolsets by name.
        models: Models by name.
        permissions: What the blueprint may touch.
        guardrails: Guardrails by name.
        memory: Memory by name.
        limits: Limits by name; each a number, a text, a boolean or None for no limit.
        workflows: Workflows by name.
        evals: Evals by name.
        dependencies: Other blueprints by name, and those that they depend on as ``<name>/<name>``.

    Raises:
        ConfigurationError: A name is empty or longer than `MAX_NAME_CHARS`, or a value is none of its kind.
    """

    name: str
    version: str
    entry: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, Any] | bool | None = None
    outputs: Mapping[str, Any] | bool | None = None
    prompts: Mapping[str, str] = field(default_factory=dict)
    agents: Mapping[str, Any] = field(default_factory=dict)
    tools: Mapping[str, ToolPart] = field(default_factory=dict)
    toolsets: Mapping[str, ToolsetPart] = field(default_factory=dict)
    models: Mapping[str, ModelPart] = field(default_factory=dict)
    permissions: Permissions = field(default_factory=Permissions)
    guardrails: Mapping[str, Any] = field(default_factory=dict)
    memory: Mapping[str, Any] = field(default_factory=dict)
    limits: Mapping[str, int | float | str | bool | None] = field(default_factory=dict)
    workflows: Mapping[str, Any] = field(default_factory=dict)
    evals: Mapping[str, Any] = field(default_factory=dict)
    dependencies: Mapping[str, DependencyPart] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the names and the values, and keep copies."""
        _check_text(self.name, "Parts.name")
        if not BLUEPRINT_NAME.fullmatch(self.name):
            raise ConfigurationError(
                f"Parts.name must be lower-case letters, digits and '-', not {self.name!r}"
            )
        parse_version(self.version)
        if self.entry:
            _check_text(self.entry, "Parts.entry")
        if not isinstance(self.permissions, Permissions):
            raise ConfigurationError(
                f"Parts.permissions must be Permissions, not {self.permissions!r}"
            )
        _freeze(self, "metadata", "inputs", "outputs", "agents", "guardrails", "memory")
        _freeze(self, "limits", "workflows", "evals")
        for kind in ("metadata", "agents", "guardrails", "memory", "limits", "workflows", "evals"):
            _check_names(getattr(self, kind), kind)
        for name, limit in self.limits.items():
            if isinstance(limit, (Mapping, tuple)):
                raise ConfigurationError(f"Parts.limits[{name!r}] must be one value, not several")
        self._keep("prompts", str)
        self._keep("tools", ToolPart)
        self._keep("toolsets", ToolsetPart)
        self._keep("models", ModelPart)
        self._keep("dependencies", DependencyPart)
        texts = {name: normalise_newlines(text) for name, text in self.prompts.items()}
        object.__setattr__(self, "prompts", freeze(texts, "Parts.prompts"))

    def _keep(self, kind: str, wanted: type) -> None:
        items: Mapping[str, object] = getattr(self, kind)
        _check_names(items, kind)
        for name, item in items.items():
            if not isinstance(item, wanted):
                raise ConfigurationError(
                    f"Parts.{kind}[{name!r}] must be a {wanted.__name__}, not {type(item).__name__}"
                )
        object.__setattr__(self, kind, MappingProxyType(dict(items)))


def check_dependency_path(path: str) -> None:
    r"""Make sure that a path means the same on every machine.

    Args:
        path: The path of a dependency.

    Raises:
        ConfigurationError: It is empty or absolute, or has a ``\`` in it.
    """
    _check_text(path, "DependencyPart.path")
    if PurePosixPath(path).is_absolute() or "\\" in path or re.match(r"[A-Za-z]:", path):
        raise ConfigurationError(
            f"the path {path!r} of a dependency must be relative to the blueprint, with '/' between its names"
        )


def _check_names(items: object, kind: str) -> None:
    if not isinstance(items, Mapping):
        raise ConfigurationError(f"Parts.{kind} must be a mapping of names, not {items!r}")
    for name in items:
        _check_text(name, f"a name in Parts.{kind}")
        if len(json.dumps(name)) > _MAX_ESCAPED:
            raise ConfigurationError(f"a name in Parts.{kind} is too long: {name[:60]!r}")


def _check_text(text: object, what: str) -> None:
    freeze(text, what)
    if not isinstance(text, str) or not text.strip() or len(text) > MAX_NAME_CHARS:
        raise ConfigurationError(
            f"{what} must be a text of 1 to {MAX_NAME_CHARS} characters, not {str(text)[:60]!r}"
        )


def _freeze(part: object, *names: str) -> None:
    for name in names:
        value = freeze(getattr(part, name), f"{type(part).__name__}.{name}")
        object.__setattr__(part, name, value)
