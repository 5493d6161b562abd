"""The security gate: which scans pass, which fail, and which prove nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from security.__main__ import main
from tests.workflows.repositories import commit_files, git, new_repository
from tests.workflows.scanners import Programs

_ENTRY = """
[[accepted]]
tool = "{tool}"
id = "{id}"
where = "{where}"
count = {count}
reason = "Accepted in a test of the gate."
expires = 2027-01-31
"""
_BANDIT_FINDING = {
    "test_id": "B602",
    "filename": "app.py",
    "line_number": 3,
    "issue_text": "subprocess call with shell=True",
    "issue_severity": "HIGH",
}
_GITLEAKS_FINDING = {
    "RuleID": "github-pat",
    "Fingerprint": "abc:app.py:github-pat:2",
    "File": "app.py",
    "StartLine": 2,
    "Description": "Uncovered a token.",
}
_SCANNED = "1 commits scanned."


def _bandit(*results: dict[str, Any], files: tuple[str, ...] = ("app.py",)) -> dict[str, Any]:
    metrics = {f"./{name}": {"loc": 1} for name in files} | {"_totals": {"loc": 1}}
    return {"errors": [], "metrics": metrics, "results": list(results)}


def _zizmor_finding(row: int = 6) -> dict[str, Any]:
    def location(kind: str, row: int) -> dict[str, Any]:
        key = {"Local": {"verbatim_path": ".github/workflows/ci.yml"}}
        place = {"start_point": {"row": row, "column": 2}}
        return {
            "symbolic": {"key": key, "kind": kind, "annotation": "may expand into code"},
            "concrete": {"location": place},
        }

    return {
        "ident": "template-injection",
        "desc": "code injection",
        "url": "https://example.org/audit",
        "locations": [location("Related", 0), location("Primary", row)],
    }


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with a module, a lock, a workflow, and nothing accepted."""
    return new_repository(
        tmp_path / "clone",
        **{
            "app.py": "import this\n",
            "tests/test_app.py": "assert 1\n",
            "3rdparty/default.lock": (
                "# a comment\nrequests==2.32.0 \\\n    --hash=sha256:aa\n"
                'colorama[x]==0.4.6 ; sys_platform == "win32" \\\n    --hash=sha256:bb\n'
            ),
            "3rdparty/tool.lock": "Requests==2.31.0 --hash=sha256:cc\n",
            ".github/workflows/ci.yml": "on: push\n",
            "security/accepted.toml": "",
        },
    )


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    monkeypatch.delenv("GH_TOKEN", raising=False)
    return Programs.install(tmp_path / "bin", monkeypatch)


def _accept(root: Path, tool: str, identifier: str, where: str, count: int = 1) -> None:
    text = _ENTRY.format(tool=tool, id=identifier, where=where, count=count)
    (root / "security" / "accepted.toml").write_text(text, encoding="utf-8")


def _run(root: Path, tool: str) -> int:
    return main(["--root", str(root), "--today", "2026-11-22", "run", tool])


def _audit(*dependencies: dict[str, Any]) -> dict[str, Any]:
    return {"dependencies": list(dependencies), "fixes": []}


def _audited(name: str, version: str, *vulnerabilities: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "version": version, "vulns": list(vulnerabilities)}


_PINS = (
    _audited("colorama", "0.4.6"),
    _audited("requests", "2.31.0"),
    _audited("requests", "2.32.0"),
)


@pytest.mark.parametrize(
    ("tool", "report", "code", "line"),
    [
        ("bandit", _bandit(_BANDIT_FINDING), 1, "app.py:3: bandit B602: "),
        ("gitleaks", [_GITLEAKS_FINDING], 1, "app.py:2: gitleaks abc:app.py:github-pat:2: "),
        (
            "zizmor",
            [_zizmor_finding()],
            0,
            ".github/workflows/ci.yml:7: zizmor template-injection: ",
        ),
        (
            "pip-audit",
            _audit(
                *_PINS[:2], _audited("requests", "2.32.0", {"id": "PYSEC-1", "fix_versions": ["3"]})
            ),
            1,
            "requests: pip-audit PYSEC-1: requests 2.32.0 is vulnerable, fixed in 3",
        ),
    ],
)
def test_a_finding_fails_the_gate(
    root: Path,
    programs: Programs,
    capsys: pytest.CaptureFixture[str],
    tool: str,
    report: object,
    code: int,
    line: str,
) -> None:
    programs.add(tool, report, stderr=f"{_SCANNED}\ncompleted ci.yml", code=code)

    assert _run(root, tool) == 1

    out = capsys.readouterr().out
    assert out.startswith(line)
    assert "accept it for a limited time in security/accepted.toml" in out


