"""Bodies of answers: as many of their bytes as are wanted, decompressed, and not one more."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from agent_factory.core.exceptions import ToolError

if TYPE_CHECKING:
    from collections.abc import AsyncIterable

__all__ = ["ACCEPTED_ENCODINGS", "read_body"]

ACCEPTED_ENCODINGS = "gzip, deflate"
"""What a server is told that it may compress with."""

_MAX_MEMBERS = 64


async def read_body(
    chunks: AsyncIterable[bytes], encoding: str, max_bytes: int
) -> tuple[bytes, bool]:
    """Return the first bytes of a body, and whether there are more.

    Nothing beyond them is decompressed, however small it was made.

    Args:
        chunks: The body as it arrives.
        encoding: How it is compressed, as in the header ``Content-Encoding``; empty if it is not.
        max_bytes: How many bytes to return at most.

    Raises:
        ToolError: It is compressed in another way than was asked for, or broken.
    """
    decoder = _create_decoder(encoding)
    parts: list[bytes] = []
    left = max_bytes
    async for chunk in chunks:
        decoded = decoder.decode(chunk, left + 1)
        if len(decoded) > left:
            parts.append(decoded[:left])
            return b"".join(parts), True
        parts.append(decoded)
        left -= len(decoded)
    if not decoder.complete:
        raise ToolError(f"the answer's {encoding} data end too early. Try again")
    return b"".join(parts), False


class _Plain:
    complete = True

    def decode(self, chunk: bytes, most: int) -> bytes:
        return chunk[:most]


class _Inflating:
    """Decompresses what arrives, up to a number of bytes."""

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._gzip = encoding != "deflate"
        self._decompressor: zlib._Decompress | None = None
        self._members = 0

    @property
    def complete(self) -> bool:
        # A server may send no body at all.
        return self._decompressor is None or self._decompressor.eof

    def decode(self, chunk: bytes, most: int) -> bytes:
        parts: list[bytes] = []
        while chunk and most > 0:
            if self._decompressor is None or self._decompressor.eof:
                if self._members and (not self._gzip or not chunk.startswith(b"\x1f")):
                    break  # what comes behind the data is no part of them
                self._members += 1
                if self._members > _MAX_MEMBERS:
                    raise ToolError("the answer's gzip data have too many parts: it cannot be read")
                self._decompressor = self._create(chunk)
            try:
                part = self._decompressor.decompress(chunk, most)
            except zlib.error:
                raise ToolError(
                    f"the answer's {self._encoding} data are broken: it cannot be read"
                ) from None
            parts.append(part)
            most -= len(part)
            chunk = self._decompressor.unused_data or self._decompressor.unconsumed_tail
        return b"".join(parts)

    def _create(self, chunk: bytes) -> zlib._Decompress:
        if self._gzip:
            return zlib.decompressobj(16 + zlib.MAX_WBITS)
        # Some servers leave out the header that RFC 9110 asks for.
        bare = chunk[0] & 0x0F != 8
        return zlib.decompressobj(-zlib.MAX_WBITS if bare else zlib.MAX_WBITS)


def _create_decoder(encoding: str) -> _Plain | _Inflating:
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return _Plain()
    if name in ("gzip", "x-gzip", "deflate"):
        return _Inflating(name)
    raise ToolError(
        f"the answer is compressed with {encoding[:40]!r}, which was not asked for: it cannot be read"
    )
