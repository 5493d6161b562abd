"""Turns what pydantic finds wrong with a file into problems, each at its place and with what would be right."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agent_factory.core.blueprints.expectations import Expectations
from agent_factory.core.blueprints.wording import (
    KINDS,
    describe_finding,
    describe_kinds,
    describe_missing,
    describe_unknown_key,
    name_place,
)
from agent_factory.core.source import MAX_PROBLEMS, select_problems

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

    from agent_factory.core.blueprints.document import Document, Path
    from agent_factory.core.source import Problem

__all__ = ["create_problems"]


def create_problems(
    document: Document,
    error: ValidationError,
    model: type[BaseModel],
    prefix: Path = (),
) -> list[Problem]:
    """Turn pydantic's errors into problems at their places in the file.

    Where a value may be one of several kinds, one problem is told and not one for each kind.

    Args:
        document: The file.
        error: What pydantic found.
        model: The model that was validated.
        prefix: Where in the file the validated value is.

    Returns:
        The problems, in the order of the file; at most `MAX_PROBLEMS`, and one more that says how many are left out.
    """
    root = _follow(document.value, prefix)
    findings = [_trace(root, item) for item in error.errors(include_url=False)]
    findings = [finding for finding in findings if not _is_echo(finding)]
    told = _Telling(document, Expectations(model), prefix, root)
    chosen = told.choose(findings, 0)
    # Wording costs more than finding: only what is told is put into words.
    chosen.sort(key=told.get_place)
    problems = [told.create_problem(finding) for finding in chosen[:MAX_PROBLEMS]]
    return select_problems(problems, more=max(0, len(chosen) - MAX_PROBLEMS))


@dataclass(slots=True)
class _Finding:
    """One of pydantic's errors.

    Attributes:
        path: Where the value is, from the root of the model; for a missing key, where it would be.
        kind: Pydantic's type of the error; ``kinds`` and ``keys`` for one made of several.
        item: Pydantic's error.
        value: The value as the file has it.
        choices: Where the value could be of several kinds, and pydantic's name of the kind that the error is about.
        at_key: Whether the key is wrong and not the value.
        message: What is wrong, where it is known already.
    """

    path: Path
    kind: str
    item: Any
    value: object
    choices: list[tuple[Path, str]]
    at_key: bool = False
    message: str | None = None


def _trace(root: object, item: Any) -> _Finding:
    """Follow pydantic's way to a value through the file, apart from what is not in the file."""
    loc, kind = item["loc"], item["type"]
    path: list[str | int] = []
    choices: list[tuple[Path, str]] = []
    value, at_key = root, kind == "extra_forbidden"
    for number, part in enumerate(loc):
        inner = _enter(value, part)
        if inner is not _ABSENT:
            path.append(part)
            value = inner
        elif kind in ("missing", "missing_argument") and number == len(loc) - 1:
            path.append(part)
            at_key = True
        elif part == "[key]":
            at_key = True
        else:
            choices.append((tuple(path), str(part)))
    if kind == "union_tag_invalid":
        tag = item["ctx"]["discriminator"].strip("'")
        inner = _enter(value, tag)
        if inner is not _ABSENT:
            path.append(tag)
            value = inner
    return _Finding(tuple(path), kind, item, value, choices, at_key)


def _is_echo(finding: _Finding) -> bool:
    """Return whether a list is said to be too short only because its items are wrong."""
    if finding.kind != "too_short" or not isinstance(finding.value, (list, dict)):
        return False
    return bool(len(finding.value) >= finding.item["ctx"]["min_length"])


_ABSENT = object()
_NUMBER = re.compile(r"[-+.0-9eE]{1,60}")


def _enter(value: object, part: str | int) -> object:
    if isinstance(value, dict):
        return value.get(part, _ABSENT)
    if isinstance(value, list) and isinstance(part, int) and 0 <= part < len(value):
        return value[part]
    return _ABSENT


def _follow(value: object, path: Path) -> object:
    for part in path:
        value = _enter(value, part)
    return None if value is _ABSENT else value


