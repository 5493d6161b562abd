"""What a blueprint consists of, for its lock and for comparing it with another version."""

from __future__ import annotations

import codecs
import hashlib
from typing import TYPE_CHECKING, Any

from agent_factory.core.blueprints.bundle import read_bundled_file
from agent_factory.core.blueprints.dependencies import load_dependency
from agent_factory.core.exceptions import ConfigurationError, PermissionDeniedError
from agent_factory.core.locks.lock import create_lock
from agent_factory.core.locks.parts import DependencyPart, ModelPart, Parts, ToolPart, ToolsetPart
from agent_factory.core.permissions import Grant
from agent_factory.core.prices import PRICES
from agent_factory.core.registry import InstalledTool, ToolEntry, ToolEnvironment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from agent_factory.core.blueprints.adapters import Adapters
    from agent_factory.core.blueprints.loading import BlueprintFile
    from agent_factory.core.blueprints.schema.base import Section
    from agent_factory.core.blueprints.schema.tools import ToolsetSection
    from agent_factory.core.blueprints.schema.workflows import WorkflowSection
    from agent_factory.core.models import ToolSpec
    from agent_factory.core.prices import PriceTable

__all__ = ["collect_parts"]

_Uses = tuple[str, str, dict[str, Any], dict[str, Any]]


def collect_parts(
    file: BlueprintFile,
    adapters: Adapters,
    *,
    installed: bool,
    prices: PriceTable = PRICES,
    toolsets: Mapping[str, tuple[ToolSpec, ...]] | None = None,
) -> Parts:
    """Return what a blueprint consists of. It has to have passed `check_blueprint`.

    Args:
        file: The blueprint.
        adapters: What the program brings along.
        installed: Whether tools of installed packages are imported to see what models are told of them; without it those of
            their parts have no such thing, and nothing but what comes along is run.
        prices: What models cost.
        toolsets: What models are told of the tools of toolsets, by toolset, where somebody asked their servers.

    Raises:
        BlueprintError: A blueprint that it uses cannot be read.
        ConfigurationError: A tool cannot be made.
        PermissionDeniedError: A tool needs more than is permitted.
    """
    blueprint = file.blueprint
    grant = Grant(blueprint.permissions.create_permissions(), file.folder)
    environment = ToolEnvironment(file.folder, grant)
    prompts: dict[str, str] = {
        name: file.get_text(section) for name, section in blueprint.prompts.items()
    }
    agents: dict[str, Any] = {}
    for name, (agent, _) in file.agents.items():
        agents[name] = _dump(agent)
        # A limit that says what is usual anyway still counts where the blueprint says something else for all of its agents.
        said = agent.limits.model_fields_set & blueprint.limits.model_fields_set
        if said:
            limits = agent.limits.model_dump(mode="json", include=said)
            agents[name]["limits"] = {**agents[name].get("limits", {}), **limits}
        if agent.instructions.prompt is None:
            prompts[f"agents/{name}/instructions"] = file.get_text(agent.instructions)
            agents[name].pop("instructions", None)
    return Parts(
        name=blueprint.name,
        version=blueprint.version,
        entry=file.entry or "",
        metadata={"description": blueprint.description, **_dump(blueprint.metadata)},
        inputs=blueprint.inputs,
        outputs=blueprint.outputs,
        prompts=prompts,
        agents=agents,
        tools={
            name: _create_tool_part(use, options, more, adapters, environment, installed=installed)
            for name, use, options, more in _list_uses(file)
        },
        toolsets={
            name: ToolsetPart(
                _describe_toolset(section, file),
                (
                    None
                    if toolsets is None or name not in toolsets
                    else {spec.name: _describe(spec) for spec in toolsets[name]}
                ),
            )
            for name, section in blueprint.toolsets.items()
        },
        models=_create_model_parts(file, prices),
        permissions=grant.permissions,
        guardrails={name: _dump(section) for name, section in blueprint.guardrails.items()},
        memory={
            name: [_dump(part) for part in section] for name, section in blueprint.memory.items()
        },
        limits=_dump(blueprint.limits),
        workflows={name: _describe_workflow(item) for name, item in blueprint.workflows.items()},
        evals={name: _dump(suite.section) for name, suite in file.suites.items()},
        dependencies=_create_dependency_parts(
            file, adapters, grant, installed=installed, prices=prices
        ),
    )


def _dump(section: Section) -> dict[str, Any]:
    # What the file says, and nothing else: a key that comes later changes no digest.
    return section.model_dump(mode="json", by_alias=True, exclude_unset=True)


def _describe(spec: ToolSpec) -> dict[str, Any]:
    return {
        "name": spec.name,
        "description": spec.description,
        "parameters": dict(spec.parameters),
    }


