from __future__ import annotations

import random
import tracemalloc

import pytest

from agent_factory.core.blueprints.document import MAX_BYTES, read_document
from tests.core.blueprints.hostile import SHAPES, check_document, create_mutations

pytestmark = [pytest.mark.integration, pytest.mark.slow]

SIZE = MAX_BYTES // 4
MAX_MEMORY = 100 * SIZE


@pytest.mark.parametrize("shape", SHAPES)
def test_large_file_of_a_hostile_shape_takes_bounded_memory(shape: str) -> None:
    content = SHAPES[shape](SIZE)

    tracemalloc.start()
    try:
        check_document(read_document(content, "a.yaml"))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < MAX_MEMORY


@pytest.mark.parametrize("seed", range(100, 140))
def test_damaged_blueprint_is_read_or_refused(seed: int) -> None:
    generator = random.Random(seed)  # noqa: S311 - a repeatable one
    for content in create_mutations(generator, 500):
        check_document(read_document(content, "a.yaml"))
