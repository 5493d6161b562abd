"""The one way in which agents call servers: checked by name and by address, at every redirect, and bounded."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import aiohttp

from agent_factory.core.exceptions import (
    ConfigurationError,
    PermissionDeniedError,
    ToolError,
    ToolOutcomeUnknownError,
    ToolTimeoutError,
)
from agent_factory.core.waiting import is_duration
from agent_factory.integrations.http.bodies import ACCEPTED_ENCODINGS, read_body
from agent_factory.integrations.http.connecting import create_session
from agent_factory.integrations.http.failures import FAULTS, translate
from agent_factory.integrations.http.hiding import Hiding
from agent_factory.integrations.http.messages import SAFE_METHODS, HttpAnswer, HttpRequest
from agent_factory.integrations.http.redirects import Redirect, follow
from agent_factory.integrations.http.resolving import Lookup, find_route, look_up
from agent_factory.integrations.http.urls import HttpUrl, parse_url

if TYPE_CHECKING:
    from agent_factory.core.permissions import Grant

__all__ = ["DEFAULT_MAX_BYTES", "DEFAULT_MAX_REDIRECTS", "DEFAULT_TIMEOUT", "GuardedClient"]

DEFAULT_MAX_BYTES = 1 << 20
DEFAULT_TIMEOUT = 20.0
DEFAULT_MAX_REDIRECTS = 5

_CHARSET = re.compile(r";\s*charset\s*=\s*\"?([A-Za-z0-9._:-]{1,40})", re.IGNORECASE)
_MEDIA_TYPE = re.compile(r"\s*([a-z0-9!#$&^_.+-]{1,127}/[a-z0-9!#$&^_.+-]{1,127})", re.ASCII)


@dataclass(slots=True)
class _Call:
    """What is known of a call so far."""

    hiding: Hiding
    secret_headers: dict[str, str] = field(repr=False)
    sent: bool = False

    def note_sending(self) -> None:
        self.sent = True


class GuardedClient:
    """Calls servers on behalf of an agent.

    Each URL is checked by its host's name, then by every address that the name leads to, and only these addresses are
    connected to. Redirects are followed one by one, each checked in the same way. Nothing is kept between calls, and no proxy
    or credential of the environment is used.

    Args:
        grant: What may be called.
        max_bytes: Bytes of an answer that are read, decompressed; the rest is left out. At least 1.
        timeout: Seconds that a call may take with all its redirects; finite and greater than 0.
        max_redirects: How many redirects are followed; 0 to return them as they are.
        lookup: Finds the addresses of a name; the operating system's way if None.

    Raises:
        ConfigurationError: A number is out of its range.
    """

    __slots__ = ("_grant", "_lookup", "_max_bytes", "_max_redirects", "_timeout")

    def __init__(
        self,
        grant: Grant,
        *,
        max_bytes: int = DEFAULT_MAX_BYTES,
        timeout: float = DEFAULT_TIMEOUT,
        max_redirects: int = DEFAULT_MAX_REDIRECTS,
        lookup: Lookup | None = None,
    ) -> None:
        for name, value, least in (
            ("max_bytes", max_bytes, 1),
            ("max_redirects", max_redirects, 0),
        ):
            if isinstance(value, bool) or value < least:
                raise ConfigurationError(
                    f"GuardedClient.{name} must be a whole number of at least {least}, not {value!r}"
                )
        if not is_duration(timeout):
            raise ConfigurationError(
                f"GuardedClient.timeout must be a finite number of seconds above 0, not {timeout!r}"
            )
        self._grant = grant
        self._max_bytes = max_bytes
        self._timeout = timeout
        self._max_redirects = max_redirects
        self._lookup = look_up if lookup is None else lookup

    async def send(self, request: HttpRequest) -> HttpAnswer:
        """Send a request and return the answer that all redirects end at, whatever its status.

        Args:
            request: The request.

        Raises:
            PermissionDeniedError: The URL, an address of its host, or a redirect is not permitted.
            ToolTimeoutError: There was no whole answer in time.
            ToolOutcomeUnknownError: A request that may have changed something was sent, and then something went wrong.
            ToolError: The URL is not valid, the server cannot be reached, or its answer cannot be read.
        """
        target = parse_url(request.url)
        call = _Call(Hiding(self._grant, request), dict(request.secret_headers))
        if request.secret_query:
            target = replace(target, url=target.url.extend_query(dict(request.secret_query)))
        try:
            async with asyncio.timeout(self._timeout):
                return await self._send(request, target, call)
        except TimeoutError:
            raise ToolTimeoutError(
                f"{target.server} did not answer in full within {self._timeout:g} s. Try later, or ask for less"
            ) from None
        except ToolError as error:
            said = call.hiding.hide(error.message)
            if call.sent and request.method not in SAFE_METHODS:
                raise ToolOutcomeUnknownError(
                    f"{said}. The request was sent before that, so whether it took effect is not known"
                ) from None
            if isinstance(error, PermissionDeniedError):
                raise
            raise ToolError(said, details=error.details) from None

    async def _send(self, request: HttpRequest, target: HttpUrl, call: _Call) -> HttpAnswer:
        step = Redirect(target, request.method, dict(request.headers), request.body)
        left = self._max_redirects
        came_from: HttpUrl | None = None
        while True:
            answer = await self._exchange(step, call, came_from)
            if isinstance(answer, HttpAnswer):
                return answer
            if not left:
                raise ToolError(
                    f"{target.server} redirects more than {self._max_redirects} times. Check the URL"
                )
            left -= 1
            came_from = step.target
            if answer.target.origin != step.target.origin:
                call.secret_headers.clear()
                if call.hiding.has(str(answer.target.url)):
                    raise ToolError(
                        f"{came_from.server} redirects to {answer.target.server} with a secret in the URL: refused"
                    )
            step = answer

    async def _exchange(
        self, step: Redirect, call: _Call, came_from: HttpUrl | None
    ) -> HttpAnswer | Redirect:
        target = step.target
        try:
            route = await find_route(target, self._grant, self._lookup)
        except PermissionDeniedError as error:
            if came_from is None:
                raise
            raise PermissionDeniedError(
                f"{came_from.server} redirects to an address that is {error.message}",
                permission=error.permission,
                target=error.target,
            ) from None
        taken = {name.lower() for name in call.secret_headers}
        headers = {name: value for name, value in step.headers.items() if name.lower() not in taken}
        headers |= call.secret_headers | {"Accept-Encoding": ACCEPTED_ENCODINGS}
        try:
            async with create_session(route, call.note_sending) as session:
                response = await session.request(
                    step.method, target.url, headers=headers, data=step.body, allow_redirects=False
                )
                try:
                    if self._max_redirects:
                        location = response.headers.get("Location")
                        redirect = follow(step, response.status, location)
                        if redirect is not None:
                            return redirect
                    return await self._read(response, target, call)
                finally:
                    response.close()
        except FAULTS as error:
            if isinstance(error, TimeoutError):
                raise
            raise translate(error, target.server) from None

    async def _read(
        self, response: aiohttp.ClientResponse, target: HttpUrl, call: _Call
    ) -> HttpAnswer:
        encoding = ", ".join(response.headers.getall("Content-Encoding", ()))
        body, truncated = await read_body(response.content.iter_any(), encoding, self._max_bytes)
        declared = response.headers.get("Content-Type", "")
        media_type = _MEDIA_TYPE.match(declared.lower())
        charset = _CHARSET.search(declared)
        return HttpAnswer(
            url=call.hiding.hide(str(target.url)),
            status=response.status,
            content_type=media_type[1] if media_type else "",
            charset=charset[1].lower() if charset else None,
            body=call.hiding.hide_bytes(body, truncated=truncated),
            truncated=truncated,
        )
