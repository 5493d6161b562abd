"""``make ci`` runs what continuous integration runs, and ``.ci/run`` runs both."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]


def make(*arguments: str) -> list[str]:
    """The commands that ``make`` would run."""
    done = subprocess.run(
        ["make", "--dry-run", "--no-print-directory", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def read_steps() -> list[str]:
    """The make targets that the jobs of the workflow run, in order."""
    workflow: dict[str, Any] = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())
    commands = [
        step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step
    ]
    assert all(re.fullmatch(r"make [a-z-]+", command) for command in commands), commands
    return [command.removeprefix("make ") for command in commands]


def test_make_ci_runs_what_the_workflow_runs() -> None:
    in_the_workflow = [line for target in read_steps() for line in make(target)]

    assert make("ci") == in_the_workflow


def test_the_selection_of_a_pull_request_reaches_every_goal_of_pants() -> None:
    selection = "--changed-since=origin/main"

    commands = make("ci", f"TARGETS={selection}")

    # What is run, such as what builds the documentation, is no goal over targets.
    goals = [
        command
        for command in commands
        if command.startswith("./pants ") and not command.startswith("./pants run ")
    ]
    assert len(goals) >= 4
    assert all(command.endswith(f" {selection}") for command in goals)


def test_the_script_for_a_fresh_clone_runs_everything_of_make_ci() -> None:
    script = (ROOT / ".ci/run").read_text()

    called = re.findall(r'^step "[^"]+" make ([a-z-]+)$', script, re.MULTILINE)

    assert [line for target in called for line in make(target)] == make("ci")


def test_every_target_of_make_is_explained_by_make_help() -> None:
    makefile = (ROOT / "Makefile").read_text()
    declared = re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)[0].split()

    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)

    assert [line.split()[0] for line in done.stdout.splitlines()] == declared
