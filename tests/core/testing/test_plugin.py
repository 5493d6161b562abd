from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from agent_factory.core.testing import plugin

if TYPE_CHECKING:
    from pathlib import Path

pytest_plugins = ["pytester"]

SECRET = "blue-horse-battery"

MODULE = """
import asyncio

import pytest

from agent_factory.core.messages import UserMessage
from agent_factory.core.models import ModelRequest
from agent_factory.core.testing import ScriptedModel


def ask(cassette, text, answer="Hello."):
    model = cassette.wrap_model(ScriptedModel([answer], name="m"))
    return asyncio.run(model.respond(ModelRequest((UserMessage(text),)))).message.text

"""


@pytest.fixture
def inner(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A folder for a test run of its own, with this plugin and no other."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    monkeypatch.delenv("PYTEST_PLUGINS", raising=False)
    monkeypatch.delenv("CI", raising=False)
    pytester.makepyprojecttoml("[tool.pytest.ini_options]\n")
    return pytester


def write(inner: pytest.Pytester, tests: str, name: str = "test_it") -> None:
    inner.makepyfile(**{name: MODULE + tests})


def run(inner: pytest.Pytester, *options: str) -> pytest.RunResult:
    return inner.runpytest_inprocess("--strict-markers", "-Werror", *options, plugins=[plugin])


def files(inner: pytest.Pytester) -> list[str]:
    root = inner.path
    return sorted(str(path.relative_to(root)) for path in root.rglob("cassettes/**/*.json"))


def test_recorded_test_is_replayed(inner: pytest.Pytester) -> None:
    write(inner, "def test_a(cassette):\n    assert ask(cassette, 'Hi.') == 'Hello.'\n")

    run(inner, "--cassettes=record").assert_outcomes(passed=1)
    assert files(inner) == ["cassettes/test_it/test_a.json"]
    before = (inner.path / files(inner)[0]).read_bytes()
    run(inner).assert_outcomes(passed=1)
    assert (inner.path / files(inner)[0]).read_bytes() == before


def test_test_without_a_cassette_fails_loudly_by_default(inner: pytest.Pytester) -> None:
    write(inner, "def test_a(cassette):\n    ask(cassette, 'Hi.')\n")

    result = run(inner)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*CassetteMissError: cassette '*test_a.json' has no answer*--cassettes=record*"]
    )
    assert files(inner) == []


def test_miss_shows_the_difference_and_how_to_record_again(inner: pytest.Pytester) -> None:
    write(inner, "def test_a(cassette):\n    ask(cassette, 'Go to Bern.')\n")
    run(inner, "--cassettes=record").assert_outcomes(passed=1)
    write(inner, "def test_a(cassette):\n    ask(cassette, 'Go to Rome.')\n")

    result = run(inner)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*CassetteMissError: cassette '*test_a.json' has no answer to request number 1*",
            '*-   "text": "Go to Bern."*',
            '*+   "text": "Go to Rome."*',
            "*--cassettes=record*",
        ]
    )


def test_miss_that_the_test_swallows_fails_it(inner: pytest.Pytester) -> None:
    write(
        inner,
        "def test_a(cassette):\n"
        "    try:\n        ask(cassette, 'Hi.')\n    except Exception:\n        pass\n",
    )

    result = run(inner)

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*cassette '*test_a.json' has no answer*"])


def test_recordings_left_over_fail_the_test_unless_it_allows_them(inner: pytest.Pytester) -> None:
    write(inner, "def test_a(cassette):\n    ask(cassette, 'Hi.')\n    ask(cassette, 'Ho.')\n")
    run(inner, "--cassettes=record").assert_outcomes(passed=1)
    shorter = "def test_a(cassette):\n    ask(cassette, 'Hi.')\n"
    write(inner, shorter)

    result = run(inner)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*1 recording that nothing asked for: number 2 (model 'm')*"])
    write(inner, f"@pytest.mark.cassette(allow_unused=True)\n{shorter}")
    run(inner).assert_outcomes(passed=1)


def test_failed_test_is_neither_recorded_nor_failed_twice(inner: pytest.Pytester) -> None:
    write(inner, "def test_a(cassette):\n    ask(cassette, 'Hi.')\n    assert False\n")

    run(inner, "--cassettes=record").assert_outcomes(failed=1)
    assert files(inner) == []


