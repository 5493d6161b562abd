from __future__ import annotations

import subprocess
import sys

from agent_factory.core import guardrails
from tests.docs.processes import create_environment

PROGRAM = """
import re
import sys

import {package}

compiled = []
compile_ = re.compile
re.compile = lambda *arguments, **options: compiled.append(arguments[0]) or compile_(*arguments, **options)
for name in [name for name in sys.modules if name.startswith("{package}")]:
    del sys.modules[name]
import {package}

loaded = [name.rpartition(".")[2] for name in sys.modules if name.startswith("{package}._")]
print(compiled, loaded)
"""


def test_import_compiles_no_pattern_and_loads_nothing_that_finds_things() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(package=guardrails.__name__)],
        env=create_environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.stderr == ""
    assert done.stdout == "[] []\n"
