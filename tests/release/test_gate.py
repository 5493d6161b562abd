"""The release gate, on real repositories."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from release.__main__ import main
from release.snapshot import SNAPSHOT
from tests.release.builders import Workspace
from tests.workflows.repositories import commit_files, git


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Three packages at 0.1.0, none of them released."""
    return Workspace(tmp_path / "clone")


def _run(workspace: Workspace, *arguments: str) -> int:
    return main(["--root", str(workspace.root), *arguments])


def _plan(workspace: Workspace, tag: str, *options: str) -> int:
    paths = ["--dist", str(workspace.dist), "--out", str(workspace.root / "staged")]
    return _run(workspace, "plan", "--tag", tag, *paths, *options)


def _refusal(capsys: pytest.CaptureFixture[str]) -> str:
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err


def test_a_first_release_takes_everything_in_order(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace.tag("core-v0.1.0")
    output = workspace.root / "output"

    assert _plan(workspace, "core-v0.1.0", "--branch", "main", "--github-output", str(output)) == 0

    names = ["afactory-core", "afactory-integrations", "afactory-cli"]
    assert json.loads(output.read_text("utf-8").splitlines()[0].split("=", 1)[1]) == names
    assert (
        output.read_text("utf-8").splitlines()[1]
        == 'companions=["integrations-v0.1.0", "cli-v0.1.0"]'
    )
    staged = workspace.root / "staged"
    assert sorted(path.relative_to(staged).as_posix() for path in staged.glob("*/*")) == [
        "afactory-cli/afactory_cli-0.1.0-py3-none-any.whl",
        "afactory-cli/afactory_cli-0.1.0.tar.gz",
        "afactory-core/afactory_core-0.1.0-py3-none-any.whl",
        "afactory-core/afactory_core-0.1.0.tar.gz",
        "afactory-integrations/afactory_integrations-0.1.0-py3-none-any.whl",
        "afactory-integrations/afactory_integrations-0.1.0.tar.gz",
    ]


def test_a_later_release_takes_what_has_changed(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace.tag("core-v0.1.0", "integrations-v0.1.0", "cli-v0.1.0")
    workspace.bump(integrations="0.1.1", cli="0.1.1")
    workspace.tag("integrations-v0.1.1")

    assert _plan(workspace, "integrations-v0.1.1") == 0
    assert (
        capsys.readouterr().out
        == "releases, in this order: afactory-integrations 0.1.1, afactory-cli 0.1.1\n"
    )


@pytest.mark.parametrize(
    "tag", ["core-0.1.0", "v0.1.0", "core-v0.1", "Core-v0.1.0", "core-v0.1.0rc1"]
)
def test_a_tag_of_another_form_is_refused(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], tag: str
) -> None:
    assert _plan(workspace, tag) == 1
    assert "is not of the form <concern>-vX.Y.Z" in _refusal(capsys)


def test_a_tag_of_an_unknown_package_is_refused(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace.tag("payments-v0.1.0")

    assert _run(workspace, "tag", "--tag", "payments-v0.1.0") == 1
    assert "the packages are cli, core, integrations" in _refusal(capsys)


def test_a_tag_that_differs_from_version_is_refused(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace.tag("core-v0.2.0")

    assert _run(workspace, "tag", "--tag", "core-v0.2.0") == 1
    assert "packages/core/VERSION:1: says 0.1.0, but the tag is core-v0.2.0" in _refusal(capsys)


def test_a_malformed_version_is_refused(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    commit_files(workspace.root, **{"packages/core/VERSION": "0.1\n"})
    workspace.tag("core-v0.1.0")

    assert _run(workspace, "tag", "--tag", "core-v0.1.0") == 1
    assert "packages/core/VERSION:1: '0.1' is not a version" in _refusal(capsys)


def test_a_version_without_a_changelog_section_is_refused(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    commit_files(workspace.root, **{"packages/core/CHANGELOG.md": "# Changes\n\n## 0.1.00\n"})
    workspace.tag("core-v0.1.0")

    assert _run(workspace, "tag", "--tag", "core-v0.1.0") == 1
    assert "packages/core/CHANGELOG.md:1: has no section `## 0.1.0`" in _refusal(capsys)


def test_a_companion_without_a_changelog_section_is_refused(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    commit_files(workspace.root, **{"packages/cli/CHANGELOG.md": "# Changes\n"})
    workspace.tag("core-v0.1.0")

    assert _plan(workspace, "core-v0.1.0") == 1
    assert "packages/cli/CHANGELOG.md:1" in _refusal(capsys)


def test_a_tag_of_another_commit_is_refused(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace.tag("core-v0.1.0")
    commit_files(workspace.root, **{"README.md": "later"})

    assert _run(workspace, "tag", "--tag", "core-v0.1.0") == 1
    assert "the checked-out commit is not that of core-v0.1.0" in _refusal(capsys)


def test_a_tag_beside_the_branch_is_refused(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    git(workspace.root, "switch", "--quiet", "--create", "unreviewed")
    commit_files(workspace.root, **{"README.md": "unreviewed"})
    workspace.tag("core-v0.1.0")

    assert _run(workspace, "tag", "--tag", "core-v0.1.0", "--branch", "main") == 1
    assert "core-v0.1.0 is not on main" in _refusal(capsys)


def test_a_missing_tag_is_refused(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(workspace, "tag", "--tag", "core-v0.1.0") == 1
    assert "needs a full clone with all tags" in _refusal(capsys)


def test_changed_requirements_without_a_bump_are_refused(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace.tag("core-v0.1.0", "integrations-v0.1.0", "cli-v0.1.0")
    workspace.bump(core="0.1.1")
    workspace.tag("core-v0.1.1")

    assert _plan(workspace, "core-v0.1.1") == 1

    refusal = _refusal(capsys)
    assert "packages/integrations/VERSION:1: 0.1.0 was released with other requirements" in refusal
    assert "packages/cli/VERSION:1: 0.1.0 was released with other requirements" in refusal
    assert "requirement 'afactory-core~=0.1.0' gone" in refusal
    assert "requirement 'afactory-core~=0.1.1' new" in refusal


def test_a_new_record_cannot_hide_changed_requirements(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace.tag("core-v0.1.0")
    workspace.build({"core": ["PyYAML"]})

    assert _run(workspace, "snapshot", "--dist", str(workspace.dist)) == 1
    assert "requirement 'PyYAML' new" in _refusal(capsys)


def test_a_wheel_that_differs_from_the_record_is_refused(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace.build({"core": ["PyYAML"]})

    assert _run(workspace, "check", "--dist", str(workspace.dist)) == 1

    refusal = _refusal(capsys)
    assert f"{SNAPSHOT}:1: out of date for afactory-core (requirement 'PyYAML' new)" in refusal
    assert "python3 -m release snapshot" in refusal


def test_a_wheel_of_another_version_is_refused(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    commit_files(workspace.root, **{"packages/core/VERSION": "0.3.0\n"})

    assert _run(workspace, "check", "--dist", str(workspace.dist)) == 1
    assert "has version 0.1.0, but packages/core/VERSION says 0.3.0" in _refusal(capsys)


def test_an_unbuilt_package_is_refused(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    commit_files(workspace.root, **{"packages/cache/VERSION": "0.1.0\n"})

    assert _run(workspace, "check", "--dist", str(workspace.dist)) == 1
    assert "packages/cache: was not built" in _refusal(capsys)


def test_a_missing_record_is_refused(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    (workspace.root / SNAPSHOT).unlink()

    assert _run(workspace, "check", "--dist", str(workspace.dist)) == 1
    assert f"{SNAPSHOT}:1: missing" in _refusal(capsys)


@pytest.mark.parametrize("text", ["[afactory-core", "[afactory-core]\nversion = '1'\n", "a = 1\n"])
def test_a_malformed_record_is_refused(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    (workspace.root / SNAPSHOT).write_text(text, encoding="utf-8")

    assert _run(workspace, "check", "--dist", str(workspace.dist)) == 1
    assert f"{SNAPSHOT}:1: malformed" in _refusal(capsys)


def test_a_tag_from_before_the_record_is_refused(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    git(workspace.root, "tag", "cli-v0.1.0", "main~1")

    assert _run(workspace, "check", "--dist", str(workspace.dist)) == 1
    assert "cli-v0.1.0: that tag has no record of afactory-cli 0.1.0" in _refusal(capsys)


def test_the_record_is_the_same_for_the_same_wheels(workspace: Workspace) -> None:
    before = (workspace.root / SNAPSHOT).read_text("utf-8")

    assert _run(workspace, "snapshot", "--dist", str(workspace.dist)) == 0
    assert (workspace.root / SNAPSHOT).read_text("utf-8") == before


def test_an_existing_folder_is_not_overwritten(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace.tag("core-v0.1.0")
    (workspace.root / "staged").mkdir()

    assert _plan(workspace, "core-v0.1.0") == 1
    assert "exists already" in _refusal(capsys)
