"""How the bytes of a stream become events, wherever the network cuts them."""

from __future__ import annotations

import itertools

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.integrations.openai.sse import EventReader

LINES = st.sampled_from(
    [b"data: one", b"data:two", b"data: ", b"data", b": note", b"event: x", b"id: 1", b"", b"\xff"]
)
BREAKS = st.sampled_from([b"\n", b"\r\n"])
STREAMS = st.lists(st.tuples(LINES, BREAKS), max_size=30).map(
    lambda lines: b"".join(line + end for line, end in lines)
)


def read_slowly(stream: bytes) -> list[bytes]:
    """Return the data of the events, as the standard says: line by line."""
    found: list[bytes] = []
    data: list[bytes] = []
    for line in [*stream.replace(b"\r\n", b"\n").split(b"\n"), b"", b""]:
        name, _, value = line.partition(b":")
        if not line:
            if data:
                found.append(b"\n".join(data))
            data = []
        elif name == b"data":
            data.append(value.removeprefix(b" "))
    return found


def read(*chunks: bytes) -> list[bytes]:
    """Return the data of the events in a stream that arrives in chunks."""
    reader = EventReader()
    return [data for chunk in chunks for data in reader.feed(chunk)] + reader.finish()


@given(STREAMS, st.lists(st.integers(0, 400), max_size=20))
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_stream_may_be_cut_anywhere(stream: bytes, cuts: list[int]) -> None:
    places = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    chunks = [stream[start:end] for start, end in itertools.pairwise(places)]
    assert read(*chunks) == read_slowly(stream)


@given(STREAMS)
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_stream_may_come_byte_by_byte(stream: bytes) -> None:
    assert read(*(bytes([byte]) for byte in stream)) == read_slowly(stream)


def test_events_are_given_out_as_soon_as_they_are_complete() -> None:
    reader = EventReader()
    assert reader.feed(b"data: 1\n\ndata: 2\n\ndata: 3\n") == [b"1", b"2"]
    assert reader.feed(b"\r") == []
    assert reader.feed(b"\n") == [b"3"]
    assert reader.feed(b"data: 4\r\n\r\n") == [b"4"]
    assert reader.finish() == []
