"""Draws the picture of the terminal in the README from a real run of the command line.

Run it in the root of the repository, in an environment that has the packages::

    python docs/images/render.py

It writes ``docs/images/terminal.svg``, or the file that its argument names. The run uses the built-in model: whatever key is in the environment is left out.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

__all__ = ["draw", "main", "record", "settle"]

ARGUMENTS = ("run", "blueprints/ask-docs.yaml", "How do I add a package?")
COMMAND = './pants run packages/cli:agent-factory -- run blueprints/ask-docs.yaml "How do I add a package?"'
WIDTH = 116

_CONTROL = re.compile(r"\x1b\[\??([0-9;]*)([A-HJKl])|(\r?\n)|(\r)")


def record() -> str:
    """Run the command line as on a terminal, and return everything it writes, control characters included.

    Raises:
        SystemExit: The run failed; what it said is the message.
    """
    chosen = ("OPENAI_API_KEY", "OPENAI_BASE_URL", "AGENT_FACTORY_MODEL", "NO_COLOR")
    environment = {name: value for name, value in os.environ.items() if name not in chosen}
    environment |= {"FORCE_COLOR": "1", "TERM": "xterm-256color", "COLUMNS": str(WIDTH)}
    done = subprocess.run(
        [sys.executable, "-m", "agent_factory.cli", *ARGUMENTS],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    shown = done.stdout.decode()
    if done.returncode != 0:
        raise SystemExit(f"the run ended with exit code {done.returncode}:\n{shown}")
    return shown


def settle(output: str) -> str:
    """Return what a terminal shows at the end: without what was written over, as the moving indicator is.

    Args:
        output: What a program wrote; of the control sequences only those of rich are understood.
    """
    lines = [""]
    row = 0
    position = 0
    for match in [*_CONTROL.finditer(output), None]:
        lines[row] += output[position : match.start() if match else len(output)]
        if match is None:
            break
        position = match.end()
        count, kind, newline, carriage_return = match.groups()
        if newline:
            row += 1
            if row == len(lines):
                lines.append("")
        elif kind == "A":
            row = max(0, row - int(count or 1))
        elif kind == "K" or carriage_return:
            lines[row] = ""
    return "\n".join(lines).rstrip()


def draw(shown: str) -> str:
    """Return an SVG picture of a terminal.

    Args:
        shown: The command's output with its colours as escape sequences.
    """
    with Path(os.devnull).open("w") as nowhere:
        console = Console(record=True, width=WIDTH, file=nowhere, highlight=False)
        console.print(Text.assemble(("$ ", "bold green"), (COMMAND, "bold")))
        console.print(Text.from_ansi(shown))
        picture = console.export_svg(title="agent-factory", unique_id="terminal")
    # The picture should load nothing from anywhere.
    return re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL)


def main() -> None:
    """Draw the picture anew."""
    picture = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images/terminal.svg")
    picture.write_text(draw(settle(record())), encoding="utf-8")
    print(f"{picture} is drawn")


if __name__ == "__main__":
    main()
