"""The set-up of ./pants: atomic, repeatable, and clear about what is missing."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

import bootstrap

LOCK = "pantsbuild-pants==2.17.1 \\\n    --hash=sha256:00\n"


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "bootstrap.lock"
    path.write_text(LOCK)
    return path


def complete(home: Path) -> None:
    (home / "bin").mkdir(parents=True)
    (home / "bin/python").write_text("#!/bin/sh\n")
    (home / "bin/python").chmod(0o755)
    (home / "pants.bootstrap.toml").write_text("")


def test_a_lock_of_another_version_is_refused(
    lock: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bootstrap.main(["2.18.0", str(lock), str(tmp_path / "home")]) == 1
    assert "pants.toml names Pants 2.18.0" in capsys.readouterr().err
    assert not (tmp_path / "home").exists()


def test_an_installation_that_is_there_is_kept(
    lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "cache/pants"
    complete(home)
    monkeypatch.setattr(bootstrap, "_build", lambda *_: pytest.fail("built again"))

    assert bootstrap.main(["2.17.1", str(lock), str(home)]) == 0


def test_a_failed_installation_leaves_nothing(
    lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "cache/pants"

    def fail(version: str, lock: Path, staging: Path, home: Path) -> None:
        (staging / "half").write_text("")
        raise bootstrap.SetUpError("no network")

    monkeypatch.setattr(bootstrap, "_build", fail)

    assert bootstrap.main(["2.17.1", str(lock), str(home)]) == 1
    assert "no network" in capsys.readouterr().err
    assert [path.name for path in home.parent.iterdir()] == ["pants.lock"]


def test_what_an_interrupted_run_left_is_replaced(
    lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "cache/pants"
    (home / "bin").mkdir(parents=True)
    leftover = home.parent / ".pants-abc"
    leftover.mkdir()
    monkeypatch.setattr(bootstrap, "_build", lambda *arguments: complete(arguments[2]))

    assert bootstrap.main(["2.17.1", str(lock), str(home)]) == 0
    assert (home / "pants.bootstrap.toml").exists()
    assert not leftover.exists()


def test_an_unwritable_cache_is_explained(
    lock: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")

    assert bootstrap.main(["2.17.1", str(lock), str(tmp_path / "file/pants")]) == 1
    assert "Name a writable folder in XDG_CACHE_HOME" in capsys.readouterr().err


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with the script and no more than it reads."""
    for name in ("build-support/bootstrap.py", "3rdparty/bootstrap.lock", "pants", "pants.toml"):
        target = tmp_path / "repo" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(Path(name).read_bytes())
    (tmp_path / "repo/pants").chmod(0o755)
    return tmp_path / "repo"


def call(checkout: Path, path: str) -> subprocess.CompletedProcess[str]:
    home = checkout.parent
    return subprocess.run(
        [str(checkout / "pants"), "--version"],
        env={"HOME": str(home), "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


@pytest.mark.skipif(
    os.path.exists("/usr/bin/python3.9"), reason="there is a Python 3.9 to be found"
)
def test_without_a_python_that_runs_it_says_what_to_install(checkout: Path, tmp_path: Path) -> None:
    shims = tmp_path / "shims"
    shims.mkdir()
    (shims / "python3.9").write_text(
        "#!/bin/sh\necho 'pyenv: python3.9: command not found'; exit 127\n"
    )
    (shims / "python3.9").chmod(0o755)

    done = call(checkout, f"{shims}:/usr/bin:/bin")

    assert done.returncode == 1
    assert "Pants 2.17.1 runs on CPython 3.9, and none was found" in done.stdout
    assert "pyenv install 3.9" in done.stdout


def test_without_a_version_in_pants_toml_it_says_where_to_put_one(checkout: Path) -> None:
    (checkout / "pants.toml").write_text("[GLOBAL]\n")

    done = call(checkout, "/usr/bin:/bin")

    assert done.returncode == 1
    assert "pants.toml names no pants_version" in done.stdout
