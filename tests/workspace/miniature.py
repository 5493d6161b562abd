"""The real toolchain with three tiny packages, so that what is affected by what can be written down."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.workspace.scratch import Scratch

__all__ = ["shrink"]

_KEPT_FOLDERS = frozenset(
    {".ci", ".git", ".github", "3rdparty", "build-support", "packages", "pants-plugins"}
    | {"security", "tests"}
)

_FILES = {
    "packages/core/src/agent_factory/core/__init__.py": '"""The lowest layer."""\n',
    "packages/core/src/agent_factory/core/py.typed": "",
    "packages/core/src/agent_factory/core/greeting.py": (
        '"""Greets."""\n\nfrom __future__ import annotations\n\n__all__ = ["greet"]\n\n\n'
        'def greet(name: str) -> str:\n    """Greet somebody."""\n    return f"Hello, {name}"\n'
    ),
    "packages/core/src/agent_factory/core/numbers.py": (
        '"""Numbers."""\n\nfrom __future__ import annotations\n\nfrom pydantic import BaseModel\n\n'
        '__all__ = ["Number"]\n\n\nclass Number(BaseModel):\n    """A number."""\n\n    value: int\n'
    ),
    "packages/integrations/src/agent_factory/integrations/__init__.py": '"""Adapters."""\n',
    "packages/integrations/src/agent_factory/integrations/py.typed": "",
    "packages/cli/src/agent_factory/cli/__init__.py": '"""The command line."""\n',
    "packages/cli/src/agent_factory/cli/py.typed": "",
    "packages/cli/src/agent_factory/cli/main.py": (
        '"""The program."""\n\nfrom __future__ import annotations\n\n'
        "from agent_factory.core.greeting import greet\n\n"
        '__all__ = ["main"]\n\n\ndef main() -> None:\n    """Greet."""\n    print(greet("you"))\n'
    ),
    "tests/fixtures.py": '"""Nothing."""\n',
    "tests/utils.py": '"""Nothing."""\n',
    "tests/core/BUILD": "unit_tests()\n",
    "tests/core/test_greeting.py": (
        "from __future__ import annotations\n\nfrom agent_factory.core.greeting import greet\n\n\n"
        'def test_greets_by_name() -> None:\n    assert greet("Ada") == "Hello, Ada"\n'
    ),
    "tests/core/test_numbers.py": (
        "from __future__ import annotations\n\nfrom agent_factory.core.numbers import Number\n\n\n"
        "def test_keeps_the_value() -> None:\n    assert Number(value=1).value == 1\n"
    ),
    "tests/cli/BUILD": "unit_tests()\n",
    "tests/cli/test_main.py": (
        "from __future__ import annotations\n\nimport pytest\n\n"
        "from agent_factory.cli.main import main\n\n\n"
        "def test_greets_you(capsys: pytest.CaptureFixture[str]) -> None:\n    main()\n\n"
        '    assert capsys.readouterr().out == "Hello, you\\n"\n'
    ),
}


def shrink(scratch: Scratch) -> None:
    """Replace the packages and their tests, keep the toolchain, and commit.

    Args:
        scratch: The copy of the repository.
    """
    root = scratch.root
    for entry in list(root.iterdir()):
        if entry.is_dir() and entry.name not in _KEPT_FOLDERS:
            shutil.rmtree(entry)
    for folder in (*root.glob("packages/*/src/agent_factory"), *(root / "tests").iterdir()):
        if folder.is_dir():
            shutil.rmtree(folder)
    shutil.rmtree(root / "pants-plugins/tests")
    for path, text in _FILES.items():
        scratch.write(path, text)
    scratch.write("tests/README.md", "# Tests\n")
    scratch.write("tests/BUILD", _TESTS_BUILD)
    for group in (root / "packages").iterdir():
        if group.name not in {"core", "integrations", "cli"}:
            shutil.rmtree(group)
    scratch.commit()


_TESTS_BUILD = """\
python_test_utils(name="policy", sources=["pytest_policy.py"])

python_test_utils(
    name="conftest",
    sources=["conftest.py"],
    dependencies=["./pytest_policy.py:policy"],
)

python_test_utils(name="helpers", sources=["fixtures.py", "utils.py"])
"""
