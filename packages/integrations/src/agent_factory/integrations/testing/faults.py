"""What can go wrong between a server and its client, on purpose."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aiohttp import web

from agent_factory.integrations.exceptions import IntegrationConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["NO_FAULT", "Fault", "send"]

_NO_TEXT: Final = b"\xff\xfe"
_BLOCK: Final = 65536


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with one answer; the faults of one answer add up.

    Attributes:
        status: HTTP status of an error that is answered in place of what the script holds, which stays for the next
            request; 0 for none.
        retry_after: Seconds that such an error asks to wait.
        delay: Seconds before the answer begins; ``math.inf`` for never.
        cut_after: Bytes of the body after which the connection breaks; 0 breaks it before the answer. None for never.
        duplicate: Whether each event of a stream comes twice.
        invalid_utf8: Whether the middle of the body holds bytes that are no text.
        bytes_at_a_time: Bytes that are sent at a time; 0 for an event, or the whole body.
        pause: Seconds between those.
        endless: Whether the body never ends: a stream repeats an event in its middle, JSON begins with blanks that
            do not stop.

    Raises:
        IntegrationConfigurationError: A value is out of its range.
    """

    status: int = 0
    retry_after: float | None = None
    delay: float = 0.0
    cut_after: int | None = None
    duplicate: bool = False
    invalid_utf8: bool = False
    bytes_at_a_time: int = 0
    pause: float = 0.0
    endless: bool = False

    def __post_init__(self) -> None:
        """Check the ranges."""
        if self.status and not 400 <= self.status < 600:
            raise IntegrationConfigurationError(
                f"Fault.status must be an HTTP status from 400 to 599, or 0, not {self.status!r}"
            )
        for name in ("delay", "pause", "bytes_at_a_time", "cut_after"):
            value = getattr(self, name)
            if value is not None and not value >= 0:
                raise IntegrationConfigurationError(
                    f"Fault.{name} must be 0 or more, not {value!r}"
                )
        if not math.isfinite(self.pause):
            raise IntegrationConfigurationError(
                "Fault.pause must be finite: a delay of math.inf, or a cut, ends an answer early"
            )

    def distort(self, parts: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the bytes of a body, as they are sent.

        Args:
            parts: The events of a stream, or the whole body as the only part.
        """
        known = [part for part in parts for _ in range(1 + (self.duplicate and _is_event(part)))]
        middle = len(known) // 2
        if self.invalid_utf8:
            known[middle] = _spoil(known[middle])
        if self.endless:
            stream = _is_event(known[0])
            again = known[middle] if stream else b" " * _BLOCK
            ahead = known[: middle + 1] if stream else []
            yield from self._cut(ahead)
            while True:
                yield from self._cut([again])
        yield from self._cut(known)

    def _cut(self, parts: list[bytes]) -> Iterator[bytes]:
        size = self.bytes_at_a_time
        for part in parts:
            for at in range(0, len(part), size or len(part) or 1):
                yield part[at : at + (size or len(part))]


NO_FAULT: Final = Fault()
"""Nothing goes wrong."""


async def send(
    request: web.Request,
    fault: Fault,
    parts: Iterable[bytes],
    *,
    status: int = 200,
    headers: Mapping[str, str],
) -> web.StreamResponse:
    """Send an answer, with whatever is to go wrong with it.

    Args:
        request: The request that is answered.
        fault: What is to go wrong.
        parts: The events of a stream, or the whole body as the only part.
        status: HTTP status.
        headers: Headers, the content type among them.
    """
    if fault.delay == math.inf:
        await asyncio.Event().wait()
    elif fault.delay:
        await asyncio.sleep(fault.delay)
    left = math.inf if fault.cut_after is None else fault.cut_after
    response = web.StreamResponse(status=status, headers=headers)
    known = list(parts)
    if left == 0:
        return _break(request, response)
    if len(known) == 1 and not fault.endless and not fault.invalid_utf8:
        response.content_length = len(known[0])
    await response.prepare(request)
    for data in fault.distort(known):
        await response.write(data[: int(min(left, len(data)))])
        left -= len(data)
        if left <= 0:
            return _break(request, response)
        if fault.pause:
            await asyncio.sleep(fault.pause)
    await response.write_eof()
    return response


def _break(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    if request.transport is not None:
        # Closed, not aborted: what was written until now still arrives.
        request.transport.close()
    return response


def _is_event(part: bytes) -> bool:
    return part.startswith((b"data:", b"event:")) and b"[DONE]" not in part


def _spoil(part: bytes) -> bytes:
    middle = part.rfind(b'"') if b'"' in part else len(part) // 2
    return part[:middle] + _NO_TEXT + part[middle:]
