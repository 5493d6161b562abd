"""`docker/smoke` passes an image that behaves, and fails one that does not."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.docker.conftest import Machine

_SCRIPTS = Path(__file__).resolve().parents[2] / "docker"

# A stand-in for an image of version 1.2.3. Each part can be replaced by one that misbehaves.
_PARTS = {
    "user": "echo 65532:65532",
    "label": "echo 1.2.3",
    "version": "echo agent-factory 1.2.3",
    "answer": "echo 'Packages are added so (docs/packages.md:12).'",
    "missing": "echo 'blueprints/missing.yaml: no such file' >&2; exit 2",
}


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    """The folder `docker` of a checkout whose command line has version 1.2.3."""
    folder = tmp_path / "checkout/docker"
    folder.mkdir(parents=True)
    shutil.copy(_SCRIPTS / "smoke", folder)
    version = tmp_path / "checkout/packages/cli/VERSION"
    version.parent.mkdir(parents=True)
    version.write_text("1.2.3\n", encoding="utf-8")
    return folder


def _install_image(machine: Machine, **replaced: str) -> None:
    part = {**_PARTS, **replaced}
    machine.install(
        "docker",
        f"""
        case "$*" in
        *.Id*) echo sha256:0 ;;
        *Config.User*) {part["user"]} ;;
        *image.version*) {part["label"]} ;;
        *--version) {part["version"]} ;;
        *ask-docs.yaml*) {part["answer"]} ;;
        *missing.yaml*) {part["missing"]} ;;
        *) exit 125 ;;
        esac
        """,
    )


def test_an_image_that_behaves_passes(machine: Machine, scripts: Path) -> None:
    _install_image(machine)

    result = machine.run("smoke", folder=scripts)

    assert result.returncode == 0, result.stderr
    assert "docs/packages.md:12" in result.stdout


def test_every_run_is_locked_down(machine: Machine, scripts: Path) -> None:
    _install_image(machine)

    machine.run("smoke", folder=scripts)

    runs = [call for call in machine.called() if call.startswith("docker run ")]
    assert len(runs) == 3
    for run in runs:
        assert "--network none --read-only --cap-drop ALL" in run


@pytest.mark.parametrize(
    ("replaced", "complaint"),
    [
        ({"user": "echo"}, "its user is ''"),
        ({"user": "echo 0:0"}, "its user is '0:0'"),
        ({"user": "echo nobody"}, "its user is 'nobody'"),
        ({"label": "echo 1.2.4"}, "its version label is '1.2.4'"),
        ({"version": "echo agent-factory 1.2.30"}, "--version does not say 1.2.3"),
        ({"version": "exit 1"}, "--version exited with 1"),
        ({"answer": "echo 'docs/packages.md:12'; exit 1"}, "the run of ask-docs exited with 1"),
        ({"answer": "echo 'Nobody knows.'"}, "cites no file:line"),
        ({"missing": "echo missing.yaml >&2"}, "missing blueprint exited with 0"),
        ({"missing": "exit 2"}, "does not name the missing blueprint"),
        ({"missing": "echo 'Traceback: missing.yaml' >&2; exit 1"}, "ended in a traceback"),
    ],
)
def test_an_image_that_misbehaves_fails(
    machine: Machine, scripts: Path, replaced: dict[str, str], complaint: str
) -> None:
    _install_image(machine, **replaced)

    result = machine.run("smoke", folder=scripts)

    assert result.returncode == 1
    assert complaint in result.stderr


def test_a_failure_shows_what_the_image_printed(machine: Machine, scripts: Path) -> None:
    _install_image(machine, version="echo to standard error >&2; exit 7")

    assert "to standard error" in machine.run("smoke", folder=scripts).stderr


def test_an_image_that_was_not_built_fails_with_the_command_that_builds_it(
    machine: Machine, scripts: Path
) -> None:
    machine.install("docker", "exit 1")

    result = machine.run("smoke", folder=scripts)

    assert result.returncode == 1
    assert "make image" in result.stderr


def test_another_image_can_be_named(machine: Machine, scripts: Path) -> None:
    _install_image(machine)

    machine.run("smoke", "example:tag", folder=scripts)

    assert all("example:tag" in call for call in machine.called())
