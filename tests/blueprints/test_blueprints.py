from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from agent_factory.cli.locks import find_drifts
from agent_factory.core.blueprints import check_blueprint, find_problems, load_blueprint
from tests.blueprints.evaluating import (
    BLUEPRINTS,
    FOLDERS,
    ROOT,
    copy_blueprint,
    create_adapters,
    name_blueprint,
    replay,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent_factory.core.blueprints import BlueprintFile

each_blueprint = pytest.mark.parametrize("file", BLUEPRINTS, ids=name_blueprint)
each_folder = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)


def list_permissions(file: BlueprintFile) -> Iterator[tuple[str, BlueprintFile]]:
    """Yield each permission, and the blueprint without it."""

    def drop(**changed: Any) -> BlueprintFile:
        permissions = file.blueprint.permissions.model_copy(update=changed)
        return replace(
            file, blueprint=file.blueprint.model_copy(update={"permissions": permissions})
        )

    section = file.blueprint.permissions
    for kind in ("models", "tools", "hosts", "private_hosts", "secrets", "commands"):
        given = getattr(section, kind)
        for item in given:
            yield f"{kind}: {item}", drop(
                **{kind: tuple(other for other in given if other != item)}
            )
    for kind in ("read", "write"):
        given = getattr(section.files, kind)
        for item in given:
            rest = tuple(other for other in given if other != item)
            files = section.files.model_copy(update={kind: rest})
            yield f"files.{kind}: {item}", drop(files=files)


def change_answers(cassette: Path, old: str, new: str) -> int:
    """Change the texts that models said last in a cassette; returns how many were changed."""
    data = json.loads(cassette.read_text("utf-8"))
    changed = 0
    for recording in data["recordings"]:
        message = recording["answer"]["response"]["message"]
        text = re.sub(old, new, message["text"])
        changed += text != message["text"]
        message["text"] = text
        recording["answer"].pop("deltas", None)
    cassette.write_text(json.dumps(data), "utf-8")
    return changed


def test_there_are_six_blueprints_and_the_one_about_the_project() -> None:
    assert len(FOLDERS) >= 6
    assert {name_blueprint(file) for file in BLUEPRINTS} - {folder.name for folder in FOLDERS} == {
        "ask-docs"
    }


@each_blueprint
def test_blueprint_is_valid_and_has_the_name_of_its_place(file: Path) -> None:
    loaded = load_blueprint(file)

    check_blueprint(loaded, create_adapters())

    assert loaded.blueprint.name == name_blueprint(file)
    assert loaded.blueprint.description
    assert loaded.suites


@each_blueprint
def test_lock_is_current(file: Path) -> None:
    assert find_drifts(file, create_adapters(), installed=True) == ()


@each_blueprint
def test_suites_pass_without_a_key_and_without_a_network(file: Path, tmp_path: Path) -> None:
    reports = replay(copy_blueprint(file, tmp_path))

    assert {name: report.verdict for name, report in reports.items()} == dict.fromkeys(
        reports, "pass"
    )


