"""What `pip install` gives: the built wheels and source archives, in empty environments without an index."""

from __future__ import annotations

import configparser
import os
import tarfile
import zipfile
from email import message_from_bytes
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.downloads import run
from tests.integration.wheels.interpreters import (
    create_environment,
    find_python,
    provide_wheelhouse,
)

if TYPE_CHECKING:
    from email.message import Message

pytestmark = [pytest.mark.integration, pytest.mark.slow]

CONCERNS = ("cli", "core", "integrations")
VERSIONS = ("3.11", "3.12", "3.13")
MAX_CORE_DISTRIBUTIONS = 10

CHECK_IMPORTS = """
import importlib, pkgutil, agent_factory
names = [module.name for module in pkgutil.walk_packages(agent_factory.__path__, "agent_factory.")]
# The plugin is imported by pytest, which the wheels do not bring along.
left_out = (".__main__", ".testing.plugin")
names = [name for name in names if not name.endswith(left_out)]
for name in names:
    module = importlib.import_module(name)
    for public in module.__all__:
        getattr(module, public)
print(len(names))
"""


def get_wheel(concern: str) -> Path:
    (wheel,) = Path().glob(f"afactory_{concern}-*-py3-none-any.whl")
    return wheel.absolute()


def get_version(concern: str) -> str:
    return get_wheel(concern).name.split("-")[1]


def read_metadata(concern: str) -> Message:
    with zipfile.ZipFile(get_wheel(concern)) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return message_from_bytes(archive.read(name))


def install(version: str, folder: Path, *requirements: str) -> Path:
    python = find_python(version)
    assert python is not None
    environment = create_environment(python, folder)
    wheelhouse = provide_wheelhouse(python, version)
    options = ["--quiet", "--no-index", "--find-links", str(wheelhouse), "--find-links", os.curdir]
    run([str(environment), "-m", "pip", "install", *options, *requirements])
    return environment


@pytest.fixture(scope="module", params=VERSIONS)
def python(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with everything installed."""
    version = str(request.param)
    if find_python(version) is None:
        assert (
            version != "3.11"
        ), "CPython 3.11 is needed: install it, for example with apt or pyenv"
        pytest.skip(f"CPython {version} is not installed here")
    folder = tmp_path_factory.mktemp(f"python{version}") / "venv"
    return install(version, folder, *(str(get_wheel(each)) for each in CONCERNS))


def test_pytest_finds_the_plugin_in_the_wheel_of_core() -> None:
    with zipfile.ZipFile(get_wheel("core")) as archive:
        names = archive.namelist()
        (found,) = (name for name in names if name.endswith(".dist-info/entry_points.txt"))
        entries = configparser.ConfigParser()
        entries.read_string(archive.read(found).decode())

    module = entries["pytest11"]["agent_factory"]
    assert f"{module.replace('.', '/')}.py" in names


def test_every_public_name_can_be_imported_from_the_wheels(python: Path) -> None:
    assert int(run([str(python), "-I", "-W", "error", "-c", CHECK_IMPORTS])) > 30


def test_what_the_wheels_require_is_consistent(python: Path) -> None:
    run([str(python), "-m", "pip", "check"])


def test_the_installed_command_knows_its_version(python: Path) -> None:
    printed = run([str(python.parent / "agent-factory"), "--version"])

    assert printed.strip() == f"agent-factory {get_version('cli')}"


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
def test_a_wheel_describes_itself(concern: str) -> None:
    metadata = read_metadata(concern)

    assert metadata["Name"] == f"afactory-{concern}"
    assert metadata["Version"] == get_version(concern)
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["License"] == "Apache-2.0"
    assert str(metadata.get_payload()).lstrip().startswith(f"# afactory-{concern}")


@pytest.mark.parametrize("concern", ["cli", "integrations"])
def test_a_wheel_requires_a_compatible_core(concern: str) -> None:
    requirements = read_metadata(concern).get_all("Requires-Dist") or []

    assert f"afactory-core~={get_version('core')}" in requirements


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
