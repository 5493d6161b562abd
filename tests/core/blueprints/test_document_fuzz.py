from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.core.blueprints.document import read_document
from tests.core.blueprints.hostile import SHAPES, check_document, create_mutations

if TYPE_CHECKING:
    from agent_factory.core.blueprints.document import Document


def read(content: bytes) -> Document:
    """Return a document whose problems and places make sense."""
    document = read_document(content, "a.yaml")
    check_document(document)
    return document


fragments = st.sampled_from(
    [
        *"a1:~[]{},!'\"|#?%@`&*-<>=.\\",
        "\n",
        "\r",
        " ",
        "\t",
        "- ",
        ": ",
        "? ",
        "---",
        "...",
        "%YAML 1.1\n",
        "%TAG ",
        "\x00",
        "\x85",
        "\u2028",
        "\ufeff",
        '"\\ud800"',
        '"\\U99999999"',
        "<<",
        "&x",
        "*x",
        "!!int",
        "true",
        "1e999",
        "\U0001f600",
        "|\n",
        ">-\n  ",
    ]
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.binary(max_size=40)
    | st.lists(fragments, max_size=30).map(lambda all_: "".join(all_).encode())
)
def test_any_bytes_give_a_value_or_problems_inside_the_file(content: bytes) -> None:
    read(content)


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)


def has_nul(value: object) -> bool:
    return "\\u0000" in json.dumps(value)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(plain.filter(lambda value: not has_nul(value)))
def test_json_is_read_as_what_it_says(value: object) -> None:
    document = read(json.dumps({"value": value}).encode())

    assert document.problems == []
    assert document.value == {"value": value}


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_number_is_read_as_what_it_says(value: float) -> None:
    assert read(f"a: {value!r}".encode()).value == {"a": value}


@pytest.mark.parametrize("shape", SHAPES)
def test_hostile_shape_is_read_or_refused(shape: str) -> None:
    document = read(SHAPES[shape](20_000))

    assert len(document.problems) <= 101


@pytest.mark.parametrize("seed", range(8))
def test_damaged_blueprint_is_read_or_refused(seed: int) -> None:
    generator = random.Random(seed)  # noqa: S311 - a repeatable one
    for content in create_mutations(generator, 40):
        read(content)
