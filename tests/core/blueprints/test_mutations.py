"""Blueprints that were damaged at random: they are refused, or they work."""

from __future__ import annotations

import asyncio
import json
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.core.blueprints import assemble, check_blueprint, parse_blueprint
from agent_factory.core.blueprints.parts import collect_parts
from agent_factory.core.exceptions import BlueprintError
from agent_factory.core.locks.lock import create_lock
from tests.core.blueprints.full import FULL, create_full_adapters, write_files
from tests.core.blueprints.test_parts import list_paths

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

PATHS = list(list_paths(FULL))
NAMES = sorted({str(path[-1]) for path in PATHS})
ODD: list[Any] = [
    None,
    True,
    0,
    -1,
    1.5,
    10**17,
    "",
    " ",
    "x" * 300,
    "{{input",
    "{{input.topic}}",
    "../x",
    "/etc/passwd",
    "a/b",
    "*",
    "\U0001f600",
    [],
    {},
    [[]],
    {"x": 1},
    ["look", "look"],
    {"$ref": "#"},
    {"$ref": "https://example.com/x"},
    {"type": "objekt"},
]
TEXTS = [
    *("lead", "clerk", "heir", "flow", "look", "get", "echo", "fetch", "local", "remote", "api"),
    *("helper", "fast", "spare", "default", "other", "short", "fair", "recent", "brief", "kind"),
    *("detect_secrets", "judge", "limit_length", "TOKEN", "docs", "local/*", "0.50 USD", "tool"),
]


def find(data: Any, path: tuple[Any, ...]) -> Any:
    """Return what is at a place; None where nothing is."""
    for key in path:
        try:
            data = data[key]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def put(data: Any, path: tuple[Any, ...], change: Any) -> None:
    """Change a value of a mapping or a list where it is still there."""
    parent = find(data, path[:-1])
    key = path[-1]
    if (isinstance(parent, dict) and isinstance(key, str) and key in parent) or (
        isinstance(parent, list) and isinstance(key, int) and key < len(parent)
    ):
        change(parent, key)


@st.composite
def damaged(draw: st.DrawFn) -> Any:
    """Return the full blueprint with some keys removed, renamed, replaced, or taken from elsewhere."""
    data = deepcopy(FULL)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(PATHS))
        kind = draw(st.sampled_from(["remove", "rename", "replace", "text", "splice", "double"]))

        def change(parent: Any, key: Any, kind: str = kind) -> None:
            if kind == "remove":
                del parent[key]
            elif kind == "rename" and isinstance(parent, dict):
                parent[draw(st.sampled_from(NAMES))] = parent.pop(key)
            elif kind == "replace":
                parent[key] = deepcopy(draw(st.sampled_from(ODD)))
            elif kind == "text":
                parent[key] = draw(st.sampled_from(TEXTS))
            elif kind == "splice":
                parent[key] = deepcopy(find(FULL, draw(st.sampled_from(PATHS))))
            elif isinstance(parent, list):
                parent.append(deepcopy(parent[key]))

        put(data, path, change)
    return data


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(damaged())
def test_damaged_blueprint_is_refused_or_works(
    tmp_path_factory: pytest.TempPathFactory, data: Any
) -> None:
    folder = tmp_path_factory.getbasetemp() / "full"
    if not folder.exists():
        write_files(folder)
    adapters = create_full_adapters()
    content = json.dumps(data, indent=1).encode()
    try:
        file = parse_blueprint(content, name="a.yaml", folder=folder)
        check_blueprint(file, adapters)
        made = assemble(file, adapters)
    except BlueprintError as error:
        check_told(error)
    else:
        create_lock(collect_parts(file, adapters, installed=True))
        asyncio.run(made.aclose())


def check_told(error: BlueprintError) -> None:
    """Make sure that there is something to read, and nothing twice."""
    told = [(item.location, item.message) for item in error.problems]
    assert told
    assert all(location.line >= 1 and message for location, message in told)
    assert len(told) == len(set(told))


def test_blueprint_of_these_tests_works(tmp_path: Path) -> None:
    write_files(tmp_path)
    content = json.dumps(FULL, indent=1).encode()
    file = parse_blueprint(content, name="a.yaml", folder=tmp_path)

    made = assemble(file, create_full_adapters())

    assert list(made.agents) == ["clerk", "heir", "lead"]
