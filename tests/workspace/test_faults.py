"""Each planted fault makes the right check fail, with a message that says where and what to do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.workspace.scratch import Scratch

pytestmark = [pytest.mark.integration, pytest.mark.slow]

CORE = "packages/core/src/agent_factory/core"
LINT = ("tailor", "--check", "update-build-files", "--check", "lint", "::")


def fail(scratch: Scratch, *goals: str) -> str:
    """Run goals that have to fail, and return what they print."""
    done = scratch.pants(*goals)
    assert done.returncode != 0, done.stdout
    return done.stdout


def test_without_a_fault_everything_passes(miniature: Scratch) -> None:
    for goals in (LINT, ("check", "::"), ("test", "::")):
        done = miniature.pants(*goals)
        assert done.returncode == 0, done.stdout


def test_a_type_error_fails_check(miniature: Scratch) -> None:
    miniature.append(f"{CORE}/greeting.py", '\n\nCOUNT: int = "three"\n')

    said = fail(miniature, "check", "::")

    assert re.search(rf"{CORE}/greeting.py:\d+: error: Incompatible types", said)


def test_an_unformatted_file_fails_lint(miniature: Scratch) -> None:
    miniature.append(f"{CORE}/greeting.py", "\n\nCOUNT = {  'a':1 }\n")

    said = fail(miniature, *LINT)

    assert f"{CORE}/greeting.py" in said
    assert "Run `pants fmt` to fix" in said


def test_an_unused_import_fails_lint(miniature: Scratch) -> None:
    text = (miniature.root / CORE / "greeting.py").read_text()
    miniature.write(
        f"{CORE}/greeting.py", text.replace("annotations\n", "annotations\n\nimport os\n")
    )

    said = fail(miniature, *LINT)

    assert re.search(rf"{CORE}/greeting.py:5:8: F401 .*`os` imported but unused", said)
    assert "Run `pants fix` to fix" in said


IMPORT_UPWARDS = "annotations\n\nimport agent_factory.integrations as upper\n"


def test_an_import_from_core_to_integrations_fails_check(miniature: Scratch) -> None:
    text = (miniature.root / CORE / "greeting.py").read_text()
    miniature.write(f"{CORE}/greeting.py", text.replace("annotations\n", IMPORT_UPWARDS))

    said = fail(miniature, "check", "::")

    assert "DependencyRuleActionDeniedError" in said
    assert "packages/core/src/BUILD[!*] -> packages/integrations/src" in said


def test_an_import_from_core_to_integrations_fails_lint_with_the_way_out(
    miniature: Scratch,
) -> None:
    text = (miniature.root / CORE / "greeting.py").read_text()
    miniature.write(f"{CORE}/greeting.py", text.replace("annotations\n", IMPORT_UPWARDS))

    said = fail(miniature, *LINT)

    assert "define a port in core and implement it in integrations" in said


def test_a_failing_test_fails_test(miniature: Scratch) -> None:
    miniature.append(
        "tests/core/test_greeting.py", "\n\ndef test_fails() -> None:\n    assert greet('') == ''\n"
    )

    said = fail(miniature, "test", "::")

    assert "FAILED tests/core/test_greeting.py::test_fails" in said


def test_a_silenced_gate_in_a_workflow_fails_lint(miniature: Scratch) -> None:
    workflow = ".github/workflows/ci.yml"
    text = (miniature.root / workflow).read_text()
    assert "run: make lint" in text
    miniature.write(workflow, text.replace("run: make lint", "run: make lint || true"))

    said = fail(miniature, *LINT)

    assert re.search(rf"{workflow}:\d+:\d+: .*\|\| true", said)


def test_an_expired_finding_fails_lint(miniature: Scratch) -> None:
    accepted = "security/accepted.toml"
    text = (miniature.root / accepted).read_text()
    expired = re.sub(r"^expires = .*$", "expires = 2020-01-01", text, count=1, flags=re.MULTILINE)
    assert expired != text
    miniature.write(accepted, expired)

    said = fail(miniature, *LINT)

    assert re.search(rf"{accepted}.*expired", said)


def test_a_stale_lock_fails_lint(miniature: Scratch) -> None:
    miniature.append("3rdparty/default.in", "httpx\n")

    said = fail(miniature, *LINT)

    assert (
        "3rdparty/default.lock:1:1: is stale: what it was made from has changed: run 'make lock'."
        in said
    )


def test_an_edited_lock_fails_lint(miniature: Scratch) -> None:
    text = (miniature.root / "3rdparty/default.lock").read_text()
    miniature.write("3rdparty/default.lock", text.replace("pydantic==2", "pydantic==1"))

    said = fail(miniature, *LINT)

    assert "3rdparty/default.lock:1:1: was edited by hand: run 'make lock'." in said


def test_an_init_module_at_the_root_of_the_namespace_fails_lint(miniature: Scratch) -> None:
    miniature.write("packages/core/src/agent_factory/__init__.py", '"""Wrong."""\n')

    said = fail(miniature, *LINT)

    assert "packages/core/src/agent_factory/__init__.py:1:1: " in said
    assert "delete this file" in said


def test_a_module_without_a_target_fails_lint(miniature: Scratch) -> None:
    miniature.write("scripts/new.py", '"""Nobody owns this."""\n')

    said = fail(miniature, *LINT)

    assert "To fix `tailor` failures, run `pants tailor`" in said


def test_a_marker_that_is_not_a_tag_of_the_module_fails_test(miniature: Scratch) -> None:
    miniature.append(
        "tests/core/test_greeting.py",
        "\n\n@pytest.mark.slow\ndef test_waits() -> None:\n    assert greet('')\n",
    )
    text = (miniature.root / "tests/core/test_greeting.py").read_text()
    miniature.write(
        "tests/core/test_greeting.py",
        text.replace("annotations\n", "annotations\n\nimport pytest\n"),
    )

    said = fail(miniature, "test", "tests/core::")

    assert "mark the whole module with 'pytestmark = ...', or move the test" in said
