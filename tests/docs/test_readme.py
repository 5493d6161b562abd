from __future__ import annotations

import re
import subprocess
import sys
from html import unescape
from pathlib import Path

from tests.docs.markdown import ROOT, find_pages, read_blocks
from tests.docs.processes import create_environment

PICTURE = ROOT / "docs/images/terminal.svg"


def read_lines(picture: Path) -> list[str]:
    """Return the lines of text in a picture of a terminal, from top to bottom."""
    lines: dict[float, str] = {}
    texts = re.findall(r"<text([^>]*)>([^<]*)</text>", picture.read_text(encoding="utf-8"))
    for attributes, text in texts:
        position = re.search(r' y="([0-9.]+)"', attributes)
        height = float(position[1]) if position else 0.0
        lines[height] = lines.get(height, "") + unescape(text).replace("\xa0", " ")
    return [lines[height].strip() for height in sorted(lines)]


def test_picture_shows_the_command_of_the_readme() -> None:
    command = read_blocks("README.md")[0].text.strip()

    assert command.startswith("./pants run ")
    assert f"$ {command}" in read_lines(PICTURE)


def test_picture_shows_quotations_that_stand_in_the_documents() -> None:
    documents = {
        line.strip()
        for page in find_pages()
        for line in (ROOT / page).read_text(encoding="utf-8").splitlines()
    }
    quoted = [line[2:] for line in read_lines(PICTURE) if line.startswith("> ")]

    assert quoted
    missing = [line for line in quoted if line not in documents]
    assert missing == [], "draw the picture anew: python docs/images/render.py"


def test_picture_can_be_drawn_from_a_run(tmp_path: Path) -> None:
    drawn = tmp_path / "terminal.svg"
    done = subprocess.run(
        [sys.executable, "docs/images/render.py", str(drawn)],
        cwd=ROOT,
        env=create_environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    shown = "\n".join(read_lines(drawn))
    assert "the model is thinking" not in shown, "the moving indicator is part of the picture"
    assert "docs/adding-a-package.md:" in shown


def test_picture_loads_nothing() -> None:
    text = PICTURE.read_text(encoding="utf-8")

    assert "@font-face" not in text
    assert "href" not in text


def test_first_commands_are_those_of_the_quick_start() -> None:
    first = [block.text for block in read_blocks("README.md") if block.info == "sh"][:2]
    quick_start = [block.text for block in read_blocks("docs/quick-start.md") if block.info == "sh"]

    assert first == quick_start


def test_test_command_is_the_one_that_continuous_integration_calls() -> None:
    command = read_blocks("README.md")[1].text.strip()

    assert command.endswith(" test ::")
    assert command in (ROOT / ".ci/run").read_text(encoding="utf-8")


def test_make_targets_named_on_any_page_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, flags=re.MULTILINE))
    named = {
        (page, target)
        for page in find_pages()
        for target in re.findall(
            r"(?:`|^|^\$ )make ([a-z][a-z-]*)",
            (ROOT / page).read_text(encoding="utf-8"),
            flags=re.MULTILINE,
        )
    }

    assert {(page, target) for page, target in named if target not in targets} == set()
    assert named
