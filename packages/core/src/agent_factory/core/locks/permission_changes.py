"""What one manifest permits beyond another."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from agent_factory.core.locks.manifests import FILES, LISTS, manifest_to_dict
from agent_factory.core.permissions.hosts import HostRule, parse_host_rule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from agent_factory.core.permissions.manifest import Permissions

__all__ = ["PermissionChange", "compare_permissions"]


@dataclass(frozen=True, slots=True)
class PermissionChange:
    """How one key of the manifest has changed.

    Attributes:
        kind: The key, such as ``hosts`` or ``files.read``.
        wider: What is permitted now and was not before; for people.
        narrower: What was permitted before and is not any more; for people.
    """

    kind: str
    wider: tuple[str, ...] = ()
    narrower: tuple[str, ...] = ()


def compare_permissions(old: Permissions, new: Permissions) -> tuple[PermissionChange, ...]:
    """Return what has changed between two manifests.

    An entry that another one takes in permits nothing more: a host below ``*.example.com``, a path below a folder by
    its letters, a tool of ``toolset/*``. Where that cannot be told, as between a relative and an absolute path, the
    entry counts as one more.

    Args:
        old: The manifest before.
        new: The manifest after.

    Returns:
        One change for each key that says something else; with neither ``wider`` nor ``narrower`` where both ways to
        say it permit the same.
    """
    changes = []
    before, after = manifest_to_dict(old), manifest_to_dict(new)
    for kind in (*LISTS, *FILES):
        had: tuple[str, ...] = getattr(old, kind)
        has: tuple[str, ...] = getattr(new, kind)
        if set(had) == set(has):
            continue
        covers = _COVERS.get(kind, str.__eq__)
        # A host that may be private may also be called where it is not.
        had_all = (*had, *old.private_hosts) if kind == "hosts" else had
        has_all = (*has, *new.private_hosts) if kind == "hosts" else has
        changes.append(
            PermissionChange(
                f"files.{kind}" if kind in FILES else kind,
                _find_uncovered(has, had_all, covers),
                _find_uncovered(had, has_all, covers),
            )
        )
    if before["spend"] != after["spend"]:
        said = (f"{_show_money(after['spend'])} instead of {_show_money(before['spend'])}",)
        wider = after["spend"] > before["spend"]
        changes.append(
            PermissionChange("spend", said if wider else (), () if wider else said),
        )
    if before["timeout"] != after["timeout"]:
        said = (f"{_show_time(after['timeout'])} instead of {_show_time(before['timeout'])}",)
        wider = after["timeout"] is None or (
            before["timeout"] is not None and after["timeout"] > before["timeout"]
        )
        changes.append(PermissionChange("timeout", said if wider else (), () if wider else said))
    return tuple(changes)


def _find_uncovered(
    wanted: Iterable[str], granted: tuple[str, ...], covers: Callable[[str, str], bool]
) -> tuple[str, ...]:
    return tuple(
        sorted(
            {item for item in wanted if not any(covers(entry, item) for entry in granted)},
        )
    )


def _show_money(millionths: int) -> str:
    whole, rest = divmod(millionths, 1_000_000)
    return f"{whole}.{f'{rest:06d}'.rstrip('0'):0<2}"


def _show_time(seconds: float | None) -> str:
    return "no bound" if seconds is None else f"{seconds} s"


def _covers_host(entry: str, item: str) -> bool:
    rule, wanted = parse_host_rule(entry), parse_host_rule(item)
    if (rule.scheme, rule.port) != (wanted.scheme, wanted.port):
        return False
    if rule == wanted or rule.host == "*":
        return True
    if not wanted.is_pattern:
        return rule.matches(wanted.scheme, wanted.host, wanted.port)
    # '*.eu.example.com' lies within '*.example.com', and '*' in nothing but itself.
    return _is_suffix_rule(rule) and wanted.host[1:].endswith(rule.host[1:])


def _is_suffix_rule(rule: HostRule) -> bool:
    return rule.host.startswith("*.")


def _covers_tool(entry: str, item: str) -> bool:
    return entry == item or ("/" in item and entry == f"{item.partition('/')[0]}/*")


def _covers_path(entry: str, item: str) -> bool:
    if entry == item:
        return True
    root, path = _split(entry), _split(item)
    if root is None or path is None:
        return False
    (absolute, ups, names), (also_absolute, more_ups, below) = root, path
    if absolute != also_absolute:
        return False
    if ups == more_ups:
        return below[: len(names)] == names
    # '..' takes in whatever begins at the folder itself; '../other' may not.
    return ups > more_ups and not names


def _split(text: str) -> tuple[bool, int, tuple[str, ...]] | None:
    """Return whether a path is absolute, how often it goes up first, and the names after that."""
    path = PurePosixPath(text)
    names = list(path.parts[1:] if path.is_absolute() else path.parts)
    ups = 0
    while not path.is_absolute() and names and names[0] == "..":
        names.pop(0)
        ups += 1
    return None if ".." in names else (path.is_absolute(), ups, tuple(names))


_COVERS: dict[str, Callable[[str, str], bool]] = {
    "hosts": _covers_host,
    "private_hosts": _covers_host,
    "tools": _covers_tool,
    "read": _covers_path,
    "write": _covers_path,
}
