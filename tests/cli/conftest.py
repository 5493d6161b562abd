"""Keeps the tests of the command line away from the settings and the recorded runs of whoever runs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

CHOSEN = (
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "AGENT_FACTORY_MODEL",
    "AGENT_FACTORY_CONFIG",
    "NO_COLOR",
    "FORCE_COLOR",
)


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home folder of the test, with nothing in it."""
    folder = tmp_path_factory.mktemp("home")
    for name in CHOSEN:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / "state"))
    return folder