@pytest.mark.parametrize(
    ("tool", "report"),
    [
        ("bandit", _bandit()),
        ("gitleaks", []),
        ("zizmor", []),
        ("pip-audit", _audit(*_PINS)),
    ],
)
def test_a_complete_scan_without_findings_passes(
    root: Path, programs: Programs, tool: str, report: object
) -> None:
    programs.add(tool, report, stderr=f"{_SCANNED}\ncompleted ci.yml")

    assert _run(root, tool) == 0


def test_an_accepted_finding_passes(root: Path, programs: Programs) -> None:
    programs.add("bandit", _bandit(_BANDIT_FINDING), code=1)
    _accept(root, "bandit", "B602", "app.py")

    assert _run(root, "bandit") == 0


@pytest.mark.parametrize(
    ("tool", "identifier", "where"),
    [("zizmor", "B602", "app.py"), ("bandit", "B603", "app.py"), ("bandit", "B602", "other.py")],
)
def test_an_acceptance_of_something_else_does_not_count(
    root: Path, programs: Programs, tool: str, identifier: str, where: str
) -> None:
    programs.add("bandit", _bandit(_BANDIT_FINDING), code=1)
    _accept(root, tool, identifier, where)

    assert _run(root, "bandit") == 1


def test_more_findings_than_accepted_fail_and_all_are_shown(
    root: Path, programs: Programs, capsys: pytest.CaptureFixture[str]
) -> None:
    programs.add("bandit", _bandit(_BANDIT_FINDING, {**_BANDIT_FINDING, "line_number": 9}), code=1)
    _accept(root, "bandit", "B602", "app.py")

    assert _run(root, "bandit") == 1
    assert capsys.readouterr().out.count("bandit B602") == 2


def test_an_unused_acceptance_is_reported_but_does_not_fail(
    root: Path, programs: Programs, capsys: pytest.CaptureFixture[str]
) -> None:
    programs.add("bandit", _bandit(_BANDIT_FINDING), code=1)
    _accept(root, "bandit", "B602", "app.py", count=2)

    assert _run(root, "bandit") == 0
    assert "unused: security/accepted.toml:2: accepts 2 of bandit B602" in capsys.readouterr().out


def test_an_expired_acceptance_fails_before_any_scan(root: Path, programs: Programs) -> None:
    log = programs.add("bandit", _bandit())
    _accept(root, "zizmor", "x", "y")

    assert main(["--root", str(root), "--today", "2027-02-01", "run", "bandit"]) == 1
    assert not log.exists()


@pytest.mark.parametrize("tool", ["bandit", "gitleaks", "zizmor", "pip-audit"])
def test_a_scanner_that_breaks_off_is_an_incomplete_scan(
    root: Path, programs: Programs, capsys: pytest.CaptureFixture[str], tool: str
) -> None:
    programs.add(tool, "", stderr="cannot read the configuration", code=0)

    assert _run(root, tool) == 2
    assert "cannot read the configuration" in capsys.readouterr().err


def test_a_missing_scanner_is_an_incomplete_scan(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None if name == "zizmor" else name)

    assert _run(root, "zizmor") == 2
    assert "zizmor is not on PATH" in capsys.readouterr().err


def test_a_skipped_dependency_is_an_incomplete_scan(
    root: Path, programs: Programs, capsys: pytest.CaptureFixture[str]
) -> None:
    programs.add("pip-audit", _audit(*_PINS[:2], {"name": "requests", "skip_reason": "not found"}))

    assert _run(root, "pip-audit") == 2
    assert "skipped 1 of 3 pinned versions" in capsys.readouterr().err


