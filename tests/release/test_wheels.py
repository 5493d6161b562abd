"""Reading built wheels."""

from __future__ import annotations

from pathlib import Path

import pytest

from release.wheels import ReleaseError, read_wheels
from tests.release.builders import write_wheel


def test_a_wheel_tells_its_name_version_requirements_and_files(tmp_path: Path) -> None:
    path = write_wheel(
        tmp_path,
        "cli",
        "1.2.3",
        ["typer  <1", "afactory-core~=1.0", "Afactory_Integrations[local]; extra == 'local'"],
    )

    wheel = read_wheels(tmp_path)["afactory-cli"]

    assert (wheel.version, wheel.concern, wheel.tag) == ("1.2.3", "cli", "cli-v1.2.3")
    assert wheel.requirements.python == ">=3.11"
    assert "typer <1" in wheel.requirements.requires
    assert wheel.first_party == {"afactory-core", "afactory-integrations"}
    assert wheel.files == (path, tmp_path / "afactory_cli-1.2.3.tar.gz")


def test_the_order_of_requirements_does_not_matter(tmp_path: Path) -> None:
    write_wheel(tmp_path / "a", "core", "1.0.0", ["b", "a"])
    write_wheel(tmp_path / "b", "core", "1.0.0", ["a", "b"])

    first, second = (read_wheels(tmp_path / name)["afactory-core"] for name in ("a", "b"))

    assert first.requirements == second.requirements


def test_a_folder_without_wheels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="run `make package` first"):
        read_wheels(tmp_path)


def test_a_second_wheel_of_a_distribution_is_refused(tmp_path: Path) -> None:
    write_wheel(tmp_path, "core", "1.0.0")
    write_wheel(tmp_path, "core", "1.0.1")

    with pytest.raises(ReleaseError, match="a second wheel of afactory-core"):
        read_wheels(tmp_path)


def test_a_wheel_without_its_source_archive_is_refused(tmp_path: Path) -> None:
    write_wheel(tmp_path, "core", "1.0.0", sdist=False)

    with pytest.raises(ReleaseError, match=r"afactory_core-1\.0\.0\.tar\.gz: the source archive"):
        read_wheels(tmp_path)


def test_a_foreign_wheel_is_refused(tmp_path: Path) -> None:
    write_wheel(tmp_path, "core", "1.0.0", prefix="agent-factory")

    with pytest.raises(ReleaseError, match="agent-factory-core is not of this repository"):
        read_wheels(tmp_path)


def test_a_broken_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "broken.whl").write_bytes(b"no archive")

    with pytest.raises(ReleaseError, match=r"broken\.whl: not a wheel with metadata"):
        read_wheels(tmp_path)
