"""Blueprints that use other blueprints: finding them, and holding them within the permissions of who uses them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent_factory.core.blueprints.bundle import read_bundled_file
from agent_factory.core.blueprints.document import MAX_BYTES
from agent_factory.core.blueprints.loading import parse_blueprint
from agent_factory.core.exceptions import (
    BlueprintError,
    ConfigurationError,
    PermissionDeniedError,
)
from agent_factory.core.permissions import Need
from agent_factory.core.permissions.roots import resolve_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent_factory.core.blueprints.adapters import Adapters
    from agent_factory.core.blueprints.loading import BlueprintFile
    from agent_factory.core.permissions import Grant, Permissions
    from agent_factory.core.source import Problem

__all__ = ["find_dependency_problems", "load_dependency"]

_MAX_DEPTH = 8
_MAX_READINGS = 100
"""Blueprints that are read for one, each as often as it is used: a few files can use each other in any number of ways."""


def load_dependency(file: BlueprintFile, name: str, grant: Grant) -> BlueprintFile:
    """Read a blueprint that another one uses, and hold it within what that one may touch.

    A file may change from one reading to the next, so each reading is checked for itself.

    Args:
        file: The blueprint that uses it.
        name: Its name in ``dependencies``.
        grant: What the blueprint that uses it may touch; a dependency outside of its folder has to be within.

    Raises:
        BlueprintError: The dependency is wrong.
        PermissionDeniedError: It lies outside of the folder and of what may be read.
        ConfigurationError: It cannot be read, has another version than is wanted, is no agent, or asks for more than the one that
            uses it may touch.
    """
    other = _read_dependency(file, name, grant)
    for _, message in _find_misfits(file, name, other, grant):
        raise ConfigurationError(f"the dependency {name!r} cannot be used: {message}")
    return other


def find_dependency_problems(
    file: BlueprintFile,
    adapters: Adapters,
    grant: Grant | None,
    chain: tuple[Path, ...] = (),
    readings: list[Path] | None = None,
) -> list[Problem]:
    """Return what is wrong with the blueprints that one uses, and with those that they use.

    Args:
        file: The blueprint.
        adapters: What the program brings along.
        grant: What the blueprint may touch; None where its permissions cannot be read.
        chain: The files that lead to the blueprint.
        readings: The files that were read already; each that is read is added.
    """
    from agent_factory.core.blueprints.checking import find_own_problems
    from agent_factory.core.permissions import Grant

    document = file.document
    problems: list[Problem] = []
    readings = [] if readings is None else readings
    chain = (*chain, _locate(file))
    if grant is None or not file.blueprint.dependencies:
        return problems
    for name in file.blueprint.dependencies:
        place = ("dependencies", name)
        if len(readings) >= _MAX_READINGS:
            problems.append(
                document.create_problem(
                    place, f"the dependencies are more than {_MAX_READINGS} with their own"
                )
            )
            break
        if name in file.blueprint.toolsets:
            # Else 'name/*' in permissions.tools would be meant for one and hold for both.
            problems.append(
                document.create_problem(
                    place,
                    f"a toolset is named {name!r} too: give one of them another name",
                    at_key=True,
                )
            )
        try:
            other = _read_dependency(file, name, grant)
        except BlueprintError as error:
            problems.append(
                document.create_problem(place, f"the dependency cannot be used: {error.message}")
            )
            problems += error.problems
            continue
        except (ConfigurationError, PermissionDeniedError) as error:
            problems.append(document.create_problem(place, error.message))
            continue
        where = _locate(other)
        readings.append(where)
        if where in chain:
            problems.append(
                document.create_problem(place, "the dependencies lead back here in a circle")
            )
            continue
        if len(chain) >= _MAX_DEPTH:
            problems.append(
                document.create_problem(place, f"the dependencies are more than {_MAX_DEPTH} deep")
            )
            continue
        problems += find_own_problems(other, adapters)
        problems += [
            document.create_problem((*place, *path), message)
            for path, message in _find_misfits(file, name, other, grant)
        ]
        try:
            its_grant = Grant(other.blueprint.permissions.create_permissions(), other.folder)
        except ConfigurationError:
            continue  # said of the file itself
        problems += find_dependency_problems(other, adapters, its_grant, chain, readings)
    return problems


def _read_dependency(file: BlueprintFile, name: str, grant: Grant) -> BlueprintFile:
    section = file.blueprint.dependencies[name]
    place = resolve_path(section.path, file.folder)
    if not resolve_path(".", file.folder).contains(place):
        place = grant.get_path("read", section.path)
    folder, names = place.anchor, place.names
    if not names:
        folder, names = folder.parent, (folder.name,)
    # Opened name by name: no link leads elsewhere, also none that is put there meanwhile.
    content = read_bundled_file(folder, "/".join(names), max_bytes=MAX_BYTES)
    shown = file.folder / section.path if place.names else place.path
    return parse_blueprint(content, name=str(shown), folder=folder.joinpath(*names[:-1]))


def _find_misfits(
    file: BlueprintFile, name: str, other: BlueprintFile, grant: Grant
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Return why a blueprint cannot be used by another one: where below the dependency, and what to say."""
    from agent_factory.core.locks.ranges import parse_range
    from agent_factory.core.locks.versions import parse_version

    section = file.blueprint.dependencies[name]
    if section.version is not None:
        try:
            wanted = parse_range(section.version)
        except ConfigurationError as error:
            yield ("version",), error.message
        else:
            if parse_version(other.blueprint.version) not in wanted:
                yield (
                    ("version",),
                    f"{section.path} has version {other.blueprint.version}, which {section.version!r} does not allow",
                )
    if other.entry is None or other.entry not in other.agents:
        yield (), "what it runs is no agent, and only an agent can be used by another blueprint"
    try:
        permissions = other.blueprint.permissions.create_permissions()
        excess = _find_excess(name, permissions, other.folder, grant)
    except ConfigurationError as error:
        yield (), f"its permissions cannot be used: {error.message}"
        return
    for kind, target in excess:
        yield (), f"it asks for {target}, which permissions.{kind} of this blueprint does not name"


def _find_excess(
    name: str, permissions: Permissions, folder: Path, grant: Grant
) -> list[tuple[str, str]]:
    """Return what a dependency asks for and the one that uses it does not have."""
    excess: list[tuple[str, str]] = []
    for kind in (
        "models",
        "tools",
        "hosts",
        "private_hosts",
        "secrets",
        "read",
        "write",
        "commands",
    ):
        for target in getattr(permissions, kind):
            asked: Any = target
            if kind in ("read", "write"):
                asked = str(resolve_path(target, folder).path)
            elif kind == "tools" and "/" in target:
                asked = f"{name}/{target}"
            if not grant.allows(Need(kind, asked)):
                key = f"files.{kind}" if kind in ("read", "write") else kind
                excess.append((key, repr(target)))
    if permissions.spend > grant.permissions.spend:
        excess.append(("spend", f"{permissions.spend / 1_000_000:g} USD"))
    return excess


def _locate(file: BlueprintFile) -> Path:
    return (file.folder / Path(file.document.file).name).resolve()
