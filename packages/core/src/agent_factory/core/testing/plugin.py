"""The pytest plugin: a cassette for every test that asks for one.

It is loaded by pytest itself, through the entry point of this distribution. Nothing else here needs pytest.
"""

from __future__ import annotations

import hashlib
import os
import re
from typing import TYPE_CHECKING, cast, get_args

import pytest  # pants: no-infer-dep

from agent_factory.core.testing.cassettes import Cassette, CassetteError, CassetteMode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = [
    "cassette",
    "pytest_addoption",
    "pytest_configure",
    "pytest_report_header",
    "pytest_runtest_makereport",
]

_PASSED = pytest.StashKey[bool]()
_RECORDED = pytest.StashKey[dict["Path", str]]()
_LONGEST = 100


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--cassettes`` and the setting of the same name.

    Args:
        parser: Where options are declared.
    """
    parser.getgroup("agent-factory").addoption(
        "--cassettes",
        choices=get_args(CassetteMode),
        help="answer tests from their cassettes (replay), record them (record), or record where there is "
        "none yet, but never in CI (auto)",
    )
    parser.addini("cassettes", "what --cassettes is where it is not given", default="replay")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker.

    Args:
        config: The settings of this run.

    Raises:
        UsageError: The setting is none of the modes.
    """
    config.addinivalue_line(
        "markers",
        "cassette(file=None, *, secrets=(), allow_unused=False): the file of the test's cassette below the folder "
        "'cassettes', values that must not be written there, and whether recordings may be left over",
    )
    config.stash[_RECORDED] = {}
    _find_mode(config)


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say it when anything else may happen than a replay.

    Args:
        config: The settings of this run.
    """
    mode = _find_mode(config)
    return None if mode == "replay" else f"cassettes: {mode}"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Remember whether a test passed.

    Args:
        item: The test.
        call: How one of its phases went.
    """
    if call.when == "call":
        item.stash[_PASSED] = call.excinfo is None


@pytest.fixture
def cassette(request: pytest.FixtureRequest) -> Iterator[Cassette]:
    """What models, tools and the clock answered in this test, in ``cassettes/<module>/<test>.json`` beside it."""
    item = cast("pytest.Item", request.node)
    file, secrets, allow_unused = _read_marks(item.iter_markers("cassette"))
    path = item.path.parent / "cassettes" / (file or f"{item.path.stem}/{_choose_file(item)}.json")
    tape = Cassette(path, _find_mode(request.config), secrets=secrets, allow_unused=allow_unused)
    if tape.recording:
        owner = request.config.stash[_RECORDED].setdefault(path, item.nodeid)
        if owner != item.nodeid:
            pytest.fail(
                f"{item.nodeid} and {owner} record into the same file, {str(path)!r}: name another one with "
                "@pytest.mark.cassette('FILE')",
                pytrace=False,
            )
    yield tape
    # A test that failed has said why, and what it recorded is not what a passing one would.
    if item.stash.get(_PASSED, False):
        try:
            tape.finish()
        except CassetteError as error:
            pytest.fail(str(error), pytrace=False)


def _find_mode(config: pytest.Config) -> CassetteMode:
    mode = config.getoption("--cassettes") or config.getini("cassettes")
    if mode not in get_args(CassetteMode):
        raise pytest.UsageError(
            f"the setting 'cassettes' must be one of {', '.join(get_args(CassetteMode))}, not {mode!r}"
        )
    if mode == "auto" and os.environ.get("CI", "").lower() not in ("", "0", "false"):
        return "replay"
    return cast("CassetteMode", mode)


def _read_marks(marks: Iterable[pytest.Mark]) -> tuple[str | None, list[str], bool]:
    """Return what the markers say together: the nearest one first, the secrets of all of them."""
    file: str | None = None
    secrets: list[str] = []
    allowed: bool | None = None
    for mark in marks:
        unknown = set(mark.kwargs) - {"file", "secrets", "allow_unused"}
        if unknown or len(mark.args) > 1:
            pytest.fail(
                "the marker 'cassette' takes one file, secrets=[...] and allow_unused=..., not "
                f"{', '.join(sorted(unknown)) or f'{len(mark.args)} files'}",
                pytrace=False,
            )
        file = file or mark.kwargs.get("file") or next(iter(mark.args), None)
        secrets += mark.kwargs.get("secrets", ())
        allowed = mark.kwargs.get("allow_unused") if allowed is None else allowed
    return file, secrets, bool(allowed)


def _choose_file(item: pytest.Item) -> str:
    """Return a file name for a test, from the part of its id that follows the module."""
    wanted = ".".join(item.nodeid.split("::")[1:])
    name = re.sub(r"[^\w.\[\]-]+", "-", wanted, flags=re.ASCII)
    if name == wanted and len(name) <= _LONGEST:
        return name
    return f"{name[:_LONGEST]}-{hashlib.sha256(wanted.encode()).hexdigest()[:8]}"