@dataclass(slots=True)
class _Telling:
    document: Document
    expectations: Expectations
    prefix: Path
    root: object

    def get_place(self, finding: _Finding) -> tuple[int, int]:
        location = self._create(finding, "").location
        return location.line, location.column

    def create_problem(self, finding: _Finding) -> Problem:
        return self._create(finding, finding.message or self._describe(finding))

    def _create(self, finding: _Finding, message: str) -> Problem:
        path = (*self.prefix, *finding.path)
        return self.document.create_problem(path, message, at_key=finding.at_key)

    def _describe(self, finding: _Finding) -> str:
        place = name_place((*self.prefix, *finding.path))
        if finding.kind == "extra_forbidden":
            return describe_unknown_key(
                str(finding.path[-1]), self.expectations.find_keys(finding.path[:-1])
            )
        if finding.kind in ("missing", "missing_argument") and finding.path:
            parent = name_place((*self.prefix, *finding.path[:-1]))
            return describe_missing(finding.path, parent, self.expectations)
        at_key = finding.at_key and bool(finding.path)
        return describe_finding(
            "this name" if at_key else place,
            finding.kind,
            finding.item,
            finding.path[-1] if at_key else finding.value,
            finding.path[:-1] if at_key else finding.path,
            self.expectations,
            written=None if at_key else self._find_written(finding),
        )

    def _find_written(self, finding: _Finding) -> str | None:
        """Return a number as the file has it: ``1.10`` and not 1.1."""
        place = self.document.value_places.get((*self.prefix, *finding.path))
        if place is None or isinstance(finding.value, bool):
            return None
        if not isinstance(finding.value, (int, float)):
            return None
        found = _NUMBER.match(self.document.lines[place[0]], place[1])
        return found[0] if found else None

    def choose(self, findings: list[_Finding], depth: int) -> list[_Finding]:
        """Return the findings with one kind for each value that could be of several."""
        chosen: list[_Finding] = []
        groups: dict[Path, dict[str, list[_Finding]]] = {}
        for finding in findings:
            if len(finding.choices) <= depth:
                chosen.append(finding)
                continue
            path, label = finding.choices[depth]
            groups.setdefault(path, {}).setdefault(label, []).append(finding)
        for path, by_label in groups.items():
            if len(by_label) == 1:
                chosen += self.choose(next(iter(by_label.values())), depth + 1)
            else:
                chosen += self._merge(path, by_label, depth)
        return chosen

    def _merge(self, path: Path, by_label: dict[str, list[_Finding]], depth: int) -> list[_Finding]:
        value = _follow(self.root, path)
        fitting = [
            group
            for group in by_label.values()
            if not any(item.path == path and _is_other_kind(item) for item in group)
        ]
        if not fitting:
            return [self._merge_kinds(path, value, by_label)]
        if len(fitting) == 1:
            return self.choose(fitting[0], depth + 1)
        if isinstance(value, dict):
            merged = self._merge_keys(path, value, fitting)
            if merged is not None:
                return merged
        best = min(fitting, key=lambda group: _rank(group, path))
        return self.choose(best, depth + 1)

    def _merge_kinds(
        self, path: Path, value: object, by_label: dict[str, list[_Finding]]
    ) -> _Finding:
        items = [item for group in by_label.values() for item in group if item.path == path]
        message = describe_kinds(
            name_place((*self.prefix, *path)),
            [item.item for item in items],
            value,
            self.expectations.find_keys(path),
        )
        return _Finding(path, "kinds", items[0].item, value, [], message=message)

    def _merge_keys(
        self, path: Path, value: dict[str, object], groups: list[list[_Finding]]
    ) -> list[_Finding] | None:
        """Return what is wrong with the keys of a mapping that fits none of several models."""
        known = self.expectations.find_keys(path)
        if known is None:
            return None
        unknown = [key for key in value if key not in known]
        if unknown:
            return [
                _Finding((*path, key), "extra_forbidden", None, value[key], [], at_key=True)
                for key in unknown
            ]
        place = name_place((*self.prefix, *path))
        if all(_has_unknown(group, path) for group in groups):
            message = f"{place} has keys that do not go together: {_list(value)}"
            return [_Finding(path, "keys", None, value, [], message=message)]
        missing = [
            str(item.path[-1])
            for group in groups
            for item in group
            if item.kind == "missing" and item.path[:-1] == path
        ]
        if all(item.kind == "missing" for group in groups for item in group) and missing:
            message = f"{place} must have one of the keys {_list(dict.fromkeys(missing))}"
            return [_Finding(path, "keys", None, value, [], message=message)]
        return None


def _is_other_kind(finding: _Finding) -> bool:
    """Return whether a finding says that the value is of another kind altogether."""
    if finding.kind in ("literal_error", "enum"):
        return not isinstance(finding.value, str)
    return finding.kind in KINDS


def _has_unknown(group: list[_Finding], path: Path) -> bool:
    return any(item.kind == "extra_forbidden" and item.path[:-1] == path for item in group)


def _rank(group: list[_Finding], path: Path) -> tuple[bool, int, int]:
    choices = sum(item.kind in ("literal_error", "enum") for item in group)
    return _has_unknown(group, path), choices, len(group)


def _list(names: Any) -> str:
    return ", ".join(repr(name[:40]) for name in list(names)[:20])
