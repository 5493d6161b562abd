from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator, Callable, Iterable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.core.exceptions import ToolError
from agent_factory.integrations.http.bodies import read_body

quick = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def read(chunks: Iterable[bytes], encoding: str = "", max_bytes: int = 1000) -> tuple[bytes, bool]:
    async def pour() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    return asyncio.run(read_body(pour(), encoding, max_bytes))


def deflate_bare(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(data) + compressor.flush()


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("", b"hello"),
        ("identity", b"hello"),
        ("gzip", gzip.compress(b"hello")),
        ("X-GZIP", gzip.compress(b"hello")),
        ("gzip", gzip.compress(b"hel") + gzip.compress(b"lo")),
        ("gzip", gzip.compress(b"hello") + b"\0\0\0"),
        ("deflate", zlib.compress(b"hello")),
        ("deflate", deflate_bare(b"hello")),
    ],
)
def test_a_body_is_decompressed(encoding: str, data: bytes) -> None:
    assert read([data], encoding) == (b"hello", False)
    assert read([data[i : i + 1] for i in range(len(data))], encoding) == (b"hello", False)


def test_no_more_of_a_bomb_is_decompressed_than_wanted() -> None:
    bomb = gzip.compress(bytes(20_000_000))
    assert read([bomb], "gzip", 100) == (bytes(100), True)


def test_a_body_of_just_the_bound_is_whole() -> None:
    assert read([b"12345", b"67890"], max_bytes=10) == (b"1234567890", False)
    assert read([b"12345", b"678901"], max_bytes=10) == (b"1234567890", True)


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "compress"])
def test_another_encoding_than_asked_for_is_refused(encoding: str) -> None:
    with pytest.raises(ToolError, match="not asked for"):
        read([b"x"], encoding)


def test_broken_data_are_refused() -> None:
    with pytest.raises(ToolError, match="broken"):
        read([b"\x1f\x8b nonsense nonsense"], "gzip")
    with pytest.raises(ToolError, match="too early"):
        read([gzip.compress(b"hello")[:-6]], "gzip")


def test_too_many_parts_are_refused() -> None:
    with pytest.raises(ToolError, match="too many parts"):
        read([gzip.compress(b"") * 100], "gzip")


@quick
@given(
    st.binary(max_size=3000),
    st.integers(1, 3000),
    st.integers(1, 400),
    st.sampled_from(["gzip", "deflate", ""]),
)
def test_the_first_bytes_come_back_however_they_arrive(
    data: bytes, most: int, size: int, encoding: str
) -> None:
    pack: dict[str, Callable[[bytes], bytes]] = {
        "gzip": gzip.compress,
        "deflate": zlib.compress,
        "": bytes,
    }
    packed = pack[encoding](data)
    pieces = [packed[i : i + size] for i in range(0, len(packed), size)]
    assert read(pieces, encoding, most) == (data[:most], len(data) > most)