@each_blueprint
def test_suites_pass_from_another_current_directory(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = copy_blueprint(file, tmp_path)
    monkeypatch.chdir(tmp_path.parent)

    assert {report.verdict for report in replay(copied).values()} == {"pass"}


@each_folder
def test_suites_pass_again_after_they_have_run(folder: Path, tmp_path: Path) -> None:
    copied = copy_blueprint(folder / "blueprint.yaml", tmp_path)
    replay(copied)

    assert {report.verdict for report in replay(copied).values()} == {"pass"}


def test_report_is_saved_where_a_person_says_so_and_nowhere_else(tmp_path: Path) -> None:
    file = copy_blueprint(ROOT / "blueprints/research/blueprint.yaml", tmp_path)
    reports = file.parent / "reports"
    for left_over in reports.glob("*-*.md"):
        left_over.unlink()

    replay(file)

    (saved,) = reports.glob("*-*.md")
    assert saved.name == "heat-pump-in-an-old-house.md"
    assert saved.read_text("utf-8").startswith("# A heat pump in a house from 1965\n")


@each_blueprint
def test_every_permission_is_needed(file: Path) -> None:
    loaded = load_blueprint(file)
    adapters = create_adapters()

    unused = [
        name for name, without in list_permissions(loaded) if not find_problems(without, adapters)
    ]

    assert unused == []


def test_a_permission_that_nothing_needs_is_found(tmp_path: Path) -> None:
    file = copy_blueprint(ROOT / "blueprints/extract-invoice/blueprint.yaml", tmp_path)
    text = file.read_text("utf-8").replace(
        "tools: [calculate]\n  spend", "tools: [calculate, http_fetch]\n  spend"
    )
    file.write_text(text, "utf-8")
    adapters = create_adapters()

    unused = [
        name
        for name, without in list_permissions(load_blueprint(file))
        if not find_problems(without, adapters)
    ]

    assert unused == ["tools: http_fetch"]


@each_blueprint
def test_blueprint_bounds_what_a_run_costs_and_calls_nobody(file: Path) -> None:
    permissions = load_blueprint(file).blueprint.permissions.create_permissions()

    assert 0 < permissions.spend <= 1_000_000
    assert not permissions.hosts
    assert not permissions.private_hosts
    assert not permissions.secrets
    assert not permissions.commands


@pytest.mark.parametrize(
    ("name", "suite", "old", "new"),
    [
        ("summarise-docs", "summaries", r" \[2026[^\]]*\]", ""),
        ("summarise-docs", "summaries", r"About 310 orders", "Some orders"),
        ("summarise-docs", "summaries", r"(?s)^1,204.*", "All customers are happy."),
        ("triage-issues", "triage", r'"duplicate_of": 101', '"duplicate_of": null'),
        ("triage-issues", "triage", r'"p0"', '"p1"'),
        ("triage-issues", "triage", r'"p3"', '"p0"'),
        ("ask-data", "answers", r"923\.70", "923.80"),
        (
            "ask-data",
            "answers",
            r"(?s)^The tables do not.*",
            "Customers are 41.5 years old; nothing else is known.",
        ),
        ("review-diff", "reviews", r'"line": 20', '"line": 12'),
        ("review-diff", "reviews", r'"critical"', '"minor"'),
        ("review-diff", "reviews", r'"request_changes"', '"approve"'),
        ("extract-invoice", "invoices", r"192\.48", "192.49"),
        ("extract-invoice", "invoices", r'"problems": \["Net[^\]]*\]', '"problems": []'),
        ("research", "saved", r"(?s)^(# .*) \[library/heat-pumps.md:4\]", r"\1"),
        ("research", "discarded", r"(?s)^(# .*)## Open questions", r"\1## Answers"),
    ],
)
def test_a_worse_answer_fails_the_suite(
    name: str, suite: str, old: str, new: str, tmp_path: Path
) -> None:
    file = copy_blueprint(ROOT / f"blueprints/{name}/blueprint.yaml", tmp_path)
    cassette = load_blueprint(file).suites[suite].section.cassette
    assert cassette is not None
    assert change_answers(file.parent / cassette, old, new)

    report = replay(file)[suite]

    assert report.verdict == "fail"
    # Because of an expectation, and not because the cassette does not fit any more.
    failed = [
        attempt for case in report.cases if case.verdict == "fail" for attempt in case.attempts
    ]
    assert all(attempt.observation.error is None for attempt in failed)


def test_model_of_a_review_never_sees_a_secret_of_the_diff() -> None:
    folder = ROOT / "blueprints/review-diff"

    assert "Tr0ub4dor" in (folder / "evals.yaml").read_text("utf-8")
    recorded = (folder / "cassettes/reviews.json").read_text("utf-8")
    assert "Tr0ub4dor" not in recorded
    assert "postgres://shop:[secret]@db.example.com" in recorded


def test_cassettes_name_no_place_on_a_machine() -> None:
    for cassette in (ROOT / "blueprints").glob("*/cassettes/*.json"):
        text = cassette.read_text("utf-8")
        assert str(ROOT) not in text
        assert not re.search(r"/(home|tmp|root|Users)/", text)


@each_folder
def test_readme_tells_how_to_run_it_and_what_it_costs_at_most(folder: Path) -> None:
    text = (folder / "README.md").read_text("utf-8")
    blueprint = load_blueprint(folder / "blueprint.yaml").blueprint

    assert f"agent-factory run blueprints/{folder.name}/blueprint.yaml" in text
    assert f"agent-factory eval blueprints/{folder.name}/blueprint.yaml" in text
    assert f"| {blueprint.permissions.spend} a run |" in text
    for tool in blueprint.permissions.tools:
        assert f"`{tool}`" in text
    for path in (*blueprint.permissions.files.read, *blueprint.permissions.files.write):
        assert re.search(rf"`{re.escape(path)}/?`", text)


def test_table_of_blueprints_has_each_with_what_it_costs_at_most() -> None:
    text = (ROOT / "blueprints/README.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| \[([a-z-]+)\]\(.*\| ([0-9.]+ USD) \|$", text, re.MULTILINE))

    assert rows == {
        name_blueprint(file): load_blueprint(file).blueprint.permissions.spend
        for file in BLUEPRINTS
    }
