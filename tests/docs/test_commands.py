"""Runs the commands of the `console` blocks: those of `agent-factory` and the few that prepare files for them."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from agent_factory.cli.main import create_app
from tests.docs.markdown import ROOT, Block, find_pages, read_blocks
from tests.docs.processes import create_environment

PREPARING = ("mkdir", "echo")
PAGES = [
    page
    for page in find_pages()
    if any("agent-factory" in block.text for block in read_blocks(page))
]


def split(block: Block) -> list[tuple[str, str]]:
    """Return the commands of a block, each with the output that is shown below it."""
    parts = re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]
    return [(command, shown) for command, _, shown in (part.partition("\n") for part in parts)]


def needs_model(block: Block) -> bool:
    """Tell whether a block talks to a model that a unit test cannot have."""
    return bool(re.search(r"OPENAI_|--model (openai|local)", block.text))


def to_pattern(shown: str) -> str:
    """Return a pattern for shown output, where ``...`` stands for anything."""
    lines = (
        r"(?:.*\n)*?" if line == "...\n" else re.escape(line).replace(r"\.\.\.", ".*")
        for line in shown.splitlines(keepends=True)
    )
    return "".join(lines)


class Shell:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        tools = folder / "bin"
        tools.mkdir()
        program = tools / "agent-factory"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m agent_factory.cli "$@"\n')
        program.chmod(0o755)
        for name in ("docs", "blueprints"):
            shutil.copytree(ROOT / name, folder / name)
        self.environment = create_environment()
        # Settings and recorded runs of this machine stay out of it.
        self.environment["XDG_CONFIG_HOME"] = str(folder / "config")
        self.environment["XDG_STATE_HOME"] = str(folder / "state")
        self.environment["PATH"] = f"{tools}{os.pathsep}{os.environ.get('PATH', os.defpath)}"

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", "-c", command],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )


@pytest.mark.parametrize("page", PAGES)
def test_commands_of_a_page_do_what_is_shown(page: str, tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    for block in read_blocks(page):
        if "file" in block.options:
            (tmp_path / block.options["file"]).write_text(block.text, encoding="utf-8")
        if block.language != "console" or needs_model(block):
            continue
        for command, shown in split(block):
            if not command.startswith((*PREPARING, "agent-factory")):
                continue
            done = shell.run(command)
            assert done.returncode == int(
                block.options.get("exit", "0")
            ), f"{block}: {command}\n{done.stdout}"
            if shown:
                assert re.fullmatch(
                    to_pattern(shown), done.stdout
                ), f"{block}: {command}\n{done.stdout}"


@pytest.mark.parametrize("page", PAGES)
def test_commands_of_a_page_have_arguments_that_the_command_line_knows(page: str) -> None:
    run = typer.main.get_command(create_app()).commands["run"]  # type: ignore[attr-defined]
    for block in read_blocks(page):
        for command, _ in split(block) if block.language == "console" else []:
            words = shlex.split(command)
            if words[:2] == ["agent-factory", "run"]:
                end = words.index(">") if ">" in words else len(words)
                assert run.make_context("run", words[2:end]).params["file"], f"{block}: {command}"
