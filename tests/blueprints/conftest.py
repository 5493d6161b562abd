"""Keeps the tests of the blueprints away from the settings of whoever runs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.blueprints.evaluating import CHOSEN

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home folder of the test, with nothing in it: no key, no server, no settings."""
    folder = tmp_path_factory.mktemp("home")
    for name in CHOSEN:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
    return folder
