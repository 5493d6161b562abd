"""A toolset whose tools are those of an MCP server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Self
from weakref import WeakKeyDictionary

from agent_factory.core.exceptions import (
    AgentFactoryError,
    PermissionDeniedError,
    ToolError,
    ToolOutcomeUnknownError,
)
from agent_factory.core.permissions.manifest import Need
from agent_factory.core.schemas import create_schema_tool
from agent_factory.core.tools import Effect, Tool
from agent_factory.core.toolsets import Toolset
from agent_factory.integrations.mcp.connections import Connection, RequestFailedError
from agent_factory.integrations.mcp.results import describe_result
from agent_factory.integrations.mcp.settings import Settings, ToolProgress
from agent_factory.integrations.mcp.words import clean

if TYPE_CHECKING:
    from agent_factory.core.context import RunContext, ToolContext
    from agent_factory.core.models import ToolSpec
    from agent_factory.core.permissions import Grant
    from agent_factory.integrations.mcp.listing import Offer

__all__ = ["McpToolset", "describe_tools"]

_MOST_ERROR = 4000
_NOT_KNOWN = "whether it took effect is not known: find out before anything is repeated"


class _Seat:
    """The connection of one event loop, and the task that opens the next one."""

    def __init__(self) -> None:
        self.connection: Connection | None = None
        self.opening: asyncio.Task[Connection] | None = None
        self.offers: tuple[Offer, ...] | None = None
        self.tools: tuple[Tool[object], ...] = ()


class McpToolset(Toolset[object]):
    """The tools of an MCP server that the permissions name. Made by `create_mcp_toolset`.

    It connects when it is first asked for its tools, and keeps one session in each event loop, which any number of runs
    share. Where the server has ended between two calls, it connects again. ``async with``, or `aclose`, ends the session.

    Args:
        settings: What holds for it.
        grant: What is permitted.
        connect: Makes a connection that is yet to be opened.
    """

    __slots__ = ("_connect", "_grant", "_problems", "_seats", "_settings", "_withheld")

    def __init__(self, settings: Settings, grant: Grant, connect: Callable[[], Connection]) -> None:
        self._settings = settings
        self._grant = grant
        self._connect = connect
        self._seats: WeakKeyDictionary[asyncio.AbstractEventLoop, _Seat] = WeakKeyDictionary()
        self._problems: tuple[str, ...] = ()
        self._withheld: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Name of the toolset."""
        return self._settings.name

    @property
    def problems(self) -> tuple[str, ...]:
        """Why tools of the server cannot be used, as of the last time that they were listed."""
        return self._problems

    @property
    def withheld(self) -> tuple[str, ...]:
        """Names of the tools that the server offers and the permissions do not name, as of the last time."""
        return self._withheld

    async def list_tools(
        self, context: RunContext[object] | None = None
    ) -> tuple[Tool[object], ...]:
        """Return the tools that are permitted; what a run gets stays as it is until its end.

        Args:
            context: The run; None where there is none, as when a lock is written.

        Raises:
            ToolError: The server cannot be reached, or breaks the protocol.
            PermissionDeniedError: The server itself is not permitted.
            MissingExtraError: The SDK is not installed.
        """
        connection = await self._get_connection()
        if connection.stale:
            try:
                await connection.refresh()
            except (RequestFailedError, ToolError) as error:
                raise self._fail(f"its tools cannot be listed: {error}") from None
        del context  # a server's tools are the same for every run
        seat = self._seat()
        offers = connection.listing.offers
        if seat.offers is not offers:
            seat.tools = self._create_tools(offers, connection.listing.problems)
            seat.offers = offers
        return seat.tools

    async def aclose(self) -> None:
        """End the session of this event loop, and the server if it is a program. A later call connects again."""
        seat = self._seats.pop(asyncio.get_running_loop(), None)
        if seat is None:
            return
        if seat.opening is not None:
            seat.opening.cancel()
            await asyncio.wait({seat.opening})
        if seat.connection is not None:
            await seat.connection.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def _seat(self) -> _Seat:
        return self._seats.setdefault(asyncio.get_running_loop(), _Seat())

    async def _get_connection(self) -> Connection:
        seat = self._seat()
        if seat.connection is not None and seat.connection.is_usable:
            return seat.connection
        if seat.opening is None:
            seat.opening = asyncio.create_task(self._open(seat))
            seat.opening.add_done_callback(partial(_forget, seat))
        # Whoever waits may be cancelled; others wait for the same.
        return await asyncio.shield(seat.opening)

    async def _open(self, seat: _Seat) -> Connection:
        if seat.connection is not None:
            seat.connection.retire()
        connection = self._connect()
        try:
            await connection.open()
        except ToolError as error:
            if isinstance(error, PermissionDeniedError):
                raise
            raise self._fail(error.message) from None
        seat.connection = connection
        return connection

    def _fail(self, reason: str) -> ToolError:
        text = clean(self._grant.scrub(reason), _MOST_ERROR)
        return ToolError(f"MCP server {self.name!r}: {text}", details={"toolset": self.name})

    def _create_tools(
        self, offers: tuple[Offer, ...], problems: tuple[str, ...]
    ) -> tuple[Tool[object], ...]:
        settings = self._settings
        found = list(problems)
        permitted: list[Offer] = []
        withheld: list[str] = []
        for offer in offers:
            need = Need("tools", f"{settings.name}/{offer.spec.name}")
            # Without a word: that a server offers more than is wanted is nothing that anybody tried.
            if self._grant.allows(need):
                permitted.append(offer)
            else:
                withheld.append(offer.spec.name)
        known = {offer.spec.name for offer in offers} | {offer.name for offer in offers}
        found += [
            f"'effects' names {name!r}, which the server does not offer"
            for name in settings.effects
            if name not in known
        ]
        self._problems = tuple(self._grant.scrub(item) for item in found)
        self._withheld = tuple(withheld)
        return tuple(map(self._create_tool, permitted))

    def _create_tool(self, offer: Offer) -> Tool[object]:
        settings = self._settings
        effect = settings.effects.get(offer.spec.name) or settings.effects.get(offer.name)
        if effect is None:
            effect = (offer.hinted if settings.trust_hints else None) or "once"
        chosen: Effect = effect

        async def call(context: ToolContext[object], arguments: dict[str, Any]) -> str:
            return await self._call(offer, chosen, context, arguments)

        return create_schema_tool(
            call,
            name=offer.spec.name,
            description=self._grant.scrub(offer.spec.description),
            parameters=offer.spec.parameters,
            effect=chosen,
            timeout=settings.call_timeout,
            max_result_chars=settings.max_result_chars,
        )

    async def _call(
        self, offer: Offer, effect: Effect, context: ToolContext[object], arguments: dict[str, Any]
    ) -> str:
        name = offer.spec.name
        self._grant.check(Need("tools", f"{self.name}/{name}"))
        try:
            result = await self._ask(offer, effect, context, arguments)
        except PermissionDeniedError:
            raise
        except ToolOutcomeUnknownError as error:
            raise ToolOutcomeUnknownError(self._fail(error.message).message, tool=name) from None
        except ToolError as error:
            raise self._fail_call(name, error.message) from None
        except AgentFactoryError as error:  # such as a secret that is not set any more
            raise self._fail_call(name, error.message) from None
        if not hasattr(result, "content"):
            raise self._fail_call(
                name,
                "it asks for more than arguments (a person, a model or folders), which it is not given",
            )
        text = self._grant.scrub(describe_result(result))
        if result.is_error:
            raise ToolError(
                clean(text, _MOST_ERROR) or "the tool failed, and did not say why", tool=name
            )
        return text

    def _fail_call(self, name: str, reason: str) -> ToolError:
        prefix = f"MCP server {self.name!r}: "
        error = ToolError(reason, tool=name) if reason.startswith(prefix) else self._fail(reason)
        return ToolError(error.message, tool=name, details={"toolset": self.name})

    async def _ask(
        self, offer: Offer, effect: Effect, context: ToolContext[object], arguments: dict[str, Any]
    ) -> Any:
        """Call a tool; where the server was gone already, or the call does no harm twice, once more."""
        said = ""
        for _ in range(2):
            connection = await self._get_connection()
            if connection.listing.offers is not self._seat().offers:
                _check_unchanged(offer, connection)
            try:
                return await connection.call(
                    offer.name, arguments, self._create_reporter(offer.spec.name, context)
                )
            except RequestFailedError as error:
                failure, words = error.failure, error.words
            connection.retire()
            if failure.kind == "lost" and effect == "once":
                raise ToolOutcomeUnknownError(f"{failure.message}, and {_NOT_KNOWN}{words}")
            said = f"{failure.message}, and so it did when asked again: try later{words}"
        raise ToolError(said)

    def _create_reporter(
        self, name: str, context: ToolContext[object]
    ) -> Callable[[float, float | None, str | None], Awaitable[None]] | None:
        on_progress = self._settings.on_progress
        if on_progress is None:
            return None

        async def report(done: float, total: float | None, message: str | None) -> None:
            said = self._grant.scrub(clean(message or "", 500))
            on_progress(ToolProgress(name, context.call_id, done, total, said))

        return report


async def describe_tools(toolset: McpToolset) -> list[ToolSpec]:
    """Return what models are told of the tools of a server, by name: what a lock pins.

    Args:
        toolset: The toolset. It connects, if it has not yet.

    Raises:
        ToolError: The server cannot be reached, or breaks the protocol.
        PermissionDeniedError: The server itself is not permitted.
        MissingExtraError: The SDK is not installed.
    """
    return sorted((tool.spec for tool in await toolset.list_tools()), key=lambda spec: spec.name)


def _check_unchanged(offer: Offer, connection: Connection) -> None:
    """Refuse a tool that has become another one since the run was given it."""
    if all(item.name != offer.name or item != offer for item in connection.listing.offers):
        raise ToolError(
            f"the server was started again, and its tool {offer.spec.name!r} is not the same any more: begin a new run"
        )


def _forget(seat: _Seat, opening: asyncio.Task[Connection]) -> None:
    seat.opening = None
    if not opening.cancelled():
        opening.exception()  # fetched: whoever waited for it has been told
