"""The plugin `distributions`: metadata from files, and the guard of the namespace."""

from __future__ import annotations

from typing import Any

import pytest
from pants.backend.python.macros.python_artifact import PythonArtifact
from pants.backend.python.target_types import PythonDistribution
from pants.backend.python.util_rules.package_dists import SetupKwargs
from pants.core.goals.lint import LintResult
from pants.core.util_rules.partitions import Partitions
from pants.engine.addresses import Address
from pants.testutil.rule_runner import QueryRule, RuleRunner, engine_error

from distributions import register
from distributions.namespace import NamespaceRequest
from distributions.register import DistributionKwargsRequest, read_version


@pytest.fixture
def runner() -> RuleRunner:
    runner = RuleRunner(
        rules=[
            *register.rules(),
            QueryRule(SetupKwargs, [DistributionKwargsRequest]),
            QueryRule(Partitions, [NamespaceRequest.PartitionRequest]),
            QueryRule(LintResult, [NamespaceRequest.Batch]),
        ],
        target_types=[PythonDistribution],
        objects={"python_artifact": PythonArtifact},
    )
    runner.write_files(
        {
            "packages/core/BUILD": (
                "python_distribution(name='dist', provides=python_artifact("
                "name='afactory-core', description='Primitives.'))"
            ),
            "packages/core/VERSION": "1.2.3\n",
            "packages/core/README.md": "# afactory-core\n",
        }
    )
    return runner


def kwargs(runner: RuleRunner) -> dict[str, Any]:
    target = runner.get_target(Address("packages/core", target_name="dist"))
    return dict(runner.request(SetupKwargs, [DistributionKwargsRequest(target)]).kwargs)


def test_the_version_and_the_long_description_come_from_files(runner: RuleRunner) -> None:
    found = kwargs(runner)

    assert found["version"] == "1.2.3"
    assert found["long_description"] == "# afactory-core\n"
    assert found["long_description_content_type"] == "text/markdown"


def test_the_build_file_says_the_rest(runner: RuleRunner) -> None:
    found = kwargs(runner)

    assert found["name"] == "afactory-core"
    assert found["description"] == "Primitives."


def test_what_all_distributions_share_is_added(runner: RuleRunner) -> None:
    found = kwargs(runner)

    assert found["license"] == "Apache-2.0"
    assert found["python_requires"] == ">=3.11"


def test_a_changed_version_file_changes_the_metadata(runner: RuleRunner) -> None:
    kwargs(runner)

    runner.write_files({"packages/core/VERSION": "2.0.0\n"})

    assert kwargs(runner)["version"] == "2.0.0"


def test_a_missing_file_is_named(runner: RuleRunner) -> None:
    runner.write_files(
        {"packages/cli/BUILD": "python_distribution(provides=python_artifact(name='x'))"}
    )
    target = runner.get_target(Address("packages/cli"))

    with engine_error(ValueError, contains="packages/cli/VERSION is missing"):
        runner.request(SetupKwargs, [DistributionKwargsRequest(target)])


@pytest.mark.parametrize("version", ["1.2.3", "0.1.0rc1", "10.0.0b2"])
def test_a_version_is_read(version: str) -> None:
    assert read_version("VERSION", f"{version}\n") == version


@pytest.mark.parametrize("text", ["", "1.2\n", "v1.2.3\n", "1.2.3\n4.5.6\n", "1.2.3 \n"])
def test_anything_else_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(ValueError, match=r"packages/core/VERSION:1:1: .* write one like 1\.2\.3"):
        read_version("packages/core/VERSION", text)


def test_an_init_module_at_the_root_of_the_namespace_fails_lint(runner: RuleRunner) -> None:
    bad = "packages/core/src/agent_factory/__init__.py"
    request = NamespaceRequest.PartitionRequest(
        (bad, "packages/core/src/agent_factory/core/__init__.py")
    )
    (partition,) = runner.request(Partitions, [request])

    batch = NamespaceRequest.Batch("", partition.elements, partition.metadata)
    result = runner.request(LintResult, [batch])

    assert result.exit_code == 1
    assert result.stdout.startswith(f"{bad}:1:1: ")
    assert "delete this file" in result.stdout


def test_an_init_module_of_a_distribution_is_left_alone(runner: RuleRunner) -> None:
    request = NamespaceRequest.PartitionRequest(
        ("packages/core/src/agent_factory/core/__init__.py",)
    )

    assert not runner.request(Partitions, [request])
