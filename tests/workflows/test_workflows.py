"""What holds for every workflow of this repository."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from security.accepted import TOOLS

_ROOT = Path(".github")
_WORKFLOWS = sorted((_ROOT / "workflows").glob("*.yml"))
_ACTIONS = sorted((_ROOT / "actions").glob("*/action.yml"))
_CHECKS = ["lint", "type-check", "test", "build"]


def _load(path: Path) -> dict[str, Any]:
    document: dict[Any, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    # YAML 1.1 reads the key `on` as a truth value.
    return {"on" if key is True else str(key): value for key, value in document.items()}


def _workflow(name: str) -> dict[str, Any]:
    return _load(_ROOT / "workflows" / f"{name}.yml")


def _jobs() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path in _WORKFLOWS:
        for name, job in _load(path)["jobs"].items():
            yield path.stem, name, job


def _steps() -> Iterator[dict[str, Any]]:
    for _, _, job in _jobs():
        yield from job["steps"]
    for path in _ACTIONS:
        yield from _load(path)["runs"]["steps"]


def test_there_are_three_workflows() -> None:
    assert [path.stem for path in _WORKFLOWS] == ["ci", "nightly", "release"]


@pytest.mark.parametrize("path", [*_WORKFLOWS, *_ACTIONS], ids=str)
def test_no_gate_hides_a_failure(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert "continue-on-error" not in text
    assert not re.search(r"\|\|\s*(true|:|exit 0)", text)


def test_every_job_has_a_timeout() -> None:
    assert [job for *_, job in _jobs() if not 0 < job.get("timeout-minutes", 0) <= 90] == []


def test_no_workflow_grants_anything_by_default() -> None:
    assert [path.stem for path in _WORKFLOWS if _load(path)["permissions"] != {}] == []


def test_only_these_jobs_may_write() -> None:
    writers = {
        (workflow, name): {key for key, value in job["permissions"].items() if value == "write"}
        for workflow, name, job in _jobs()
    }

    assert {key: value for key, value in writers.items() if value} == {
        ("release", "attest"): {"attestations", "id-token"},
        ("release", "publish"): {"id-token"},
        ("release", "draft"): {"contents"},
        ("release", "deploy"): {"attestations", "id-token", "packages"},
    }


def test_no_job_that_may_write_runs_code_of_the_repository() -> None:
    for _, _, job in _jobs():
        if "write" in job["permissions"].values():
            uses = [step.get("uses", "") for step in job["steps"]]
            assert not any(use.startswith(("actions/checkout@", "$/", "./")) for use in uses)


def test_no_checkout_keeps_the_credentials() -> None:
    checkouts = [step for step in _steps() if step.get("uses", "").startswith("actions/checkout@")]

    assert checkouts
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_actions_of_others_are_pinned_to_one_commit_each() -> None:
    commits: dict[str, set[str]] = {}
    for path in [*_WORKFLOWS, *_ACTIONS]:
        for line in path.read_text(encoding="utf-8").splitlines():
            match = re.search(r"\buses: (?!\$/)(\S+)(.*)", line)
            if match:
                pin = re.fullmatch(r"([\w-]+/[\w-]+)(?:/[\w/-]+)?@([0-9a-f]{40})", match[1])
                assert pin, f"{path}: {line.strip()}"
                assert re.fullmatch(r" # v\d+\.\d+\.\d+", match[2]), f"{path}: {line.strip()}"
                commits.setdefault(pin[1], set()).add(pin[2] + match[2])

    assert {name: pins for name, pins in commits.items() if len(pins) > 1} == {}


def test_no_long_lived_secret_is_used() -> None:
    assert [path for path in _WORKFLOWS if "secrets." in path.read_text(encoding="utf-8")] == []


def test_a_pull_request_gets_the_required_checks_and_no_others() -> None:
    triggered = [path.stem for path in _WORKFLOWS if "pull_request" in _load(path)["on"]]
    ruleset = json.loads((_ROOT / "rulesets" / "main.json").read_text(encoding="utf-8"))
    rules = {rule["type"]: rule.get("parameters", {}) for rule in ruleset["rules"]}
    required = rules["required_status_checks"]["required_status_checks"]

    assert triggered == ["ci"]
    assert list(_workflow("ci")["jobs"]) == _CHECKS
    assert [job["name"] for job in _workflow("ci")["jobs"].values()] == _CHECKS
    assert [check["context"] for check in required] == _CHECKS
    assert rules["pull_request"]["required_approving_review_count"] == 1


def test_every_check_of_a_pull_request_is_a_make_target() -> None:
    runs = {
        name: [step["run"] for step in job["steps"] if "run" in step]
        for name, job in _workflow("ci")["jobs"].items()
    }

    assert runs == {
        "lint": ["make lint"],
        "type-check": ["make type-check"],
        "test": ["make test"],
        "build": ["make package", "make docs", "make image"],
    }


def test_every_check_covers_the_selected_targets() -> None:
    for job in _workflow("ci")["jobs"].values():
        for step in job["steps"]:
            if "run" in step:
                assert step["env"] == {"TARGETS": "${{ steps.setup.outputs.targets }}"}


def test_the_selection_sees_the_whole_history() -> None:
    for job in _workflow("ci")["jobs"].values():
        assert job["steps"][0]["with"]["fetch-depth"] == 0


def test_a_newer_push_cancels_the_older_run_of_a_pull_request_only() -> None:
    concurrency = _workflow("ci")["concurrency"]

    assert concurrency["cancel-in-progress"] == "${{ github.event_name == 'pull_request' }}"
    assert concurrency["group"] == "ci-${{ github.event.pull_request.number || github.sha }}"


def test_caches_are_saved_on_main_only() -> None:
    for job in _workflow("ci")["jobs"].values():
        (save,) = (step for step in job["steps"] if step.get("uses") == "$/.github/actions/save")
        assert save["if"] == "github.ref == 'refs/heads/main'"


def test_a_release_is_built_without_caches() -> None:
    for job in _workflow("release")["jobs"].values():
        for step in job["steps"]:
            assert "cache" not in step.get("with", {})
            assert not step.get("uses", "").startswith("actions/cache")


def test_the_nightly_run_starts_at_two_and_by_hand() -> None:
    triggers = _workflow("nightly")["on"]

    assert triggers["schedule"] == [{"cron": "0 2 * * *"}]
    assert "workflow_dispatch" in triggers


def test_the_nightly_run_tests_against_the_services() -> None:
    job = _workflow("nightly")["jobs"]["integration"]

    assert set(job["services"]) == {"postgres", "redis"}
    assert [step["run"] for step in job["steps"] if "run" in step] == ["make test-integration"]


def test_every_scanner_runs_at_night_from_its_lock() -> None:
    job = _workflow("nightly")["jobs"]["security"]

    assert job["strategy"]["matrix"]["tool"] == list(TOOLS)
    assert job["strategy"]["fail-fast"] is False
    (install,) = (step for step in job["steps"] if step["name"] == "Install the scanner")
    assert '--require-hashes --requirement "3rdparty/tools/$TOOL.lock"' in install["run"]


def test_distributions_are_published_one_after_the_other_from_a_protected_environment() -> None:
    job = _workflow("release")["jobs"]["publish"]

    assert job["environment"] == "pypi"
    assert job["strategy"]["max-parallel"] == 1
    assert job["strategy"]["fail-fast"] is True


def test_nothing_is_published_before_the_checks_and_the_gate() -> None:
    jobs = _workflow("release")["jobs"]

    assert "attest" in jobs["publish"]["needs"]
    assert set(jobs["attest"]["needs"]) == {"check", "build"}
    assert "make ci" in [step.get("run") for step in jobs["check"]["steps"]]
    assert any("release plan" in step.get("run", "") for step in jobs["build"]["steps"])


@pytest.mark.parametrize("name", ["attest", "deploy"])
def test_everything_published_has_provenance_and_a_bill_of_materials(name: str) -> None:
    steps = _workflow("release")["jobs"][name]["steps"]
    attestations = [step["with"] for step in steps if "actions/attest@" in step.get("uses", "")]

    assert ["sbom-path" in attestation for attestation in attestations] == [False, True]
