"""Reads server-sent events as they arrive.

Only what the OpenAI protocols use of the format: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["EventReader"]


class EventReader:
    """Turns chunks of bytes, cut anywhere, into the data of events."""

    __slots__ = ("_data", "_rest")

    def __init__(self) -> None:
        self._rest: list[bytes] = []
        self._data: list[bytes] = []

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Take the next bytes.

        Args:
            chunk: Bytes in the order of the stream.

        Yields:
            The data of each event that is now complete.
        """
        # Pieces of an unfinished line are joined once, so that a long line costs linear time.
        *lines, rest = chunk.split(b"\n")
        for line in lines:
            self._rest.append(line)
            whole = b"".join(self._rest)
            self._rest.clear()
            data = self._take(whole.removesuffix(b"\r"))
            if data is not None:
                yield data
        if rest:
            self._rest.append(rest)

    def finish(self) -> Iterator[bytes]:
        """Take the end of the stream; some servers leave out the last empty line.

        Yields:
            The data of the event that was not closed, if there is one.
        """
        yield from self.feed(b"\n\n")

    def _take(self, line: bytes) -> bytes | None:
        if not line:
            data = b"\n".join(self._data) if self._data else None
            self._data.clear()
            return data
        name, _, value = line.partition(b":")
        if name == b"data":
            self._data.append(value.removeprefix(b" "))
        return None
