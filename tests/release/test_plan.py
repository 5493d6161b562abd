"""What a tag releases, and in which order."""

from __future__ import annotations

from pathlib import Path

import pytest

from release.plan import dependency_order, make_plan
from release.wheels import ReleaseError, Wheel, read_wheels
from tests.release.builders import write_wheel

_CORE, _INTEGRATIONS, _RUNTIME, _CLI = (
    f"afactory-{concern}" for concern in ("core", "integrations", "runtime", "cli")
)


@pytest.fixture
def wheels(tmp_path: Path) -> dict[str, Wheel]:
    """Two adapters on core, and a command line on all of them."""
    write_wheel(tmp_path, "cli", "1.0.0", [_CORE, _RUNTIME, f"{_INTEGRATIONS}~=1.0"])
    write_wheel(tmp_path, "runtime", "1.0.0", [f"{_CORE}~=1.0"])
    write_wheel(tmp_path, "integrations", "1.0.0", [f"{_CORE}~=1.0", "aiohttp"])
    write_wheel(tmp_path, "core", "1.0.0", ["pydantic"])
    return read_wheels(tmp_path)


def test_each_distribution_comes_after_what_it_requires(wheels: dict[str, Wheel]) -> None:
    assert dependency_order(wheels) == (_CORE, _INTEGRATIONS, _RUNTIME, _CLI)


def test_a_circle_is_refused(tmp_path: Path) -> None:
    write_wheel(tmp_path, "core", "1.0.0", [_CLI])
    write_wheel(tmp_path, "cli", "1.0.0", [_CORE])

    with pytest.raises(ReleaseError, match=r"require each other in a circle: afactory-"):
        dependency_order(read_wheels(tmp_path))


def test_an_unbuilt_requirement_is_refused(tmp_path: Path) -> None:
    write_wheel(tmp_path, "cli", "1.0.0", [_CORE])

    with pytest.raises(ReleaseError, match="requires afactory-core, which was not built"):
        dependency_order(read_wheels(tmp_path))


@pytest.mark.parametrize(
    ("tagged", "released", "plan"),
    [
        pytest.param(
            _CORE, (), (_CORE, _INTEGRATIONS, _RUNTIME, _CLI), id="first release of everything"
        ),
        pytest.param(_CLI, (_CORE, _INTEGRATIONS, _RUNTIME), (_CLI,), id="the top alone"),
        pytest.param(
            _CORE, (_INTEGRATIONS, _RUNTIME, _CLI), (_CORE,), id="dependents were released"
        ),
        pytest.param(
            _CORE, (_RUNTIME,), (_CORE, _INTEGRATIONS, _CLI), id="with its new dependents"
        ),
        pytest.param(
            _CLI, (_CORE, _RUNTIME), (_INTEGRATIONS, _CLI), id="with its unreleased requirement"
        ),
        pytest.param(
            _RUNTIME,
            (_CORE,),
            (_INTEGRATIONS, _RUNTIME, _CLI),
            id="with what its dependent requires",
        ),
        pytest.param(_CORE, (_CORE, _INTEGRATIONS, _RUNTIME, _CLI), (_CORE,), id="again"),
    ],
)
def test_a_tag_releases_all_that_belongs_together(
    wheels: dict[str, Wheel], tagged: str, released: tuple[str, ...], plan: tuple[str, ...]
) -> None:
    assert make_plan(tagged, wheels, set(released)) == plan
