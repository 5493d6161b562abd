"""Runs llama.cpp in this process, through the optional package ``xllamacpp``."""

from __future__ import annotations

import importlib
import secrets
import tempfile
import threading
import weakref
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol, TypeAlias, cast

from agent_factory.integrations.exceptions import MissingExtraError

__all__ = ["PACKAGE", "Engine", "EngineError", "Job"]

PACKAGE = "xllamacpp"
_INSTALL = "pip install 'afactory-integrations[local]'"
_STOP_SECONDS = 10.0

Receiver: TypeAlias = Callable[[dict[str, Any] | Exception | None], None]
"""Gets each chunk of an answer, then None; or an exception instead of what is left."""


class EngineError(Exception):
    """llama.cpp cannot load the weights."""


class _Server(Protocol):
    def handle_chat_completions(
        self, prompt: Mapping[str, object], callback: Callable[[dict[str, Any]], bool]
    ) -> object: ...


class _Library(Protocol):
    CommonParams: Callable[[], Any]
    Server: Callable[[Any], _Server]


class Job:
    """An answer that is being computed in a thread of its own.

    Args:
        work: Computes it; looks at the event that it gets, to see whether it should stop.
        ended: Called at the end with the job.
    """

    __slots__ = ("_ended", "_stop", "_thread", "_work")

    def __init__(
        self, work: Callable[[threading.Event], None], ended: Callable[[Job], None]
    ) -> None:
        self._work = work
        self._ended = ended
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="agent-factory-llama", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def cancel(self) -> None:
        """Let it end after the token that it is at; returns at once."""
        self._stop.set()

    def wait(self, seconds: float) -> None:
        """Wait until it has ended.

        Args:
            seconds: How long to wait at most.
        """
        self._thread.join(seconds)

    def _run(self) -> None:
        try:
            self._work(self._stop)
        finally:
            self._ended(self)


class Engine:
    """One set of weights in llama.cpp. Loaded at the first job; safe to use from many threads.

    Args:
        weights: The GGUF file.
        context_tokens: Tokens that prompt and answer may have together.
        threads: Threads to compute with; None for llama.cpp's own choice.

    Raises:
        MissingExtraError: ``xllamacpp`` is not installed.
    """

    def __init__(self, weights: Path, *, context_tokens: int, threads: int | None) -> None:
        if find_spec(PACKAGE) is None:
            raise MissingExtraError(
                f"the local model needs the package {PACKAGE!r}: install it with {_INSTALL}",
                package=PACKAGE,
                install=_INSTALL,
            )
        self._weights = weights
        self._context_tokens = context_tokens
        self._threads = threads
        self._lock = threading.Lock()
        self._server: _Server | None = None
        self._jobs: set[Job] = set()
        # Also at the interpreter's exit: a thread that is still inside llama.cpp then aborts the process.
        self._finalizer = weakref.finalize(self, _end_jobs, self._jobs)

    def start(self, body: Mapping[str, object], receive: Receiver) -> Job:
        """Begin to answer.

        Args:
            body: A request of the Chat Completions protocol, for a stream.
            receive: Called in another thread with each part of the answer.
        """

        def work(stop: threading.Event) -> None:
            def take(chunk: dict[str, Any]) -> bool:
                if not stop.is_set():
                    receive(chunk)
                return stop.is_set()

            try:
                server = self._load()
                if not stop.is_set():
                    server.handle_chat_completions(body, take)
            except Exception as error:  # noqa: BLE001 - whoever waits for the answer raises it
                receive(error)
            else:
                receive(None)

        job = Job(work, self._jobs.discard)
        self._jobs.add(job)
        job.start()
        return job

    def close(self) -> None:
        """Cancel what is running and give the memory back; a later job loads the weights again."""
        _end_jobs(self._jobs)
        with self._lock:
            self._server = None

    def _load(self) -> _Server:
        with self._lock:
            if self._server is None:
                self._server = self._create()
            return self._server

    def _create(self) -> _Server:
        library = cast("_Library", importlib.import_module(PACKAGE))
        params = library.CommonParams()
        params.model.path = str(self._weights)
        params.n_ctx = self._context_tokens
        params.n_parallel = 1
        params.use_jinja = True
        params.verbosity = -1
        params.warmup = False
        params.ui = False
        params.endpoint_slots = False
        if self._threads is not None:
            params.cpuparams.n_threads = self._threads
        # The package always opens its HTTP server too. Nobody can reach it: its socket loses its name at once,
        # and it wants a key that nobody has.
        params.api_keys = [secrets.token_urlsafe()]
        with tempfile.TemporaryDirectory(prefix="agent-factory-") as folder:
            params.hostnames = [str(Path(folder, "llama.sock"))]
            try:
                server = library.Server(params)
            except RuntimeError as error:
                raise EngineError(str(error)) from error
            # Ending a server whose loop has not begun waits for ever, so that loop is seen to turn first.
            server.handle_chat_completions(
                {
                    "messages": [{"role": "user", "content": "."}],
                    "max_tokens": 1,
                    "stream": True,
                    "cache_prompt": False,
                },
                lambda _: True,
            )
        return server


def _end_jobs(jobs: set[Job]) -> None:
    running = list(jobs)
    for job in running:
        job.cancel()
    for job in running:
        job.wait(_STOP_SECONDS)
