"""One session with a server, owned by one task of one event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from agent_factory.core.exceptions import AgentFactoryError, ToolError
from agent_factory.integrations.mcp.links import Failure, Link, OpenLink
from agent_factory.integrations.mcp.listing import MAX_PAGES, MAX_TOOLS, Listing, read_listing
from agent_factory.integrations.mcp.sifting import Sieve, explain_invalid

if TYPE_CHECKING:
    from agent_factory.integrations.mcp.sdk import Sdk
    from agent_factory.integrations.mcp.words import LastWords

__all__ = ["Connection", "RequestFailedError"]

_CLOSE_SECONDS = 5.0
# What the SDK says where a server's answer did not come to its end, or is none.
_CUT_OFF = (
    "Connection closed",
    "Failed to parse",
    "SSE stream",
    "Server returned an error response",
    "Unexpected content type",
    "server answered a request with 202",
)

Progress = Callable[[float, "float | None", "str | None"], Awaitable[None]]


class RequestFailedError(Exception):
    """A request got no answer from the server.

    Args:
        failure: Why.
        words: The end of a message that quotes what the server said last; empty if it said nothing.
    """

    def __init__(self, failure: Failure, words: str = "") -> None:
        super().__init__(f"{failure.message}{words}")
        self.failure = failure
        self.words = words


class Connection:
    """One session with a server.

    The task that enters the session's contexts is the one that leaves them, as the SDK needs it; requests are made from
    any task of the same event loop.

    Args:
        open_link: Opens the way to the server.
        sdk: The SDK.
        words: Gets what the server logs.
        timeout: Seconds that connecting may take, the list of tools included.

    Attributes:
        listing: The tools that the server offered last.
        stale: Whether the server said that its tools have changed.
    """

    def __init__(self, open_link: OpenLink, sdk: Sdk, words: LastWords, timeout: float) -> None:
        self.listing = Listing((), ())
        self.stale = False
        self._open_link = open_link
        self._sdk = sdk
        self._words = words
        self._timeout = timeout
        self._sieve = Sieve(sdk)
        self._session: Any = None
        self._link: Link | None = None
        self._owner: asyncio.Task[None] | None = None
        self._leave = asyncio.Event()
        self._reason = ""
        self._active = 0
        self._retired = False

    @property
    def is_usable(self) -> bool:
        """Whether requests can be made."""
        return self._session is not None and not self._leave.is_set() and not self._retired

    async def open(self) -> None:
        """Connect, and read the list of tools.

        Raises:
            AgentFactoryError: It cannot be had; the message says why, and what the server said last.
        """
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._owner = asyncio.create_task(self._own(ready))
        try:
            await asyncio.wait({ready}, timeout=self._timeout)
            if not ready.done():
                raise ToolError(f"it did not answer within {self._timeout:g} s{self._words.tell()}")
            ready.result()
        except BaseException:
            if ready.done() and not ready.cancelled():
                ready.exception()  # fetched, so that asyncio does not report it as lost
            await self.close()
            raise

    async def close(self) -> None:
        """Leave the session; what is waited for in it fails. Takes a bounded time."""
        self._leave.set()
        owner = self._owner
        if owner is None or owner.done():
            return
        if self._session is None:
            owner.cancel()
        await asyncio.wait({owner}, timeout=_CLOSE_SECONDS)
        if not owner.done():
            owner.cancel()
            await asyncio.wait({owner}, timeout=_CLOSE_SECONDS)

    def retire(self) -> None:
        """Take no more requests, and close once those that are under way have ended."""
        self._retired = True
        if not self._active:
            self._leave.set()

    async def refresh(self) -> None:
        """Read the list of tools again.

        Raises:
            RequestFailedError: The server gave none.
            ToolError: It refused.
        """
        self.stale = False
        try:
            self.listing = await self._request(lambda: self._read_tools(self._session))
        except BaseException:
            self.stale = True
            raise

    async def call(self, name: str, arguments: dict[str, Any], on_progress: Progress | None) -> Any:
        """Call a tool.

        Args:
            name: Name of the tool on the server.
            arguments: Its arguments.
            on_progress: Told of what the server reports meanwhile.

        Returns:
            The SDK's ``CallToolResult`` or ``InputRequiredResult``.

        Raises:
            RequestFailedError: There is no answer of the server.
            ToolError: The server refused.
        """
        types, session = self._sdk.types, self._session
        request = types.CallToolRequest(
            params=types.CallToolRequestParams(name=name, arguments=arguments)
        )
        # Not the session's own `call_tool`, which would compile whatever schema the server sent for its results.
        return await self._request(
            lambda: session.send_request(
                request, _create_result_adapter(types), progress_callback=on_progress
            )
        )

    async def _request(self, send: Callable[[], Awaitable[Any]]) -> Any:
        if not self.is_usable:
            raise RequestFailedError(Failure("unsent", "the connection has ended"))
        anyio = self._sdk.anyio
        self._active += 1
        try:
            return await send()
        except self._sdk.errors.MCPError as error:
            raise self._translate(error) from None
        except (anyio.ClosedResourceError, anyio.BrokenResourceError):
            raise self._explain_end() from None
        except ValueError as error:  # pydantic's, of what is no result of this request
            raise RequestFailedError(
                Failure("lost", f"the answer cannot be used: {explain_invalid(error)}")
            ) from None
        finally:
            self._active -= 1
            if self._retired and not self._active:
                self._leave.set()

    def _translate(self, error: Any) -> ToolError | RequestFailedError:
        failure = None if self._link is None else self._link.find_failure(error.data)
        if failure is not None:
            if failure.kind == "refused":
                return ToolError(failure.message)
            return RequestFailedError(failure)
        if self._leave.is_set() or self._session is None:
            return self._explain_end()
        if error.message.startswith(_CUT_OFF):
            return RequestFailedError(
                Failure("lost", "the server's answer was cut off, or cannot be read")
            )
        return ToolError(f"the server refused the request: {error.message}")

    def _explain_end(self) -> RequestFailedError:
        reason = self._reason or "the connection was closed"
        return RequestFailedError(Failure("lost", reason), self._words.tell())

    async def _own(self, ready: asyncio.Future[None]) -> None:
        """Hold the session until it is to be left, or the server is gone."""
        try:
            async with self._open_link(self._end) as link:
                self._link = link
                session_type = self._sdk.session.ClientSession
                passing, read = self._sdk.anyio.create_memory_object_stream(0)
                relay = asyncio.create_task(self._sieve.run(link.read, passing))
                async with (
                    _ending(relay),
                    session_type(
                        read,
                        link.write,
                        logging_callback=self._take_log,
                        message_handler=self._take_notice,
                        client_info=self._sdk.types.Implementation(
                            name="agent-factory", version="1"
                        ),
                    ) as session,
                ):
                    await _negotiate(session, self._sdk)
                    self._sieve.version = session.protocol_version
                    self.listing = await self._read_tools(session)
                    self._session = session
                    if not ready.done():
                        ready.set_result(None)
                    await self._leave.wait()
        except asyncio.CancelledError:
            if not ready.done():
                ready.set_exception(ToolError(f"connecting was cancelled{self._words.tell()}"))
            raise
        except BaseException as error:  # noqa: BLE001 - of a task that nobody awaits
            if not ready.done():
                ready.set_exception(self._explain(error))
            self._reason = self._reason or "the connection to the server broke"
        finally:
            self._session = None
            self._leave.set()

    def _end(self, reason: str) -> None:
        self._reason = self._reason or reason
        self._leave.set()

    def _explain(self, error: BaseException) -> AgentFactoryError:
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        if isinstance(error, AgentFactoryError):
            return error
        if isinstance(error, self._sdk.errors.MCPError):
            translated = self._translate(error)
            if isinstance(translated, ToolError):
                return translated
            return ToolError(str(translated) or "it refused")
        if isinstance(error, ValueError):
            return ToolError(
                f"its list of tools cannot be used: {explain_invalid(error)}{self._words.tell()}"
            )
        said = str(error).partition("\n")[0][:300]
        return ToolError(f"{type(error).__name__}: {said}{self._words.tell()}")

    async def _read_tools(self, session: Any) -> Listing:
        tools: list[Any] = []
        cursor: str | None = None
        seen: set[str] = set()
        problems = self._sieve.problems = []
        for _ in range(MAX_PAGES):
            params = self._sdk.types.PaginatedRequestParams(cursor=cursor)
            page = await session.list_tools(params=params)
            tools += page.tools
            cursor = page.next_cursor
            if not cursor or len(tools) > MAX_TOOLS:
                break
            if cursor in seen:
                problems.append("the server's list of tools leads in a circle: it is read once")
                break
            seen.add(cursor)
        else:
            problems.append(
                f"the server's list of tools has more than {MAX_PAGES} pages: the rest is left out"
            )
        listing = read_listing(tools)
        return Listing(listing.offers, (*listing.problems, *problems))

    async def _take_log(self, params: Any) -> None:
        self._words.add(f"{params.level}: {str(params.data)[:500]}")

    async def _take_notice(self, message: Any) -> None:
        if isinstance(message, self._sdk.types.ToolListChangedNotification):
            self.stale = True


@asynccontextmanager
async def _ending(task: asyncio.Task[None]) -> AsyncIterator[None]:
    """End a task at the end."""
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


async def _negotiate(session: Any, sdk: Sdk) -> None:
    """Agree with the server on a version of the protocol: the one without a handshake, or one with it."""
    unsupported = sdk.types.UNSUPPORTED_PROTOCOL_VERSION
    with suppress(sdk.errors.MCPError, RuntimeError, ValueError):
        await session.discover()
        return
    try:
        await session.initialize()
    except sdk.errors.MCPError as error:
        if error.code != unsupported:
            raise
        # It was slow to start, and has answered the first question meanwhile.
        await session.discover()


def _create_result_adapter(types: Any) -> Any:
    from pydantic import TypeAdapter

    global _ADAPTER  # noqa: PLW0603 - built once: it costs more than a call
    if _ADAPTER is None:
        _ADAPTER = TypeAdapter(types.CallToolResult | types.InputRequiredResult)
    return _ADAPTER


_ADAPTER: Any = None
