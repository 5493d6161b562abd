"""Reads server-sent events as they arrive.

Only what the OpenAI protocols use of the format: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

__all__ = ["EventReader"]


class EventReader:
    """Turns chunks of bytes, cut anywhere, into the data of events."""

    __slots__ = ("_rest", "_searched")

    def __init__(self) -> None:
        self._rest = bytearray()
        self._searched = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take the next bytes and return the data of each event that is now complete.

        Args:
            chunk: Bytes in the order of the stream.
        """
        # Most chunks hold whole events: nothing is copied then.
        if not self._rest and chunk.endswith(b"\n\n"):
            return _read_events(chunk)
        rest = self._rest
        rest += chunk
        # Only what is new is searched, so that a long event in many pieces costs linear time.
        start = max(0, self._searched - 2)
        end = max(rest.rfind(b"\n\n", start), rest.rfind(b"\n\r\n", start) + 1)
        if end <= 0:
            self._searched = len(rest)
            return []
        # The second line break of the two may be one of two bytes.
        end = rest.index(b"\n", end + 1) + 1
        block = bytes(rest[:end])
        del rest[:end]
        self._searched = 0
        return _read_events(block)

    def finish(self) -> list[bytes]:
        """Take the end of the stream, and return the data of the event that was not closed, if there is one.

        Some servers leave out the last empty line.
        """
        block = bytes(self._rest)
        self._rest.clear()
        self._searched = 0
        return _read_events(block)


def _read_events(block: bytes) -> list[bytes]:
    """Return the data of the events in a block of whole lines."""
    if b"\r" in block:
        block = block.replace(b"\r\n", b"\n")
    events = []
    for event in block.split(b"\n\n"):
        if event.startswith(b"data: ") and b"\n" not in event:
            events.append(event[6:])
        elif event:
            data = _read_lines(event)
            if data is not None:
                events.append(data)
    return events


def _read_lines(event: bytes) -> bytes | None:
    lines = []
    for line in event.split(b"\n"):
        name, _, value = line.partition(b":")
        if name == b"data":
            lines.append(value.removeprefix(b" "))
    return b"\n".join(lines) if lines else None
