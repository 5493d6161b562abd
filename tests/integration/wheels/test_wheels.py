"""What `pip install` gives: the built wheels and source archives, in empty environments without an index."""

from __future__ import annotations

import os
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.integration.downloads import run
from tests.integration.wheels.interpreters import (
    create_environment,
    find_python,
    provide_wheelhouse,
)

pytestmark = [pytest.mark.integration, pytest.mark.slow]

CONCERNS = ("cli", "core", "integrations")
VERSIONS = ("3.11", "3.12", "3.13")
MAX_CORE_DISTRIBUTIONS = 10

CHECK_IMPORTS = """
import importlib, pkgutil, agent_factory
names = [module.name for module in pkgutil.walk_packages(agent_factory.__path__, "agent_factory.")]
names = [name for name in names if not name.endswith(".__main__")]
for name in names:
    module = importlib.import_module(name)
    for public in module.__all__:
        getattr(module, public)
print(len(names))
"""


def get_wheel(concern: str) -> Path:
    (wheel,) = Path().glob(f"afactory_{concern}-*-py3-none-any.whl")
    return wheel.absolute()


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    chosen = str(request.param)
    if find_python(chosen) is None:
        assert chosen != "3.11", "CPython 3.11 is needed: install it, for example with apt or pyenv"
        pytest.skip(f"CPython {chosen} is not installed here")
    return chosen


def install(version: str, folder: Path, *requirements: str) -> Path:
    python = find_python(version)
    assert python is not None
    environment = create_environment(python, folder)
    wheelhouse = provide_wheelhouse(python, version)
    options = ["--quiet", "--no-index", "--find-links", str(wheelhouse), "--find-links", os.curdir]
    run([str(environment), "-m", "pip", "install", *options, *requirements])
    return environment


def test_every_public_name_can_be_imported_from_the_wheels(version: str, tmp_path: Path) -> None:
    python = install(version, tmp_path / "venv", *(str(get_wheel(each)) for each in CONCERNS))

    assert int(run([str(python), "-I", "-W", "error", "-c", CHECK_IMPORTS])) > 30
    run([str(python), "-m", "pip", "check"])


def test_the_installed_command_knows_its_version(version: str, tmp_path: Path) -> None:
    python = install(version, tmp_path / "venv", "afactory-cli")

    printed = run([str(python.parent / "agent-factory"), "--version"])

    assert printed.strip() == f"agent-factory {get_wheel('cli').name.split('-')[1]}"


def test_core_alone_is_small(tmp_path: Path) -> None:
    python = install("3.11", tmp_path / "venv", "afactory-core")

    listed = run([str(python), "-m", "pip", "list", "--format=freeze"]).splitlines()

    ours = [line for line in listed if not line.startswith(("pip==", "setuptools=="))]
    assert len(ours) <= MAX_CORE_DISTRIBUTIONS, ours


@pytest.mark.parametrize("concern", CONCERNS)
def test_a_wheel_is_typed_and_leaves_the_namespace_alone(concern: str) -> None:
    with zipfile.ZipFile(get_wheel(concern)) as archive:
        names = archive.namelist()

    assert f"agent_factory/{concern}/py.typed" in names
    assert "agent_factory/__init__.py" not in names
    outside = [name for name in names if not name.startswith(f"agent_factory/{concern}/")]
    assert all(".dist-info/" in name for name in outside), outside


@pytest.mark.parametrize("concern", CONCERNS)
def test_a_source_archive_builds_the_same_modules(concern: str, tmp_path: Path) -> None:
    (source,) = Path().glob(f"afactory_{concern}-*.tar.gz")
    with tarfile.open(source) as archive:
        assert not [
            name for name in archive.getnames() if name.endswith("agent_factory/__init__.py")
        ]
    python = find_python("3.11")
    assert python is not None
    wheelhouse = provide_wheelhouse(python, "3.11")
    options = ["--quiet", "--no-index", "--no-deps", "--find-links", str(wheelhouse)]

    run([python, "-m", "pip", "wheel", *options, "-w", str(tmp_path), str(source.absolute())])

    (built,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(built) as rebuilt, zipfile.ZipFile(get_wheel(concern)) as wheel:
        assert get_modules(rebuilt) == get_modules(wheel)


def get_modules(wheel: zipfile.ZipFile) -> list[str]:
    return sorted(name for name in wheel.namelist() if name.startswith("agent_factory/"))
