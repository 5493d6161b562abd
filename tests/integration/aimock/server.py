"""Runs ``@copilotkit/aimock``, a mock of OpenAI's API that somebody else wrote."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.integration.downloads import install_npm_package, require_program

__all__ = ["KEY", "running_aimock"]

KEY = "sk-test-key"
_PACKAGE, _VERSION = "@copilotkit/aimock", "1.43.0"


@contextmanager
def running_aimock(fixtures: list[object], folder: Path) -> Iterator[str]:
    """Run a server and give its base URL.

    Args:
        fixtures: What it answers to what, in its own format.
        folder: An empty folder for its files.
    """
    node = require_program("node", install="Node.js 20 or later")
    program = install_npm_package(_PACKAGE, _VERSION) / "dist" / "cli.js"
    file = folder / "fixtures.json"
    file.write_text(json.dumps({"fixtures": fixtures}), encoding="utf-8")
    log = folder / "log.txt"
    command = [node, str(program), "--port", "0", "--fixtures", str(file), "--validate-on-load"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=output,
            env=os.environ | {"AIMOCK_API_KEYS": KEY},
        )
    try:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line.decode())
            if "listening on " in said[-1]:
                yield said[-1].split("listening on ")[1].strip() + "/v1"
                return
        raise AssertionError(f"aimock did not start: {''.join(said)}{log.read_text()}")
    finally:
        process.terminate()
        process.wait(10)
        if process.stdout is not None:
            process.stdout.close()
