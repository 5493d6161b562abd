from __future__ import annotations

import time
import uuid
from unittest import mock

from agent_factory.core.identifiers import create_run_id


def test_identifier_is_a_canonical_uuid_of_version_7() -> None:
    for _ in range(200):
        text = create_run_id()
        parsed = uuid.UUID(text)
        assert (parsed.version, parsed.variant, str(parsed)) == (7, uuid.RFC_4122, text)


def test_identifier_starts_with_the_milliseconds_of_its_creation() -> None:
    with mock.patch.object(time, "time_ns", return_value=1_700_000_000_123_456_789):
        parsed = uuid.UUID(create_run_id())

    assert parsed.int >> 80 == 1_700_000_000_123


def test_identifiers_sort_by_their_time_of_creation() -> None:
    made = []
    for milliseconds in (1, 2, 1_000, 1_700_000_000_000, 1_700_000_000_001, (1 << 48) - 1):
        with mock.patch.object(time, "time_ns", return_value=milliseconds * 1_000_000):
            made.append(create_run_id())

    assert made == sorted(made)


def test_identifiers_of_one_moment_differ() -> None:
    with mock.patch.object(time, "time_ns", return_value=1_700_000_000_000_000_000):
        assert len({create_run_id() for _ in range(1000)}) == 1000
