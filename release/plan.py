"""Which distributions a tag releases, and in which order."""

from __future__ import annotations

from collections.abc import Mapping, Set
from graphlib import CycleError, TopologicalSorter

from release.wheels import ReleaseError, Wheel

__all__ = ["dependency_order", "make_plan"]


def dependency_order(wheels: Mapping[str, Wheel]) -> tuple[str, ...]:
    """Order distributions so that each comes after all that it requires.

    Args:
        wheels: All wheels of the repository by distribution name.

    Returns:
        The names, lowest layer first; alphabetical where the requirements leave a choice.

    Raises:
        ReleaseError: If a required distribution was not built, or the requirements form a circle.
    """
    problems = [
        f"{wheel.files[0]}: requires {name}, which was not built; run `make package` with"
        " TARGETS=::"
        for wheel in wheels.values()
        for name in sorted(wheel.first_party - wheels.keys())
    ]
    if problems:
        raise ReleaseError(*problems)
    sorter = TopologicalSorter({name: wheel.first_party for name, wheel in wheels.items()})
    ordered: list[str] = []
    try:
        sorter.prepare()
    except CycleError as error:
        circle = " -> ".join(reversed(error.args[1]))
        raise ReleaseError(f"the distributions require each other in a circle: {circle}") from error
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        ordered += ready
        sorter.done(*ready)
    return tuple(ordered)


def make_plan(tagged: str, wheels: Mapping[str, Wheel], released: Set[str]) -> tuple[str, ...]:
    """Decide what is published for a tag.

    The tagged distribution alone may be of no use: the lower bound that its dependents put on it
    moves with it, so their new versions belong to the same release, as do new versions of what any
    of them requires.

    Args:
        tagged: The distribution that the tag names.
        wheels: All wheels of the repository by distribution name.
        released: The distributions whose current version has been released before.

    Returns:
        The distributions to publish, in the order in which to publish them.

    Raises:
        ReleaseError: If no order exists.
    """
    order = dependency_order(wheels)
    members = {tagged}
    grown = True
    while grown:
        related = {
            name
            for name in wheels
            if name not in released
            and name not in members
            and (
                wheels[name].first_party & members
                or any(name in wheels[m].first_party for m in members)
            )
        }
        members |= related
        grown = bool(related)
    return tuple(name for name in order if name in members)