@pytest.mark.parametrize("dependencies", [(), _PINS[:2]], ids=["none", "one missing"])
def test_an_unaudited_pin_is_an_incomplete_scan(
    root: Path, programs: Programs, dependencies: tuple[dict[str, Any], ...]
) -> None:
    programs.add("pip-audit", _audit(*dependencies))

    assert _run(root, "pip-audit") == 2


def test_pins_for_other_platforms_are_audited_too(root: Path, programs: Programs) -> None:
    log = programs.add("pip-audit", _audit(*_PINS))

    _run(root, "pip-audit")

    asked = {line for line in log.read_text("utf-8").splitlines() if "==" in line}
    assert asked == {"colorama==0.4.6", "requests==2.31.0", "requests==2.32.0"}


def test_a_lock_with_something_else_than_pins_is_refused(
    root: Path, programs: Programs, capsys: pytest.CaptureFixture[str]
) -> None:
    programs.add("pip-audit", _audit(*_PINS))
    commit_files(root, **{"3rdparty/tool.lock": "requests>=2\n"})

    assert _run(root, "pip-audit") == 2
    assert "3rdparty/tool.lock:1: 'requests>=2' is not pinned" in capsys.readouterr().err


def test_bandit_reads_our_code_and_not_the_tests(root: Path, programs: Programs) -> None:
    log = programs.add("bandit", _bandit())

    _run(root, "bandit")

    arguments = log.read_text("utf-8").splitlines()
    assert "app.py" in arguments
    assert "tests/test_app.py" not in arguments
    assert "--ignore-nosec" in arguments


@pytest.mark.parametrize(
    "report",
    [
        _bandit() | {"errors": [{"filename": "app.py", "reason": "syntax error"}]},
        _bandit(files=()),
    ],
    ids=["unreadable", "left out"],
)
def test_a_file_that_bandit_did_not_read_is_an_incomplete_scan(
    root: Path, programs: Programs, report: object
) -> None:
    programs.add("bandit", report)

    assert _run(root, "bandit") == 2


def test_a_repository_without_code_is_an_incomplete_scan(root: Path, programs: Programs) -> None:
    programs.add("bandit", _bandit(files=()))
    commit_files(root, **{"app.py": None})

    assert _run(root, "bandit") == 2


def test_a_shallow_clone_is_an_incomplete_scan_for_secrets(
    root: Path, programs: Programs, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    programs.add("gitleaks", [], stderr=_SCANNED)
    commit_files(root, **{"app.py": "two"})
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{root}", "shallow")

    assert _run(tmp_path / "shallow", "gitleaks") == 2
    assert "fetch-depth: 0" in capsys.readouterr().err


@pytest.mark.parametrize("stderr", ["0 commits scanned.", "done"])
def test_no_scanned_commit_is_an_incomplete_scan(
    root: Path, programs: Programs, stderr: str
) -> None:
    programs.add("gitleaks", [], stderr=stderr)

    assert _run(root, "gitleaks") == 2


@pytest.mark.parametrize("name", [".gitleaksignore", ".gitleaks.toml"])
def test_exemptions_in_other_places_are_refused(
    root: Path, programs: Programs, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    programs.add("gitleaks", [], stderr=_SCANNED)
    (root / name).write_text("", encoding="utf-8")

    assert _run(root, "gitleaks") == 2
    assert f"{name} hides secrets from this gate" in capsys.readouterr().err


def test_no_audited_workflow_is_an_incomplete_scan(root: Path, programs: Programs) -> None:
    programs.add("zizmor", [], stderr="nothing to do")

    assert _run(root, "zizmor") == 2


def test_zizmor_asks_github_only_with_a_token(
    root: Path, programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = programs.add("zizmor", [], stderr="completed ci.yml")

    _run(root, "zizmor")
    without = log.read_text("utf-8").splitlines()
    log.unlink()
    monkeypatch.setenv("GH_TOKEN", "x")
    _run(root, "zizmor")

    assert "--offline" in without
    assert "--offline" not in log.read_text("utf-8").splitlines()
    assert "--no-ignores" in without
