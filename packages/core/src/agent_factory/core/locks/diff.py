"""What two versions of a blueprint differ in, and which version that calls for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from agent_factory.core.locks.canonical import canonicalise
from agent_factory.core.locks.changes import (
    Change,
    compare_interface,
    get_highest,
    show_data_change,
    show_line,
    show_text_change,
)
from agent_factory.core.locks.equipment_changes import (
    compare_dependencies,
    compare_models,
    compare_tools,
    compare_toolsets,
)
from agent_factory.core.locks.permission_changes import compare_permissions
from agent_factory.core.locks.versions import check_version

if TYPE_CHECKING:
    from agent_factory.core.locks.parts import Parts
    from agent_factory.core.locks.versions import Level

__all__ = ["BlueprintDiff", "compare"]

_Levels: TypeAlias = "tuple[Level, Level, Level]"
_NOUNS = {
    "agents": "agent",
    "evals": "eval",
    "guardrails": "guardrail",
    "memory": "memory",
    "metadata": "metadata",
    "workflows": "workflow",
}


@dataclass(frozen=True, slots=True)
class BlueprintDiff:
    """What two versions of a blueprint differ in.

    Attributes:
        old_version: The version of the one before.
        new_version: The version of the one after.
        changes: Every difference, by part and name.
    """

    old_version: str
    new_version: str
    changes: tuple[Change, ...] = ()

    @property
    def required_bump(self) -> Level | None:
        """The highest level of the changes; None where there are none."""
        return get_highest(change.level for change in self.changes)

    @property
    def asks_consent(self) -> bool:
        """Whether the later version may touch something that the earlier one could not."""
        return any(change.asks_consent for change in self.changes)

    def check_version(self) -> str | None:
        """Return what is wrong with the version of the later one, and which is called for; None where it is right."""
        return check_version(self.old_version, self.new_version, self.required_bump)

    def to_dict(self) -> dict[str, Any]:
        """Return the difference as plain JSON-compatible data."""
        return {
            "old_version": self.old_version,
            "new_version": self.new_version,
            "required_bump": self.required_bump,
            "asks_consent": self.asks_consent,
            "version_problem": self.check_version(),
            "changes": [change.to_dict() for change in self.changes],
        }


def compare(old: Parts, new: Parts) -> BlueprintDiff:
    """Return what two versions of a blueprint differ in, each difference with what it asks of the version.

    - Major, since somebody relied on it or has to agree anew: more permissions; inputs that take less, outputs that
      return more or something else; a tool, toolset, agent, workflow, dependency or guardrail that is gone; a
      guardrail that was changed, for whether it is weaker cannot be judged; another entry or another name; a
      dependency whose version breaks.
    - Minor, since it acts in another way: anything that is new; other models, options, limits, memory or agents; a
      tool that takes other arguments, which only the blueprint's own models call; fewer permissions.
    - Patch: texts for models and people, evals, prices.

    Args:
        old: The version before.
        new: The version after.

    Returns:
        The differences; none if both are the same but for their version.
    """
    changes = [
        *_compare_heads(old, new),
        *compare_interface("inputs", old.inputs, new.inputs),
        *compare_interface("outputs", old.outputs, new.outputs),
        *_compare_permissions(old, new),
        *_compare_prompts(old.prompts, new.prompts),
        *_compare_named("agents", old, new, ("minor", "major", "minor")),
        *compare_tools(old.tools, new.tools),
        *compare_toolsets(old.toolsets, new.toolsets),
        *compare_models(old.models, new.models),
        *_compare_guardrails(old, new),
        *_compare_named("memory", old, new, ("minor", "minor", "minor")),
        *_compare_limits(old.limits, new.limits),
        *_compare_named("workflows", old, new, ("minor", "major", "minor")),
        *_compare_named("evals", old, new, ("patch", "patch", "patch")),
        *compare_dependencies(old.dependencies, new.dependencies),
        *_compare_named("metadata", old, new, ("patch", "patch", "patch")),
    ]
    return BlueprintDiff(old.version, new.version, tuple(changes))


def _compare_heads(old: Parts, new: Parts) -> Iterator[Change]:
    if old.name != new.name:
        said = f"the blueprint is called {new.name!r} instead of {old.name!r}: it is another one to those who use it"
        yield Change("blueprint", "name", "changed", "major", said)
    if old.entry != new.entry:
        said = f"a run begins with {new.entry!r} instead of {old.entry!r}"
        yield Change("blueprint", "entry", "changed", "major", said)


def _compare_permissions(old: Parts, new: Parts) -> Iterator[Change]:
    for change in compare_permissions(old.permissions, new.permissions):
        key = f"permissions.{change.kind}"
        lines = [f"+ {item}" for item in change.wider] + [f"- {item}" for item in change.narrower]
        detail = "\n".join(map(show_line, lines))
        if change.wider:
            said = f"{key} permits more, so those who run it have to agree again: {_list(change.wider)}"
            yield Change(
                "permissions", change.kind, "changed", "major", said, detail, asks_consent=True
            )
        elif change.narrower:
            said = f"{key} permits less: {_list(change.narrower)}"
            yield Change("permissions", change.kind, "changed", "minor", said, detail)
        else:
            said = f"{key} is written in another way, and permits the same"
            yield Change("permissions", change.kind, "changed", "patch", said)


def _compare_prompts(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Change]:
    for name in sorted({*old, *new}):
        before, after = old.get(name), new.get(name)
        if before == after:
            continue
        detail = show_text_change(before or "", after or "")
        if before is None:
            yield Change("prompts", name, "added", "patch", f"prompt {name!r} is new", detail)
        elif after is None:
            yield Change("prompts", name, "removed", "patch", f"prompt {name!r} is gone", detail)
        else:
            said = f"the text of prompt {name!r} has changed"
            yield Change("prompts", name, "changed", "patch", said, detail)


def _compare_guardrails(old: Parts, new: Parts) -> Iterator[Change]:
    for change in _compare_named("guardrails", old, new, ("minor", "major", "major")):
        if change.kind == "changed":
            said = f"guardrail {change.name!r} has changed: whether it is weaker cannot be judged, so it counts as major"
            yield Change("guardrails", change.name, "changed", "major", said, change.detail)
        else:
            yield change


def _compare_limits(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for name in sorted({*old, *new}):
        if name not in old:
            said = f"limit {name!r} is new: {new[name]!r}"
            yield Change("limits", name, "added", "minor", said)
        elif name not in new:
            said = f"limit {name!r} is gone; it was {old[name]!r}"
            yield Change("limits", name, "removed", "minor", said)
        elif canonicalise(old[name]) != canonicalise(new[name]):
            said = f"limit {name!r} is {new[name]!r} instead of {old[name]!r}"
            yield Change("limits", name, "changed", "minor", said)


def _compare_named(part: str, old: Parts, new: Parts, levels: _Levels) -> Iterator[Change]:
    """Compare what is only known to be the same or not; the levels are of what is added, removed and changed."""
    before: Mapping[str, Any] = getattr(old, part)
    after: Mapping[str, Any] = getattr(new, part)
    noun = _NOUNS[part]
    for name in sorted({*before, *after}):
        if name not in before:
            yield Change(part, name, "added", levels[0], f"{noun} {name!r} is new")
        elif name not in after:
            yield Change(part, name, "removed", levels[1], f"{noun} {name!r} is gone")
        elif canonicalise(before[name]) != canonicalise(after[name]):
            detail = show_data_change(before[name], after[name])
            yield Change(part, name, "changed", levels[2], f"{noun} {name!r} has changed", detail)


def _list(items: tuple[str, ...]) -> str:
    shown = ", ".join(repr(item) for item in items[:5])
    return f"{shown}, and {len(items) - 5} more" if len(items) > 5 else shown
