"""Stand-ins for the scanners: programs that print a prepared report."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

__all__ = ["Programs"]


@dataclass(frozen=True)
class Programs:
    """A folder at the front of PATH.

    Attributes:
        folder: The folder.
    """

    folder: Path

    @classmethod
    def install(cls, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
        """Make the folder and put it at the front of PATH.

        Args:
            folder: The folder to make.
            monkeypatch: What undoes the change of PATH.

        Returns:
            The programs in it, none yet.
        """
        folder.mkdir()
        monkeypatch.setenv(
            "PATH", os.pathsep.join([str(folder), os.environ.get("PATH", os.defpath)])
        )
        return cls(folder)

    def add(self, name: str, report: object, *, stderr: str = "", code: int = 0) -> Path:
        """Write a program that reports and ends.

        Args:
            name: Its name.
            report: What it reports as JSON: to the file of ``--report-path=…`` if it is given one,
                otherwise to standard output. A string is reported as it is.
            stderr: What it writes to standard error.
            code: Its exit status.

        Returns:
            The file that will hold the arguments and the requirement files of its calls.
        """
        text = report if isinstance(report, str) else json.dumps(report)
        log = self.folder / f"{name}.log"
        program = self.folder / name
        program.write_text(
            f"""#!{sys.executable}
import sys
files = [a for a in sys.argv if a.endswith(".txt")]
with open({str(log)!r}, "a") as log:
    log.write("\\n".join(sys.argv[1:] + [open(f).read() for f in files]) + "\\n")
target = [a.split("=", 1)[1] for a in sys.argv if a.startswith("--report-path=")]
out = open(target[0], "w") if target else sys.stdout
out.write({text!r})
sys.stderr.write({stderr!r})
sys.exit({code})
""",
            encoding="utf-8",
        )
        program.chmod(0o755)
        return log
