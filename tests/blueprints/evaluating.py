"""Finds the blueprints of the repository and runs their suites in this process."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from agent_factory.cli.container import create_container
from agent_factory.cli.evals import choose_suites, run_blueprint_suite
from agent_factory.cli.settings import read_settings

if TYPE_CHECKING:
    from agent_factory.cli.evals import EvalMode
    from agent_factory.core.blueprints import Adapters
    from agent_factory.core.evals import EvalReport

__all__ = [
    "BLUEPRINTS",
    "CHOSEN",
    "FOLDERS",
    "ROOT",
    "copy_blueprint",
    "create_adapters",
    "name_blueprint",
    "replay",
]

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = sorted(file.parent for file in (ROOT / "blueprints").glob("*/blueprint.yaml"))
BLUEPRINTS = sorted(
    [*(ROOT / "blueprints").glob("*.yaml"), *(folder / "blueprint.yaml" for folder in FOLDERS)]
)
CHOSEN = ("OPENAI_API_KEY", "OPENAI_BASE_URL", "AGENT_FACTORY_MODEL", "AGENT_FACTORY_CONFIG")


def name_blueprint(file: Path) -> str:
    """Return the name that a blueprint must have: that of its folder, or of its file where it has no folder of its own."""
    return file.parent.name if file.name == "blueprint.yaml" else file.stem


def copy_blueprint(file: Path, folder: Path) -> Path:
    """Copy a blueprint with all that belongs to it, so that a run writes nothing to the repository."""
    if file.name == "blueprint.yaml":
        return Path(shutil.copytree(file.parent, folder / file.parent.name)) / file.name
    shutil.copytree(ROOT / "docs", folder / "docs")
    (folder / "blueprints").mkdir()
    return Path(shutil.copy(file, folder / "blueprints" / file.name))


def create_adapters() -> Adapters:
    """Return what the command line puts blueprints together with."""
    return create_container(read_settings()).create_adapters()


def replay(file: Path) -> dict[str, EvalReport]:
    """Run the suites of a blueprint: on their cassettes, and live with the extractive model where they have none."""
    container = create_container(read_settings())
    loaded, names = choose_suites(file, [])
    reports = {}
    for name in names:
        mode: EvalMode = "live" if loaded.suites[name].section.cassette is None else "replay"
        outcome = run_blueprint_suite(file, loaded, name, container, mode=mode)
        assert not outcome.stopped
        assert outcome.problem is None
        reports[name] = outcome.report
    return reports
