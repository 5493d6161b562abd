"""The gate: every reason for which a tag is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping

from release.plan import make_plan
from release.repository import Repository
from release.snapshot import SNAPSHOT, Entry, differences, parse_snapshot
from release.wheels import PREFIX, ReleaseError, Wheel

__all__ = ["check_release", "check_tag", "metadata_problems"]

_TAG = re.compile(r"(?P<concern>[a-z][a-z0-9-]*)-v(?P<version>\d+\.\d+\.\d+)")
_REFRESH = "run `make package` and `python3 -m release snapshot`, and commit the result"


def check_tag(tag: str, repository: Repository, branch: str | None) -> str:
    """Check a tag against the source tree.

    Args:
        tag: The tag, ``<concern>-vX.Y.Z``.
        repository: The clone, with the tag checked out.
        branch: The branch that must contain the tag; None to skip that.

    Returns:
        The distribution that it names.

    Raises:
        ReleaseError: If its form, its version, its place or the package's changelog is not right.
    """
    match = _TAG.fullmatch(tag)
    if match is None:
        raise ReleaseError(
            f"tag {tag!r} is not of the form <concern>-vX.Y.Z, for example core-v1.2.3"
        )
    concern, version = match["concern"], match["version"]
    problems = []
    actual = repository.version(concern)
    if actual != version:
        problems.append(
            f"packages/{concern}/VERSION:1: says {actual}, but the tag is {tag}; delete the tag and"
            f" push {concern}-v{actual}, or bump VERSION first"
        )
    if not repository.changelog_mentions(concern, version):
        problems.append(
            f"packages/{concern}/CHANGELOG.md:1: has no section `## {version}`; write what changed"
        )
    if repository.commit(f"refs/tags/{tag}") != repository.commit("HEAD"):
        problems.append(f"the checked-out commit is not that of {tag}; run `git checkout {tag}`")
    if branch is not None and not repository.is_ancestor("HEAD", branch):
        problems.append(
            f"{tag} is not on {branch}; merge its commit there by a pull request, then tag it"
        )
    if problems:
        raise ReleaseError(*problems)
    return f"{PREFIX}{concern}"


def metadata_problems(wheels: Mapping[str, Wheel], repository: Repository) -> list[str]:
    """Compare what the wheels require with the record, and with what was released.

    Args:
        wheels: All wheels of the repository by distribution name.
        repository: The clone they were built from.

    Returns:
        One line per problem; empty if all is well.
    """
    problems = []
    built = {wheel.concern for wheel in wheels.values()}
    for concern in repository.concerns():
        if concern not in built:
            problems.append(
                f"packages/{concern}: was not built; run `make package` with TARGETS=::"
            )
    text = repository.read(SNAPSHOT)
    if text is None:
        return [*problems, f"{SNAPSHOT}:1: missing; {_REFRESH}"]
    recorded = parse_snapshot(text, f"{SNAPSHOT}:1")
    tags = repository.tags()
    for wheel in wheels.values():
        version = repository.version(wheel.concern)
        if wheel.version != version:
            problems.append(
                f"{wheel.files[0]}: has version {wheel.version}, but"
                f" packages/{wheel.concern}/VERSION says {version}; build it again"
            )
        problems += _against_record(wheel, recorded.get(wheel.distribution))
        if wheel.tag in tags:
            problems += _against_release(wheel, repository)
    problems += [
        f"{SNAPSHOT}:1: records {name}, which no longer exists; {_REFRESH}"
        for name in recorded
        if name not in wheels
    ]
    return problems


def check_release(
    tag: str, wheels: Mapping[str, Wheel], repository: Repository, branch: str | None
) -> tuple[str, ...]:
    """Run the whole gate.

    Args:
        tag: The tag to release.
        wheels: All wheels of the repository by distribution name.
        repository: The clone they were built from, with the tag checked out.
        branch: The branch that must contain the tag; None to skip that.

    Returns:
        The distributions to publish, in order.

    Raises:
        ReleaseError: With every reason to refuse.
    """
    tagged = check_tag(tag, repository, branch)
    problems = metadata_problems(wheels, repository)
    if problems:
        raise ReleaseError(*problems)
    tags = repository.tags()
    released = {name for name, wheel in wheels.items() if wheel.tag in tags}
    plan = make_plan(tagged, wheels, released)
    unwritten = [
        f"packages/{wheels[name].concern}/CHANGELOG.md:1: has no section `##"
        f" {wheels[name].version}`, and {name} is released with {tagged}; write what changed"
        for name in plan
        if not repository.changelog_mentions(wheels[name].concern, wheels[name].version)
    ]
    if unwritten:
        raise ReleaseError(*unwritten)
    return plan


def _against_record(wheel: Wheel, entry: Entry | None) -> list[str]:
    if entry is None:
        return [f"{SNAPSHOT}:1: does not record {wheel.distribution}; {_REFRESH}"]
    if entry.version != wheel.version:
        return [
            (
                f"{SNAPSHOT}:1: records {wheel.distribution} {entry.version}, the wheel has"
                f" {wheel.version}; {_REFRESH}"
            )
        ]
    changed = differences(entry.requirements, wheel.requirements)
    return (
        [f"{SNAPSHOT}:1: out of date for {wheel.distribution} ({changed}); {_REFRESH}"]
        if changed
        else []
    )


def _against_release(wheel: Wheel, repository: Repository) -> list[str]:
    text = repository.file_at(wheel.tag, SNAPSHOT)
    entry = (
        parse_snapshot(text, f"{wheel.tag}:{SNAPSHOT}").get(wheel.distribution) if text else None
    )
    if entry is None or entry.version != wheel.version:
        return [
            (
                f"{wheel.tag}: that tag has no record of {wheel.distribution} {wheel.version} in"
                f" {SNAPSHOT}, so it was not released by this gate; delete the tag or bump the version"
            )
        ]
    changed = differences(entry.requirements, wheel.requirements)
    if not changed:
        return []
    return [
        (
            f"packages/{wheel.concern}/VERSION:1: {wheel.version} was released with other requirements"
            f" ({changed}); bump it, describe the change in packages/{wheel.concern}/CHANGELOG.md, then"
            f" {_REFRESH}"
        )
    ]
