"""Where the test server listens: a free port of this machine, or a Unix socket."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

from aiohttp import web

from agent_factory.integrations.exceptions import IntegrationConfigurationError

__all__ = ["Listener"]

_STOP_SECONDS: Final = 0.1


class Listener:
    """Runs an application until it is closed.

    Args:
        unix: Whether to listen on a Unix socket instead of a port of 127.0.0.1.
    """

    __slots__ = ("_folder", "_runner", "_unix", "_url")

    def __init__(self, *, unix: bool) -> None:
        self._unix = unix
        self._url = ""
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Address without path.

        Raises:
            IntegrationConfigurationError: Nothing runs.
        """
        if self._runner is None:
            raise IntegrationConfigurationError(
                "the server does not run: use it in 'async with OpenAIServer(...) as server'"
            )
        return self._url

    @property
    def path(self) -> str:
        """Path of the Unix socket.

        Raises:
            IntegrationConfigurationError: Nothing runs, or it listens on a port.
        """
        if self.url and self._folder is None:
            raise IntegrationConfigurationError(
                "the server listens on a port: make it with unix=True to have a path"
            )
        return str(Path(self._folder.name, "s")) if self._folder else ""

    async def open(self, app: web.Application) -> None:
        """Start to listen.

        Args:
            app: What answers.
        """
        runner = web.AppRunner(
            app, handler_cancellation=True, shutdown_timeout=_STOP_SECONDS, access_log=None
        )
        await runner.setup()
        self._runner = runner
        if self._unix:
            # A folder of its own, in the system's: the path of a Unix socket has to be short.
            self._folder = tempfile.TemporaryDirectory()
            self._url = "http://server.test"
            await web.UnixSite(runner, self.path).start()
        else:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self._url = f"http://127.0.0.1:{runner.addresses[0][1]}"

    async def close(self) -> None:
        """Stop, and break what is still going on."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None
