"""The plugin `ruff`: what it runs on what, and with which configuration."""

from __future__ import annotations

import pytest
from pants.backend.python.util_rules.pex import PexRequest, VenvPex, VenvPexProcess
from pants.core.util_rules.config_files import ConfigFiles, ConfigFilesRequest
from pants.engine.fs import EMPTY_DIGEST, EMPTY_SNAPSHOT, Digest, MergeDigests
from pants.engine.process import FallibleProcessResult
from pants.testutil.option_util import create_subsystem
from pants.testutil.rule_runner import MockGet, RuleRunner, run_rule_with_mocks

from ruff.register import RuffRun, run_ruff
from ruff.subsystem import Ruff


def create_ruff() -> Ruff:
    return create_subsystem(
        Ruff,
        args=[],
        version="ruff>=0.17",
        extra_requirements=[],
        install_from_resolve=None,
        requirements=[],
        interpreter_constraints=["CPython==3.11.*"],
        lockfile="3rdparty/tools/ruff.lock",
        console_script="ruff",
        entry_point=None,
    )


def run(*, fix: bool) -> VenvPexProcess:
    """Run the rule over two files, and return the process that it asks for."""
    asked: list[VenvPexProcess] = []
    files = ("a/one.py", "a/two.py")
    snapshot = RuleRunner().make_snapshot_of_empty_files(files)

    def execute(process: VenvPexProcess) -> str:
        asked.append(process)
        return "result"

    run_rule_with_mocks(
        run_ruff,
        rule_args=[RuffRun(snapshot, fix=fix), create_ruff()],
        mock_gets=[
            MockGet(output_type=VenvPex, input_types=(PexRequest,), mock=lambda _: "pex"),
            MockGet(
                output_type=ConfigFiles,
                input_types=(ConfigFilesRequest,),
                mock=lambda _: ConfigFiles(EMPTY_SNAPSHOT),
            ),
            MockGet(output_type=Digest, input_types=(MergeDigests,), mock=lambda _: EMPTY_DIGEST),
            MockGet(output_type=FallibleProcessResult, input_types=(VenvPexProcess,), mock=execute),
        ],
    )
    (process,) = asked
    return process


def test_lint_checks_and_names_every_finding_in_a_line() -> None:
    argv = run(fix=False).argv

    assert argv[0] == "check"
    assert "--output-format=concise" in argv
    assert "--fix" not in argv
    assert argv[-2:] == ("a/one.py", "a/two.py")


def test_fix_corrects_and_leaves_failing_to_lint() -> None:
    process = run(fix=True)

    assert {"--fix", "--exit-zero"} <= set(process.argv)
    assert process.output_files == ("a/one.py", "a/two.py")


@pytest.mark.parametrize("name", ["ruff.toml", "pyproject.toml"])
def test_the_configuration_is_looked_for_in_every_folder_above(name: str) -> None:
    request = create_ruff().config_request(["packages/core/src"])

    looked_at = {*request.check_existence, *request.check_content}
    assert {path for path in looked_at if path.endswith(name)} == {
        name,
        f"packages/{name}",
        f"packages/core/{name}",
        f"packages/core/src/{name}",
    }
