"""The file of accepted findings."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from security.__main__ import main
from security.accepted import AcceptedFileError, load_accepted

_TODAY = dt.date(2026, 11, 22)
_ENTRY = """
[[accepted]]
tool = "bandit"
id = "B603"
where = "a.py"
reason = "Runs a fixed program, without a shell."
expires = 2027-01-31
"""


def _problems(tmp_path: Path, text: str) -> str:
    path = tmp_path / "accepted.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(AcceptedFileError) as caught:
        load_accepted(path, _TODAY)
    return str(caught.value)


def test_an_entry_is_read_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "accepted.toml"
    path.write_text(f"# [[accepted]] in a comment\n{_ENTRY}", encoding="utf-8")

    (entry,) = load_accepted(path, _TODAY)

    assert (entry.tool, entry.id, entry.where, entry.count) == ("bandit", "B603", "a.py", 1)
    assert entry.origin == f"{path}:3"


def test_an_entry_counts_on_its_last_day(tmp_path: Path) -> None:
    path = tmp_path / "accepted.toml"
    path.write_text(_ENTRY.replace("2027-01-31", "2026-11-22"), encoding="utf-8")

    assert len(load_accepted(path, _TODAY)) == 1


def test_an_entry_has_expired_the_day_after(tmp_path: Path) -> None:
    problem = _problems(tmp_path, _ENTRY.replace("2027-01-31", "2026-11-21"))

    assert problem.startswith(f"{tmp_path}/accepted.toml:2: ")
    assert "expired on 2026-11-21" in problem
    assert "fix the finding and remove the entry" in problem


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("2027-01-31", "2099-01-01", "more than 366 days ahead"),
        ("2027-01-31", '"2027-01-31"', "must be a date without quotes"),
        ("2027-01-31", "2027-01-31T00:00:00", "must be a date without quotes"),
        ('tool = "bandit"', 'tool = "bandid"', "unknown tool 'bandid'"),
        ('id = "B603"', "", "`id` must be a non-empty string"),
        ('where = "a.py"', 'where = " "', "`where` must be a non-empty string"),
        ("Runs a fixed program, without a shell.", "because", "too short"),
        ("expires =", "expiry = 1\nexpires =", "unknown key 'expiry'"),
        ("expires =", "count = 0\nexpires =", "`count` must be an integer of at least 1"),
        ("[[accepted]]", "[accepted]", "must be written as [[accepted]] tables"),
        ("[[accepted]]", "[[acepted]]", "unknown key 'acepted'"),
        ("[[accepted]]", "[[accepted", "not valid TOML"),
    ],
)
def test_a_malformed_entry_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert message in _problems(tmp_path, _ENTRY.replace(old, new))


def test_a_repeated_entry_is_refused(tmp_path: Path) -> None:
    assert f"repeats {tmp_path}/accepted.toml:2" in _problems(tmp_path, _ENTRY + _ENTRY)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AcceptedFileError, match="cannot be read"):
        load_accepted(tmp_path / "accepted.toml", _TODAY)


def test_validate_names_the_expired_entry_and_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "security").mkdir()
    (tmp_path / "security" / "accepted.toml").write_text(_ENTRY, encoding="utf-8")

    assert main(["--root", str(tmp_path), "--today", "2027-01-31", "validate"]) == 0
    assert main(["--root", str(tmp_path), "--today", "2027-02-01", "validate"]) == 1
    assert capsys.readouterr().err.startswith("security/accepted.toml:2: the acceptance of B603")


def test_the_file_of_this_repository_is_well_formed() -> None:
    # Its dates are judged by `lint` and every night; a test that fails on a certain day helps
    # nobody.
    path = Path("security/accepted.toml")
    text = path.read_text(encoding="utf-8")
    dates = [line for line in text.splitlines() if line.startswith("expires = ")]

    earliest = min((dt.date.fromisoformat(line.split(" = ")[1]) for line in dates), default=_TODAY)

    assert len(load_accepted(path, earliest)) == len(dates)
