"""The record of what the distributions require is up to date."""

from __future__ import annotations

from pathlib import Path

import pytest

from release.snapshot import SNAPSHOT, render_snapshot
from release.wheels import read_wheels

pytestmark = pytest.mark.integration


def test_the_record_agrees_with_the_built_wheels() -> None:
    # Pants puts the built distributions into the folder that the test runs in.
    built = render_snapshot(read_wheels(Path()).values())

    assert SNAPSHOT.read_text(encoding="utf-8") == built, (
        "run `make package` and `python3 -m release snapshot`; where the version beside a change"
        " has been released, raise it first (docs/releasing.md)"
    )
