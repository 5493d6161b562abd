"""What the models behind OpenAI's protocols share: connections, attempts, deadlines, failures."""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, ClassVar, Self

from agent_factory.core.exceptions import ModelError, ModelResponseError
from agent_factory.core.models import ModelRequest, ModelResponse, TextDelta
from agent_factory.integrations.openai.decoding import decode_models
from agent_factory.integrations.openai.failures import read_failure, read_status, to_error
from agent_factory.integrations.openai.fields import ProtocolError, ReportedError, decode_json
from agent_factory.integrations.openai.options import (
    check_bound,
    check_extra,
    check_headers,
    check_model,
    check_url,
)
from agent_factory.integrations.openai.retry import RetryPolicy, read_retry_after
from agent_factory.integrations.openai.sse import EventReader
from agent_factory.integrations.openai.transport import Transport

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping
    from types import TracebackType

    import aiohttp

    from agent_factory.integrations.openai.folding import Fold

__all__ = ["DEFAULT_BASE_URL", "ServerModel"]

DEFAULT_BASE_URL = "https://api.openai.com/v1"
_MODELS_SECONDS = 10.0
_RETRY = RetryPolicy()
_MEBIBYTE = 1024 * 1024


class ServerModel(ABC):
    """A model behind a server; a subclass says what the protocol looks like.

    The arguments are those of `OpenAIModel`, which explains them.

    Attributes:
        path: Path of the protocol below the server's address.
        reserved: Fields of a request that the client sets itself.
    """

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
        self._key = api_key
        self._retry = retry
        self._transport = Transport(
            model=model,
            base_url=check_url(base_url, "base_url"),
            headers=check_headers(api_key, headers or {}),
            max_bytes=check_bound(max_response_bytes),
            connector=connector,
            proxy=None if proxy is None else str(check_url(proxy, "proxy", secrets=True)),
        )

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
        async with aclosing(self._attempts(request, streaming=False)) as items:
            async for item in items:
                if isinstance(item, ModelResponse):
                    return item
        raise AssertionError("an attempt that does not fail ends with a response")

    async def stream(
        self, request: ModelRequest
    ) -> AsyncGenerator[TextDelta | ModelResponse, None]:
        """Answer a request piece by piece. Nothing is repeated once a piece has been given out.

        Args:
            request: What the agent asks; its timeout bounds all attempts together.

        Yields:
            Text as it arrives, then, as the last item, the whole response.

        Raises:
            ModelError: The call failed; the subclass says how.
        """
        async with aclosing(self._attempts(request, streaming=True)) as items:
            async for item in items:
                yield item

    async def list_models(self) -> tuple[str, ...]:
        """Return the names of the models that the server offers, sorted.

        Raises:
            ModelError: The call failed, or took longer than 10 seconds; the subclass says how.
        """
        return await self._list_models(asyncio.get_running_loop().time() + _MODELS_SECONDS)

    def _check_extra(self, extra: Mapping[str, object]) -> dict[str, object]:
        """Return the further fields of each request, once they are known to be good."""
        return check_extra(extra, self.reserved)

    @abstractmethod
    def _encode(self, request: ModelRequest, *, streaming: bool) -> bytes:
        """Return the body of a request."""

    @abstractmethod
    def _decode(self, body: dict[str, Any]) -> ModelResponse:
        """Return the response that a whole answer holds; raises as a fold does."""

    @abstractmethod
    def _create_fold(self) -> Fold:
        """Return what puts the pieces of a streamed answer together."""

    async def _list_models(self, deadline: float) -> tuple[str, ...]:
        async with self._transport.request("GET", "models", None, deadline) as response:
            data = await self._transport.read(response, deadline)
        if response.status != 200:
            raise self._refusal(response, data)
        try:
            return decode_models(decode_json(data))
        except ProtocolError as error:
            raise self._nonsense(error) from None
        except ReportedError as failure:
            raise self._refusal(response, failure.body) from None

    async def _attempts(
        self, request: ModelRequest, *, streaming: bool
    ) -> AsyncGenerator[TextDelta | ModelResponse, None]:
        clock = asyncio.get_running_loop().time
        deadline = clock() + request.timeout
        body = self._encode(request, streaming=streaming)
        retries = 0
        while True:
            given = False
            try:
                async with aclosing(self._attempt(body, deadline)) as items:
                    async for item in items:
                        given = True
                        yield item
                return
            except ModelError as error:
                error.details["attempts"] = retries + 1
                pause = self._retry.pause(error, retries)
                if given or pause is None or pause >= deadline - clock():
                    raise
            retries += 1
            await asyncio.sleep(pause)

    async def _attempt(
        self, body: bytes, deadline: float
    ) -> AsyncGenerator[TextDelta | ModelResponse, None]:
        transport = self._transport
        async with transport.request("POST", self.path, body, deadline) as response:
            if response.status != 200:
                data = await transport.read(response, deadline)
                offered = await self._offered(deadline) if response.status == 404 else None
                raise self._refusal(response, data, offered)
            try:
                # Decided by what came: some servers answer a request for a stream with a whole.
                if response.content_type == "text/event-stream":
                    async with aclosing(self._events(response, deadline)) as items:
                        async for item in items:
                            yield item
                    return
                data = await transport.read(response, deadline)
                whole = self._decode(decode_json(data))
            except ProtocolError as error:
                raise self._nonsense(error) from None
            except ReportedError as failure:
                raise self._refusal(response, failure.body) from None
        if whole.message.text:
            yield TextDelta(whole.message.text)
        yield whole

    async def _events(
        self, response: aiohttp.ClientResponse, deadline: float
    ) -> AsyncGenerator[TextDelta | ModelResponse, None]:
        fold = self._create_fold()
        async with aclosing(self._data(response, deadline)) as items:
            async for data in items:
                if data == b"[DONE]":
                    await self._transport.drain(response)
                    break
                text = fold.add_chunk(decode_json(data))
                if text:
                    yield TextDelta(text)
                if fold.ended:
                    await self._transport.drain(response)
                    break
        yield fold.finished()

    async def _data(
        self, response: aiohttp.ClientResponse, deadline: float
    ) -> AsyncGenerator[bytes, None]:
        reader = EventReader()
        async with aclosing(self._transport.chunks(response, deadline)) as chunks:
            async for chunk in chunks:
                for data in reader.feed(chunk):
                    yield data
        for data in reader.finish():
            yield data

    async def _offered(self, deadline: float) -> tuple[str, ...] | None:
        soon = asyncio.get_running_loop().time() + _MODELS_SECONDS
        try:
            return await self._list_models(min(soon, deadline))
        except ModelError:
            # It only adds to the message of an error that is on its way already.
            return None

    def _refusal(
        self,
        response: aiohttp.ClientResponse,
        body: bytes | dict[str, Any],
        offered: tuple[str, ...] | None = None,
    ) -> ModelError:
        status = response.status
        if isinstance(body, dict):
            status = read_status(body["error"])
            body = json.dumps(body).encode()
        if self._key:
            # Some servers repeat the key that they refuse.
            body = body.replace(self._key.encode(), b"***")
        return to_error(
            read_failure(status, body),
            model=self._model,
            server=self._transport.server,
            retry_after=read_retry_after(response.headers),
            offered=offered,
        )

    def _nonsense(self, error: ProtocolError) -> ModelResponseError:
        return ModelResponseError(
            f"model {self._model!r}: the answer of the server at {self._transport.server} cannot be understood: "
            f"{error}. Check that base_url leads to an OpenAI-compatible server.",
            model=self._model,
        )
