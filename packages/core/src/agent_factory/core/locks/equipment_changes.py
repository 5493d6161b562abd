"""How the tools, models and dependencies of two versions of a blueprint differ."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from agent_factory.core.locks.canonical import canonicalise
from agent_factory.core.locks.changes import Change, show_data_change, show_schema_change
from agent_factory.core.locks.schema_changes import compare_schemas
from agent_factory.core.locks.versions import compare_versions, parse_version

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from agent_factory.core.locks.parts import DependencyPart, ModelPart, ToolPart, ToolsetPart

__all__ = ["compare_dependencies", "compare_models", "compare_tools", "compare_toolsets"]


def compare_tools(old: Mapping[str, ToolPart], new: Mapping[str, ToolPart]) -> Iterator[Change]:
    """Return how tools differ.

    A tool is called by the models of the blueprint and by nobody else, so new arguments break no caller: they are
    minor.

    Args:
        old: The tools before.
        new: The tools after.
    """
    for name in sorted({*old, *new}):
        if name not in old:
            yield Change("tools", name, "added", "minor", f"tool {name!r} is new")
        elif name not in new:
            yield Change("tools", name, "removed", "major", f"tool {name!r} is gone")
        else:
            yield from _compare_tool(name, old[name], new[name])


def compare_toolsets(
    old: Mapping[str, ToolsetPart], new: Mapping[str, ToolsetPart]
) -> Iterator[Change]:
    """Return how toolsets differ, and the tools in them so far as both are known.

    Args:
        old: The toolsets before.
        new: The toolsets after.
    """
    for name in sorted({*old, *new}):
        if name not in old:
            yield Change("toolsets", name, "added", "minor", f"toolset {name!r} is new")
        elif name not in new:
            yield Change("toolsets", name, "removed", "major", f"toolset {name!r} is gone")
        else:
            before, after = old[name], new[name]
            if not _is_same(before.config, after.config):
                detail = show_data_change(before.config, after.config)
                said = f"toolset {name!r} is configured in another way"
                yield Change("toolsets", name, "changed", "minor", said, detail)
            yield from _compare_offers(name, before.tools, after.tools)


def compare_models(old: Mapping[str, ModelPart], new: Mapping[str, ModelPart]) -> Iterator[Change]:
    """Return how models and their prices differ.

    Args:
        old: The models before.
        new: The models after.
    """
    for name in sorted({*old, *new}):
        if name not in old:
            said = f"model {name!r} is new: {new[name].use!r}"
            yield Change("models", name, "added", "minor", said)
            continue
        if name not in new:
            said = f"model {name!r} is gone; it was {old[name].use!r}"
            yield Change("models", name, "removed", "minor", said)
            continue
        before, after = old[name], new[name]
        if before.use != after.use:
            said = f"model {name!r} is {after.use!r} instead of {before.use!r}"
            yield Change("models", name, "changed", "minor", said)
        if not _is_same(before.settings, after.settings):
            detail = show_data_change(before.settings, after.settings)
            said = f"the settings of model {name!r} have changed"
            yield Change("models", name, "changed", "minor", said, detail)
        if (before.price, before.currency) != (after.price, after.currency):
            said = f"the price of model {name!r} has changed"
            detail = show_data_change(_describe_price(before), _describe_price(after))
            yield Change("models", name, "changed", "patch", said, detail)
        elif before.as_of != after.as_of:
            said = f"the price of model {name!r} was looked up on {after.as_of} instead of {before.as_of}, and is the same"
            yield Change("models", name, "changed", "patch", said)


def compare_dependencies(
    old: Mapping[str, DependencyPart], new: Mapping[str, DependencyPart]
) -> Iterator[Change]:
    """Return how dependencies differ. What a dependency changes weighs as much as its own version says.

    Those that a dependency has itself count as patch: its own version accounts for them.

    Args:
        old: The dependencies before.
        new: The dependencies after.
    """
    for name in sorted({*old, *new}):
        is_inner = "/" in name
        if name not in old:
            said = f"dependency {name!r} is new, in version {new[name].version}"
            yield Change("dependencies", name, "added", "patch" if is_inner else "minor", said)
        elif name not in new:
            said = f"dependency {name!r} is gone; it was of version {old[name].version}"
            yield Change("dependencies", name, "removed", "patch" if is_inner else "major", said)
        else:
            for change in _compare_dependency(name, old[name], new[name]):
                yield replace(change, level="patch") if is_inner else change


def _compare_tool(name: str, old: ToolPart, new: ToolPart) -> Iterator[Change]:
    if old.use != new.use:
        said = f"tool {name!r} is {new.use!r} instead of {old.use!r}"
        yield Change("tools", name, "changed", "minor", said)
    if not _is_same(old.options, new.options):
        said = f"the options of tool {name!r} have changed"
        detail = show_data_change(old.options, new.options)
        yield Change("tools", name, "changed", "minor", said, detail)
    if old.distribution != new.distribution:
        package, _, version = old.distribution.rpartition(" ")
        other, _, later = new.distribution.rpartition(" ")
        is_update = bool(package) and package == other and version != later
        said = f"tool {name!r} comes from {_show_package(new)} instead of {_show_package(old)}"
        yield Change("tools", name, "changed", "patch" if is_update else "minor", said)
    yield from _compare_specs("tools", name, f"tool {name!r}", old.spec, new.spec)


def _show_package(tool: ToolPart) -> str:
    return repr(tool.distribution) if tool.distribution else "what comes along"


def _compare_offers(
    toolset: str,
    old: Mapping[str, Mapping[str, Any]] | None,
    new: Mapping[str, Mapping[str, Any]] | None,
) -> Iterator[Change]:
    if old is None or new is None:
        if old is not new:
            said = f"the tools of toolset {toolset!r} are known on one side only, so they cannot be compared"
            yield Change("toolsets", toolset, "changed", "minor", said)
        return
    for name in sorted({*old, *new}):
        place, noun = f"{toolset}/{name}", f"tool {name!r} of toolset {toolset!r}"
        if name not in old:
            yield Change("toolsets", place, "added", "minor", f"{noun} is new")
        elif name not in new:
            yield Change("toolsets", place, "removed", "major", f"{noun} is gone")
        else:
            yield from _compare_specs("toolsets", place, noun, old[name], new[name])


def _compare_specs(
    part: str, name: str, noun: str, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None
) -> Iterator[Change]:
    if old is None or new is None:
        if old is not new:
            said = f"what {noun} tells a model is known on one side only, so it cannot be compared"
            yield Change(part, name, "changed", "minor", said)
        return
    if _is_same(old, new):
        return
    before, after = old.get("parameters"), new.get("parameters")
    rest, rest_after = (
        {key: item for key, item in spec.items() if key not in ("description", "parameters")}
        for spec in (old, new)
    )
    if not _is_same(before, after):
        said = f"the arguments of {noun} have changed; only the blueprint's own models give them"
        words = compare_schemas(_as_schema(before), _as_schema(after))
        detail = "\n".join(show_schema_change(change) for change in words)
        is_words = {change.effect for change in words} == {"words"}
        yield Change(part, name, "changed", "patch" if is_words else "minor", said, detail)
    if not _is_same(old.get("description"), new.get("description")):
        said = f"{noun} is described to models in other words"
        detail = show_data_change(old.get("description"), new.get("description"))
        yield Change(part, name, "changed", "patch", said, detail)
    if not _is_same(rest, rest_after):
        said = f"{noun} is told to models in another way"
        yield Change(part, name, "changed", "minor", said, show_data_change(rest, rest_after))


def _as_schema(value: Any) -> Mapping[str, Any] | bool:
    return True if value is None else value


def _compare_dependency(name: str, old: DependencyPart, new: DependencyPart) -> Iterator[Change]:
    level = compare_versions(parse_version(old.version), parse_version(new.version))
    if level is not None:
        said = f"dependency {name!r} is of version {new.version} instead of {old.version}"
        yield Change("dependencies", name, "changed", level, said)
    elif old.digest != new.digest and old.meaning and old.meaning == new.meaning:
        said = f"dependency {name!r} was locked anew: it says the same, but has other prices, packages or tools"
        yield Change("dependencies", name, "changed", "patch", said)
    elif old.digest != new.digest:
        said = (
            f"dependency {name!r} is another one, though its version is {new.version} as before: how much has changed cannot "
            "be judged, so it counts as major"
        )
        yield Change("dependencies", name, "changed", "major", said)
    elif old.version != new.version:
        said = f"dependency {name!r} was built anew: {new.version} instead of {old.version}"
        yield Change("dependencies", name, "changed", "patch", said)
    if old.path != new.path:
        said = f"dependency {name!r} is at {new.path!r} instead of {old.path!r}"
        yield Change("dependencies", name, "changed", "patch", said)
    if old.requires != new.requires:
        said = f"dependency {name!r} may be {new.requires or 'any'!r} instead of {old.requires or 'any'!r}"
        yield Change("dependencies", name, "changed", "patch", said)


def _describe_price(model: ModelPart) -> dict[str, Any] | None:
    if model.price is None:
        return None
    price = {item.name: getattr(model.price, item.name) for item in fields(model.price)}
    return {**price, "as_of": str(model.as_of), "currency": model.currency}


def _is_same(old: object, new: object) -> bool:
    return canonicalise(old) == canonicalise(new)
