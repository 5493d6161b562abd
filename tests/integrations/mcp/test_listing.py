from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.integrations.mcp.listing import MAX_TOOLS, read_listing


def create(name: str, schema: object = None, description: str | None = None, **hints: Any) -> Any:
    annotations = SimpleNamespace(read_only_hint=None, idempotent_hint=None)
    vars(annotations).update(hints)
    return SimpleNamespace(
        name=name,
        description=description,
        input_schema={"type": "object"} if schema is None else schema,
        annotations=annotations,
    )


@given(st.lists(st.text(max_size=80), max_size=20))
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_each_tool_has_a_good_name_of_its_own(names: list[str]) -> None:
    listing = read_listing(map(create, names))

    made = [offer.spec.name for offer in listing.offers]

    assert len(set(made)) == len(made)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name) for name in made)
    assert {offer.name for offer in listing.offers} == {name for name in names if name.strip()}


def test_name_that_is_good_as_it_is_is_kept_by_its_tool() -> None:
    listing = read_listing([create("a.b"), create("a_b")])

    assert [(offer.name, offer.spec.name) for offer in listing.offers] == [
        ("a.b", "a_b_2"),
        ("a_b", "a_b"),
    ]


def test_second_tool_of_a_name_is_left_out_with_a_reason() -> None:
    listing = read_listing(
        [create("act", description="first"), create("act", description="second")]
    )

    assert [offer.spec.description for offer in listing.offers] == ["first"]
    assert listing.problems == ("the tool 'act' is offered twice: the second is left out",)


def test_schema_of_no_object_is_left_out_with_a_reason() -> None:
    listing = read_listing([create("act", {"type": "array"})])

    assert listing.offers == ()
    assert listing.problems == (
        "the tool 'act' is left out: its schema is not one of type 'object'",
    )


def test_tools_beyond_the_bound_are_left_out_with_a_reason() -> None:
    listing = read_listing(create(f"tool{number}") for number in range(MAX_TOOLS + 5))

    assert len(listing.offers) == MAX_TOOLS
    assert "more than 512 tools" in listing.problems[0]


def test_hints_are_read() -> None:
    listing = read_listing(
        [
            create("reads", read_only_hint=True, idempotent_hint=True),
            create("repeats", idempotent_hint=True),
            create("says_nothing"),
        ]
    )

    assert [offer.hinted for offer in listing.offers] == ["read", "idempotent", None]


def test_long_description_is_cut() -> None:
    [offer] = read_listing([create("act", description="a" * 20_000)]).offers

    assert offer.spec.description.endswith("[... 10,000 more characters left out]")
