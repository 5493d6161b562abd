"""Follows the recipe for a new package without Pants; a slow test of the workspace follows it with Pants."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.markdown import ROOT, read_blocks, read_table
from tests.docs.processes import create_environment

PAGE = "docs/adding-a-package.md"
PANTS = """\
#!/bin/sh
echo "$@" > pants-arguments
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A folder in which the recipe was followed, with a Pants that only notes its arguments."""
    (recipe,) = (block for block in read_blocks(PAGE) if block.info == "sh recipe")
    pants = tmp_path / "pants"
    pants.write_text(PANTS, encoding="utf-8")
    pants.chmod(0o755)
    done = subprocess.run(
        ["sh", "-eu", "-c", recipe.text],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return tmp_path


def find_files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_recipe_makes_the_files_of_the_table_and_no_others(workspace: Path) -> None:
    rows = read_table(PAGE, "What each file of a package is for")
    listed = {row[0].strip("`").replace("NAME", "greetings") for row in rows}

    made = {path for path in find_files(workspace) if path.startswith(("packages/", "tests/"))}
    assert made == listed | {"tests/greetings/test_greeter.py"}


def test_recipe_ends_with_the_checks_of_both_folders(workspace: Path) -> None:
    arguments = (workspace / "pants-arguments").read_text(encoding="utf-8").split()

    assert arguments == [
        "lint",
        "check",
        "test",
        "package",
        "packages/greetings::",
        "tests/greetings::",
    ]


def test_build_files_of_the_recipe_use_macros_that_exist(workspace: Path) -> None:
    macros = (ROOT / "build-support/macros.build").read_text(encoding="utf-8")
    defined = set(re.findall(r"^def ([a-z]\w*)\(", macros, flags=re.MULTILINE))
    used = {path.read_text(encoding="utf-8").partition("(")[0] for path in workspace.rglob("BUILD")}

    assert used == {"distribution", "distribution_sources", "unit_tests"}
    assert used <= defined


def test_tests_of_the_recipe_pass(workspace: Path) -> None:
    environment = create_environment()
    source = str(workspace / "packages/greetings/src")
    environment["PYTHONPATH"] = os.pathsep.join([source, environment["PYTHONPATH"]])
    # Or pytest would take the settings of any folder above, such as one in /tmp.
    (workspace / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"],
        cwd=workspace,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout
