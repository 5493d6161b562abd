from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import date
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.core.locks import (
    DependencyPart,
    ModelPart,
    Parts,
    ToolPart,
    ToolsetPart,
    check_lock,
    compare,
    create_lock,
    read_lock,
    write_lock,
)
from agent_factory.core.permissions import Permissions
from agent_factory.core.prices import Price

names = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=8
).filter(str.strip)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
scalars = st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-2, 2) | texts
data = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=2),
    max_leaves=4,
)
objects = st.dictionaries(names, data, max_size=2)
digests = st.sampled_from([f"sha256:{letter * 64}" for letter in "abc"])
schemas: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, {"type": "string"}, {"type": "object", "required": ["a"]}, {"oneOf": [{}]}]
)
prices = st.builds(
    Price, st.integers(5, 9), st.integers(0, 9), st.integers(0, 5), st.integers(0, 2)
)
models = st.builds(ModelPart, names, objects) | st.builds(
    ModelPart, names, objects, prices, st.sampled_from(["USD", "EUR"]), st.just(date(2026, 11, 1))
)
tools = st.builds(
    ToolPart, names, objects, objects, st.sampled_from(["", "a 1.0.0", "a 1.1.0", "b 1.0.0"])
)
toolsets = st.builds(ToolsetPart, objects, st.dictionaries(names, objects, max_size=2))
dependencies = st.builds(
    DependencyPart,
    st.sampled_from(["a", "../b"]),
    st.sampled_from(["1.0.0", "1.1.0", "2.0.0-rc.1"]),
    digests,
    st.sampled_from(["", "^1"]),
)
lists = st.lists(st.sampled_from(["a", "b.c", "d"]), max_size=2).map(
    lambda items: tuple(sorted(set(items)))
)
manifests = st.builds(
    Permissions,
    models=lists,
    tools=lists,
    hosts=lists,
    private_hosts=lists,
    secrets=lists,
    read=lists,
    write=lists,
    commands=lists,
    spend=st.integers(0, 3),
    timeout=st.none() | st.integers(1, 3),
)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "name": st.sampled_from(["a", "b"]),
    "version": st.sampled_from(["1.0.0", "1.0.1", "0.1.0-rc.1"]),
    "entry": st.sampled_from(["", "main"]),
    "inputs": schemas,
    "outputs": schemas,
    "prompts": st.dictionaries(names, texts, max_size=3),
    "tools": st.dictionaries(names, tools, max_size=2),
    "toolsets": st.dictionaries(names, toolsets, max_size=2),
    "models": st.dictionaries(names, models, max_size=2),
    "permissions": manifests,
    "limits": st.dictionaries(names, scalars, max_size=2),
    "dependencies": st.dictionaries(names, dependencies, max_size=2),
    **{
        name: st.dictionaries(names, data, max_size=2)
        for name in ("agents", "guardrails", "memory", "workflows", "evals")
    },
}
parts = st.builds(Parts, **FIELDS)


def show(value: Any) -> Any:
    """Return a value so that two are equal exactly if they are the same JSON."""
    if isinstance(value, Mapping):
        return sorted((key, show(item)) for key, item in value.items())
    if isinstance(value, tuple):
        return [show(item) for item in value]
    if hasattr(value, "__dataclass_fields__"):
        return [show(getattr(value, item.name)) for item in fields(value)]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return f"number {float(value) + 0.0}"
    return repr(value)


@given(parts)
@settings(deadline=None, max_examples=50, suppress_health_check=list(HealthCheck))
def test_lock_reads_back_as_it_was_written(blueprint: Parts) -> None:
    lock = create_lock(blueprint)
    text = write_lock(lock)

    back = read_lock(text.encode(), "blueprint.lock")

    assert back.digest == lock.digest
    assert write_lock(back) == text
    assert check_lock(back, lock) == ()


@given(parts)
@settings(deadline=None, max_examples=50, suppress_health_check=list(HealthCheck))
def test_blueprint_differs_in_nothing_from_itself(blueprint: Parts) -> None:
    other = replace(blueprint)

    assert check_lock(create_lock(blueprint), create_lock(other)) == ()
    assert compare(blueprint, other).changes == ()


@given(parts, st.sampled_from(sorted(FIELDS)), st.data())
@settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
def test_any_change_of_one_part_is_reported(
    blueprint: Parts, name: str, drawn: st.DataObject
) -> None:
    changed = replace(blueprint, **{name: drawn.draw(FIELDS[name])})
    is_same = show(getattr(changed, name)) == show(getattr(blueprint, name))
    drifts = check_lock(create_lock(blueprint), create_lock(changed))
    changes = compare(blueprint, changed).changes

    if is_same:
        assert (drifts, changes) == ((), ())
        return
    assert drifts
    assert changes or name == "version"
    assert all(drift.message and drift.to_dict() for drift in drifts)
    expected = {"inputs": "schemas", "outputs": "schemas"} | dict.fromkeys(
        ("name", "version", "entry"), "blueprint"
    )
    assert {drift.part for drift in drifts} == {expected.get(name, name)}


@given(parts, parts)
@settings(deadline=None, max_examples=50, suppress_health_check=list(HealthCheck))
def test_version_that_is_called_for_is_accepted(old: Parts, new: Parts) -> None:
    problem = compare(old, new).check_version()
    if problem is not None and "at least" in problem:
        better = replace(new, version=problem.rpartition(" ")[2])
        assert compare(old, better).check_version() is None