def test_secrets_of_the_markers_are_not_written(inner: pytest.Pytester) -> None:
    write(
        inner,
        f"pytestmark = pytest.mark.cassette(secrets=['{SECRET}'])\n"
        "@pytest.mark.cassette(secrets=['tulip'])\n"
        f"def test_a(cassette):\n    ask(cassette, 'Hi, {SECRET} tulip.', 'Hi, {SECRET} tulip.')\n",
    )

    run(inner, "--cassettes=record").assert_outcomes(passed=1)

    text = (inner.path / files(inner)[0]).read_text(encoding="utf-8")
    assert SECRET not in text
    assert "tulip" not in text
    assert text.count("Hi, [secret] [secret].") == 2
    run(inner).assert_outcomes(passed=1)


def test_auto_records_what_is_missing_except_in_ci(
    inner: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(inner, "def test_a(cassette):\n    ask(cassette, 'Hi.')\n")

    monkeypatch.setenv("CI", "true")
    run(inner, "--cassettes=auto").assert_outcomes(failed=1)
    assert files(inner) == []
    monkeypatch.setenv("CI", "false")
    result = run(inner, "--cassettes=auto")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["cassettes: auto"])
    monkeypatch.setenv("CI", "true")
    run(inner, "--cassettes=auto").assert_outcomes(passed=1)


def test_mode_can_be_set_for_the_project(inner: pytest.Pytester) -> None:
    inner.makepyprojecttoml('[tool.pytest.ini_options]\ncassettes = "record"\n')
    write(inner, "def test_a(cassette):\n    ask(cassette, 'Hi.')\n")

    run(inner).assert_outcomes(passed=1)
    assert files(inner) == ["cassettes/test_it/test_a.json"]


def test_unknown_mode_of_the_project_is_refused(inner: pytest.Pytester) -> None:
    inner.makepyprojecttoml('[tool.pytest.ini_options]\ncassettes = "rec"\n')
    write(inner, "def test_a():\n    pass\n")

    result = run(inner)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*'cassettes' must be one of replay, record, auto, not 'rec'*"])


def test_every_test_has_a_file_of_its_own(inner: pytest.Pytester) -> None:
    write(
        inner,
        "@pytest.mark.parametrize('text', ['a/b', 'a b', 'a' * 300, 'a' * 299])\n"
        "def test_a(cassette, text):\n    ask(cassette, text)\n"
        "class TestOne:\n    def test_a(self, cassette):\n        ask(cassette, 'Hi.')\n"
        "class TestTwo:\n    def test_a(self, cassette):\n        ask(cassette, 'Hi.')\n",
    )

    run(inner, "--cassettes=record").assert_outcomes(passed=6)

    assert len(files(inner)) == 6
    assert "cassettes/test_it/TestOne.test_a.json" in files(inner)
    run(inner).assert_outcomes(passed=6)


def test_marker_names_the_file(inner: pytest.Pytester) -> None:
    write(
        inner,
        "@pytest.mark.cassette('shared.json')\ndef test_a(cassette):\n    ask(cassette, 'Hi.')\n",
    )

    run(inner, "--cassettes=record").assert_outcomes(passed=1)
    assert files(inner) == ["cassettes/shared.json"]


def test_two_tests_do_not_record_into_one_file(inner: pytest.Pytester) -> None:
    write(
        inner,
        "pytestmark = pytest.mark.cassette('shared.json')\n"
        "def test_a(cassette):\n    ask(cassette, 'Hi.')\n"
        "def test_b(cassette):\n    ask(cassette, 'Hi.')\n",
    )

    result = run(inner, "--cassettes=record")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*::test_b and *::test_a record into the same file*"])
    # To replay one file in several tests is fine.
    run(inner).assert_outcomes(passed=2)


@pytest.mark.parametrize("arguments", ["secret='x'", "'a.json', 'b.json'"])
def test_marker_with_wrong_arguments_is_refused(inner: pytest.Pytester, arguments: str) -> None:
    write(inner, f"@pytest.mark.cassette({arguments})\ndef test_a(cassette):\n    pass\n")

    result = run(inner)

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*the marker 'cassette' takes one file*"])


def test_marker_is_declared(inner: pytest.Pytester) -> None:
    run(inner, "--markers").stdout.fnmatch_lines(["@pytest.mark.cassette(file=None*"])


def test_package_for_tests_needs_no_pytest(tmp_path: Path) -> None:
    program = "import sys, agent_factory.core.testing; print('pytest' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(os.path.abspath(p) for p in sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert done.stdout == "False\n"
