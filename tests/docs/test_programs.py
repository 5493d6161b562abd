from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.markdown import Block, find_pages, read_blocks
from tests.docs.processes import run_program

BLOCKS = [block for page in find_pages() for block in read_blocks(page)]
PROGRAMS = [block for block in BLOCKS if block.language == "python"]
# What the README of the tests shows are parts of test modules.
RUNNING = [
    block
    for block in PROGRAMS
    if "no-run" not in block.options and not block.page.startswith("tests/")
]


def find_output(program: Block) -> str | None:
    """Return what the block right after a program says that it prints."""
    following = BLOCKS[BLOCKS.index(program) + 1 :][:1]
    for block in following:
        if block.info == "text output" and block.page == program.page:
            return block.text
    return None


@pytest.mark.parametrize("program", RUNNING, ids=str)
def test_program_in_the_documentation_runs_and_prints_what_is_said(
    program: Block, tmp_path: Path
) -> None:
    file = tmp_path / "program.py"
    file.write_text(program.text, encoding="utf-8")

    printed = run_program(tmp_path, str(file))

    expected = find_output(program)
    if expected is not None:
        assert printed == expected


@pytest.mark.parametrize("program", PROGRAMS, ids=str)
def test_program_in_the_documentation_is_formatted_like_code(program: Block) -> None:
    assert "\t" not in program.text
    assert max(map(len, program.text.splitlines())) <= 100
    compile(program.text, str(program), "exec")