def _describe_toolset(section: ToolsetSection, file: BlueprintFile) -> dict[str, Any]:
    config = _dump(section)
    if section.openapi is not None:
        # What the tools are and where they call stands in the document.
        content = read_bundled_file(file.folder, section.openapi.file)
        text = content.removeprefix(codecs.BOM_UTF8).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        config["openapi"]["document"] = f"sha256:{hashlib.sha256(text).hexdigest()}"
    return config


def _describe_workflow(section: WorkflowSection) -> dict[str, Any]:
    said = _dump(section)
    if "output" in section.model_fields_set:
        said["output"] = (
            section.output
        )  # Nothing at all is another result than that of the last step.
    return said


def _list_uses(file: BlueprintFile) -> Iterator[_Uses]:
    """Return the tools of the registry that a blueprint uses: name of the part, name in the registry, options, and the rest."""
    blueprint = file.blueprint
    for name, tool in blueprint.tools.items():
        more = _dump(tool)
        yield name, tool.use, tool.options, {
            # No option has a point in its name, so that nothing is taken for something else.
            f"tool.{key}": value
            for key, value in more.items()
            if key not in ("use", "with")
        }
    for name, (agent, _) in file.agents.items():
        for use in agent.tools:
            if use.use is not None and use.use not in blueprint.tools:
                yield f"agents/{name}/tools/{use.name or use.use}", use.use, use.options, {}
    if blueprint.workflows:
        from agent_factory.core.blueprints.workflow_tools import find_tools

        for name, section in blueprint.workflows.items():
            for _, used in find_tools(section):
                if used not in blueprint.tools:
                    yield f"workflows/{name}/tools/{used}", used, {}, {}


def _create_tool_part(
    use: str,
    options: dict[str, Any],
    more: dict[str, Any],
    adapters: Adapters,
    environment: ToolEnvironment,
    *,
    installed: bool,
) -> ToolPart:
    found = adapters.tools.check(use)
    said = {**options, **more}
    distribution = ""
    if isinstance(found, InstalledTool):
        distribution = f"{found.distribution} {found.version}"
        if not installed:
            return ToolPart(use, said, None, distribution)
    entry: ToolEntry[Any] = adapters.tools.get(use)
    try:
        tool = entry.create(entry.options.model_validate(options), environment)
    except (ConfigurationError, PermissionDeniedError):
        if installed:
            raise
        # What it needs is not on this machine: what models are told of it is then not compared.
        return ToolPart(use, said, None, distribution)
    return ToolPart(use, said, _describe(tool.spec), distribution)


def _create_model_parts(file: BlueprintFile, prices: PriceTable) -> dict[str, ModelPart]:
    blueprint = file.blueprint
    parts: dict[str, ModelPart] = {}
    named: dict[str, tuple[str, dict[str, Any]]] = {}
    for name, section in blueprint.models.items():
        settings = _dump(section.settings)
        if section.fallbacks:
            settings["fallbacks"] = list(section.fallbacks)
        named[name] = (section.use, settings)
    for model in _list_models(file):
        named.setdefault(model, (model, {}))
    for name, (use, settings) in named.items():
        price = prices.get(use)
        parts[name] = ModelPart(
            use,
            settings,
            price,
            "" if price is None else prices.currency,
            None if price is None else prices.as_of,
        )
    return parts


def _list_models(file: BlueprintFile) -> Iterator[str]:
    """Return the models that are named outside of ``models``, as they are named there."""
    blueprint = file.blueprint
    for agent, _ in file.agents.values():
        yield agent.model
    for section in blueprint.models.values():
        yield from section.fallbacks
    for guardrail in blueprint.guardrails.values():
        if guardrail.use == "judge":
            yield str(guardrail.options.get("model", "default"))
    for memory in blueprint.memory.values():
        for part in memory:
            if part.summarise is not None:
                yield part.summarise.model
    for suite in file.suites.values():
        for case in suite.section.cases:
            for expectation in case.expect:
                if expectation.judge is not None:
                    yield expectation.judge.model


def _create_dependency_parts(
    file: BlueprintFile,
    adapters: Adapters,
    grant: Grant,
    *,
    installed: bool,
    prices: PriceTable,
) -> dict[str, DependencyPart]:
    parts: dict[str, DependencyPart] = {}
    for name, section in file.blueprint.dependencies.items():
        other = load_dependency(file, name, grant)
        inner = collect_parts(other, adapters, installed=installed, prices=prices)
        # What the other one says, and neither prices nor packages: those are its own lock's business.
        meaning = create_lock(inner).meaning
        parts[name] = DependencyPart(
            section.path, other.blueprint.version, meaning, section.version or "", meaning
        )
        for key, part in inner.dependencies.items():
            parts[f"{name}/{key}"] = part
    return parts
