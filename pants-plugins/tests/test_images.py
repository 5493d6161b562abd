"""The plugin `images`: an image's tag and label come from its version file."""

from __future__ import annotations

import pytest
from pants.backend.docker.target_types import DockerImageTags, DockerImageTarget
from pants.engine.addresses import Address
from pants.engine.target import InvalidFieldException, Target
from pants.testutil.rule_runner import QueryRule, RuleRunner, engine_error

from images import version
from images.version import VersionFileField, VersionTagRequest


@pytest.fixture
def runner() -> RuleRunner:
    """A build root with an image `app` that has a version file, and an image `plain` that has none."""
    runner = RuleRunner(
        rules=[*version.rules(), QueryRule(DockerImageTags, [VersionTagRequest])],
        target_types=[DockerImageTarget],
    )
    runner.write_files(
        {
            "app/BUILD": 'docker_image(version_file="app/VERSION", image_tags=[])',
            "app/VERSION": "1.2.3\n",
            "plain/BUILD": "docker_image()",
        }
    )
    return runner


def _target(runner: RuleRunner, name: str) -> Target:
    return runner.get_target(Address(name))


def _tags(runner: RuleRunner) -> tuple[str, ...]:
    return tuple(runner.request(DockerImageTags, [VersionTagRequest(_target(runner, "app"))]))


def _labels(target: Target) -> list[str]:
    return list(target[VersionFileField].options(str))


def test_the_version_becomes_the_tag(runner: RuleRunner) -> None:
    assert _tags(runner) == ("1.2.3",)


def test_the_version_becomes_a_label(runner: RuleRunner) -> None:
    assert _labels(_target(runner, "app")) == [
        "--label",
        "org.opencontainers.image.version=1.2.3",
    ]


def test_a_changed_file_changes_tag_and_label(runner: RuleRunner) -> None:
    _tags(runner)

    runner.write_files({"app/VERSION": "2.0.0rc1\n"})

    assert _tags(runner) == ("2.0.0rc1",)
    assert _labels(_target(runner, "app"))[1].endswith("=2.0.0rc1")


def test_an_image_without_a_version_file_is_left_alone(runner: RuleRunner) -> None:
    plain = _target(runner, "plain")

    assert not VersionTagRequest.is_applicable(plain)
    assert _labels(plain) == []


def test_a_missing_file_is_named(runner: RuleRunner) -> None:
    runner.write_files({"app/BUILD": 'docker_image(version_file="app/NONE", image_tags=[])'})

    with engine_error(InvalidFieldException, contains="'app/NONE', which is no file"):
        _tags(runner)
    with pytest.raises(InvalidFieldException, match="'app/NONE', which is no file"):
        _labels(_target(runner, "app"))


@pytest.mark.parametrize("content", ["", "1.2+local", "1.0\n2.0", "-1", "\udcff", "1" * 129])
def test_what_no_tag_can_be_is_refused(runner: RuleRunner, content: str) -> None:
    runner.write_files({"app/VERSION": content.encode("utf-8", "surrogateescape")})

    with engine_error(InvalidFieldException, contains="an image can be tagged only with"):
        _tags(runner)
    with pytest.raises(InvalidFieldException, match="an image can be tagged only with"):
        _labels(_target(runner, "app"))
