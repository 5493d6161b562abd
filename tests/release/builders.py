"""Small wheels and repositories for tests of the release tooling."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from release.snapshot import SNAPSHOT, render_snapshot
from release.wheels import read_wheels
from tests.workflows.repositories import commit_files, git, new_repository

__all__ = ["Workspace", "write_wheel"]


def write_wheel(
    folder: Path,
    concern: str,
    version: str,
    requires: Iterable[str] = (),
    *,
    prefix: str = "afactory",
    sdist: bool = True,
) -> Path:
    """Write a wheel without code, and its source archive.

    Args:
        folder: Where to.
        concern: The name after the prefix.
        version: Its version.
        requires: Its requirements.
        prefix: What its name starts with.
        sdist: Whether to write the source archive.

    Returns:
        The wheel.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{prefix.replace('-', '_')}_{concern}-{version}"
    metadata = [
        "Metadata-Version: 2.1",
        f"Name: {prefix}-{concern}",
        f"Version: {version}",
        "Requires-Python: >=3.11",
        *(f"Requires-Dist: {entry}" for entry in requires),
    ]
    wheel = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(f"{stem}.dist-info/METADATA", "\n".join(metadata) + "\n\nReadme\n")
    if sdist:
        (folder / f"{stem}.tar.gz").write_bytes(b"source")
    return wheel


class Workspace:
    """A repository with the packages core, integrations and cli, and a folder of their wheels.

    Args:
        root: Its folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.dist = root / "dist"
        self._versions = {"core": "0.1.0", "integrations": "0.1.0", "cli": "0.1.0"}
        new_repository(root, **{".gitignore": "dist/\n"})
        self.commit()

    def bump(self, **versions: str) -> None:
        """Raise versions, build, record and commit.

        Args:
            **versions: The new version by concern.
        """
        self._versions |= versions
        self.commit()

    def build(self, extra: Mapping[str, Iterable[str]] | None = None) -> None:
        """Write the wheels anew.

        Args:
            extra: Further requirements by concern.
        """
        for old in self.dist.glob("*"):
            old.unlink()
        core, integrations = (
            f"afactory-{n}~={self._versions[n]}" for n in ("core", "integrations")
        )
        requires = {
            "core": ["pydantic<3,>=2"],
            "integrations": [core, "aiohttp<4,>=3"],
            "cli": [core, integrations, "typer"],
        }
        for concern, version in self._versions.items():
            more = (extra or {}).get(concern, ())
            write_wheel(self.dist, concern, version, [*requires[concern], *more])

    def record(self) -> None:
        """Write the record of the built wheels."""
        path = self.root / SNAPSHOT
        path.parent.mkdir(exist_ok=True)
        path.write_text(render_snapshot(read_wheels(self.dist).values()), encoding="utf-8")

    def commit(self, **files: str) -> None:
        """Build, record and commit everything.

        Args:
            **files: Further files by path.
        """
        self.build()
        self.record()
        packages = {
            f"packages/{concern}/{name}": content
            for concern, version in self._versions.items()
            for name, content in {
                "VERSION": f"{version}\n",
                "CHANGELOG.md": f"# Changes\n\n## {version}\n\n- Something.\n",
            }.items()
        }
        commit_files(self.root, **(packages | files))

    def tag(self, *names: str) -> None:
        """Tag the current commit.

        Args:
            *names: The tags.
        """
        for name in names:
            git(self.root, "tag", name)
