"""What the models behind OpenAI's protocols share: connections, attempts, deadlines, failures."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Self

from agent_factory.core.exceptions import ModelError
from agent_factory.core.models import ModelRequest, ModelResponse
from agent_factory.integrations.openai.attempts import Attempts
from agent_factory.integrations.openai.exchange import MODELS_SECONDS, Exchange
from agent_factory.integrations.openai.folding import take_apart
from agent_factory.integrations.openai.options import (
    check_bound,
    check_extra,
    check_headers,
    check_model,
    check_url,
)
from agent_factory.integrations.openai.retry import RetryPolicy
from agent_factory.integrations.openai.transport import Transport

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping
    from types import TracebackType

    import aiohttp

    from agent_factory.core.models import ModelDelta
    from agent_factory.integrations.openai.folding import Fold
    from agent_factory.integrations.openai.streaming import StreamedAnswer
    from agent_factory.integrations.openai.writing import RequestWriter

__all__ = ["DEFAULT_BASE_URL", "ServerModel"]

DEFAULT_BASE_URL = "https://api.openai.com/v1"
_RETRY = RetryPolicy()
_MEBIBYTE = 1024 * 1024


class ServerModel(ABC):
    """A model behind a server; a subclass says what the protocol looks like.

    The arguments are those of `OpenAIModel`, which explains them.

    Attributes:
        keeps_deadlines: That a call ends within its request's timeout, and at once when it is cancelled; see core's `Model`.
        path: Path of the protocol below the server's address.
        reserved: Fields of a request that the client sets itself.
    """

    keeps_deadlines: ClassVar[bool] = True
    path: ClassVar[str]
    reserved: ClassVar[frozenset[str]]

    def __init__(
        self,
        model: str,
        *,
        api_key: str | None,
        base_url: str = DEFAULT_BASE_URL,
        retry: RetryPolicy = _RETRY,
        max_response_bytes: int = 32 * _MEBIBYTE,
        extra_body: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        proxy: str | None = None,
        connector: Callable[[], aiohttp.BaseConnector] | None = None,
    ) -> None:
        self._model = check_model(model)
        self._extra = self._check_extra(extra_body or {})
        self._retry = retry
        self._transport = Transport(
            model=model,
            base_url=check_url(base_url, "base_url"),
            headers=check_headers(api_key, headers or {}),
            max_bytes=check_bound(max_response_bytes),
            connector=connector,
            proxy=None if proxy is None else str(check_url(proxy, "proxy", secrets=True)),
        )
        self._exchange = Exchange(
            self._transport, model, self.path, self._decode, self._create_fold, api_key
        )
        self._writer = self._create_writer()
        # Models with other options, or of other servers, may take part in the same run.
        self._memo_key = (type(self), self)

    @property
    def name(self) -> str:
        """Name for people and records, ``openai:`` and the server's name of the model."""
        return f"openai:{self._model}"

    @property
    def base_url(self) -> str:
        """Address of the server, without query."""
        return self._transport.server

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._model!r}, base_url={self.base_url!r})"

    async def __aenter__(self) -> Self:
        """Return the model itself."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the running loop's connections."""
        await self.aclose()

    async def aclose(self) -> None:
        """Close the running loop's connections; a later call opens new ones."""
        await self._transport.close()

    async def respond(self, request: ModelRequest) -> ModelResponse:
        """Answer a request as a whole.

        Args:
            request: What the agent asks; its timeout bounds all attempts together.

        Returns:
            The answer.

        Raises:
            ModelError: The call failed, also after the allowed retries; the subclass says how.
        """
        attempts = Attempts(self._retry, request, self.name)
        adapted = False
        while True:
            body = self._writer.write(request, self._memo_key, streaming=False)
            try:
                return await self._exchange.respond(body, attempts)
            except ModelError as error:
                attempts.note(error)
                if not adapted and self._adapt(error):
                    adapted = True
                elif not await attempts.wait(error):
                    raise

    async def stream(
        self, request: ModelRequest
    ) -> AsyncGenerator[ModelDelta | ModelResponse, None]:
        """Answer a request piece by piece. Nothing is repeated once a piece has been given out.

        Args:
            request: What the agent asks; its timeout bounds all attempts together.

        Yields:
            Text and thoughts as they arrive, then, as the last item, the whole response.

        Raises:
            ModelError: The call failed; the subclass says how.
        """
        attempts = Attempts(self._retry, request, self.name)
        exchange = self._exchange
        adapted = False
        whole: ModelResponse | None = None
        while whole is None:
            body = self._writer.write(request, self._memo_key, streaming=True)
            answer: StreamedAnswer | None = None
            begun = False
            try:
                opened = await exchange.open(body, attempts)
                if isinstance(opened, ModelResponse):
                    whole = opened
                    for delta in take_apart(whole):
                        yield delta
                else:
                    answer = opened
                    while (deltas := await exchange.read(answer, attempts)) is not None:
                        if deltas and not begun:
                            begun = True
                            answer.give_up_at(attempts.deadline)
                        for delta in deltas:
                            yield delta
                    whole = await exchange.finish(answer)
            except ModelError as error:
                if answer is not None:
                    # Before the pause: nobody needs the connection meanwhile.
                    answer.close()
                attempts.note(error, begun=begun)
                if not adapted and self._adapt(error):
                    adapted = True
                elif begun or not await attempts.wait(error):
                    raise
            finally:
                if answer is not None:
                    answer.close()
        yield whole

    async def list_models(self) -> tuple[str, ...]:
        """Return the names of the models that the server offers, sorted.

        Raises:
            ModelError: The call failed, or took longer than 10 seconds; the subclass says how.
        """
        deadline = asyncio.get_running_loop().time() + MODELS_SECONDS
        return await self._exchange.list_models(deadline)

    def _check_extra(self, extra: Mapping[str, object]) -> dict[str, object]:
        """Return the further fields of each request, once they are known to be good."""
        return check_extra(extra, self.reserved)

    @abstractmethod
    def _create_writer(self) -> RequestWriter:
        """Return what writes the requests."""

    @abstractmethod
    def _decode(self, body: dict[str, Any]) -> ModelResponse:
        """Return the response that a whole answer holds; raises as a fold does."""

    @abstractmethod
    def _create_fold(self) -> Fold:
        """Return what puts the pieces of a streamed answer together."""

    def _adapt(self, _error: ModelError) -> bool:
        """Return whether requests are written differently from now on, so that this error does not come again."""
        return False
