"""Command line of the release tooling; ``python3 -m release --help`` lists its commands."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from release.gate import check_release, check_tag, metadata_problems
from release.image import image_bom
from release.repository import Repository
from release.sbom import write_boms
from release.snapshot import SNAPSHOT, render_snapshot
from release.wheels import ReleaseError, read_wheels

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: The command line without the program; that of the process by default.

    Returns:
        0 on success, 1 if the release is refused.
    """
    parser = argparse.ArgumentParser(
        prog="python3 -m release", description="Release tooling of this repository."
    )
    parser.add_argument(
        "--root", type=Path, default=Path.cwd(), help="root of the repository (default: here)"
    )
    commands = parser.add_subparsers(dest="command", required=True)

    command = commands.add_parser(
        "tag", help="check a tag against VERSION, CHANGELOG and the main branch"
    )
    _add_tag(command)
    command.set_defaults(run=_tag)

    command = commands.add_parser("check", help="compare the built wheels with what was released")
    _add_dist(command)
    command.set_defaults(run=_check)

    command = commands.add_parser(
        "snapshot", help=f"record what the built wheels require in {SNAPSHOT}"
    )
    _add_dist(command)
    command.set_defaults(run=_snapshot)

    command = commands.add_parser(
        "plan", help="check a release, order it and sort its files into folders"
    )
    _add_tag(command)
    _add_dist(command)
    command.add_argument(
        "--out", type=Path, required=True, help="new folder: one folder per distribution"
    )
    command.add_argument(
        "--github-output", type=Path, help="append the plan to this step output file"
    )
    command.set_defaults(run=_plan)

    command = commands.add_parser(
        "sbom", help="write a CycloneDX bill of materials for each planned distribution"
    )
    _add_dist(command)
    command.add_argument("--out", type=Path, required=True, help="the folder that `plan` wrote")
    command.add_argument(
        "--lock", type=Path, required=True, help="the lock of the runtime dependencies"
    )
    command.set_defaults(run=_sbom)

    command = commands.add_parser(
        "image-sbom", help="write the bill of materials of a container image"
    )
    command.add_argument("--image", required=True, help="name of an image that `docker` can run")
    command.add_argument(
        "--application", type=Path, required=True, help="the bill of the distribution inside"
    )
    command.add_argument("--out", type=Path, required=True, help="file to write")
    command.set_defaults(run=_image_sbom)

    options = parser.parse_args(arguments)
    try:
        options.run(options)
    except ReleaseError as error:
        print("refused:", *error.problems, sep="\n  ", file=sys.stderr)
        return 1
    return 0


def _add_tag(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tag", required=True, help="the tag to release, <concern>-vX.Y.Z")
    parser.add_argument(
        "--branch", help="branch that must contain the tag, for example origin/main"
    )


def _add_dist(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--dist", type=Path, default=Path("dist"), help="folder of the built wheels (default: dist)"
    )


def _tag(options: argparse.Namespace) -> None:
    distribution = check_tag(options.tag, Repository(options.root), options.branch)
    print(f"{options.tag} is fit to release {distribution}")


def _check(options: argparse.Namespace) -> None:
    wheels = read_wheels(options.dist)
    problems = metadata_problems(wheels, Repository(options.root))
    if problems:
        raise ReleaseError(*problems)
    print(f"{len(wheels)} wheels agree with their records")


def _snapshot(options: argparse.Namespace) -> None:
    wheels = read_wheels(options.dist)
    (options.root / SNAPSHOT).write_text(render_snapshot(wheels.values()), encoding="utf-8")
    problems = metadata_problems(wheels, Repository(options.root))
    if problems:
        raise ReleaseError(*problems)
    print(f"recorded {len(wheels)} distributions in {SNAPSHOT}")


def _plan(options: argparse.Namespace) -> None:
    wheels = read_wheels(options.dist)
    plan = check_release(options.tag, wheels, Repository(options.root), options.branch)
    if options.out.exists():
        raise ReleaseError(f"{options.out}: exists already; delete it first")
    for name in plan:
        folder = options.out / name
        folder.mkdir(parents=True)
        for file in wheels[name].files:
            shutil.copy2(file, folder)
    tags = [wheels[name].tag for name in plan]
    outputs = {"distributions": plan, "companions": [tag for tag in tags if tag != options.tag]}
    lines = "".join(f"{key}={json.dumps(value)}\n" for key, value in outputs.items())
    if options.github_output is not None:
        with options.github_output.open("a", encoding="utf-8") as stream:
            stream.write(lines)
    print("releases, in this order: " + ", ".join(f"{n} {wheels[n].version}" for n in plan))


def _sbom(options: argparse.Namespace) -> None:
    for path in write_boms(read_wheels(options.dist), options.out, options.lock):
        print(f"wrote {path}")


def _image_sbom(options: argparse.Namespace) -> None:
    components = image_bom(options.image, options.application, options.out)
    print(f"wrote {options.out} with {components} components")


if __name__ == "__main__":
    sys.exit(main())
