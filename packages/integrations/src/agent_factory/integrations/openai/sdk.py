"""A model behind a client of the ``openai`` package that the program already has.

Nothing here imports that package: `OpenAIClient` says what is used of a client.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import yarl
from pydantic_core import from_json

from agent_factory.core.exceptions import ModelError
from agent_factory.core.models import ModelRequest, ModelResponse
from agent_factory.integrations.exceptions import IntegrationConfigurationError
from agent_factory.integrations.openai.attempts import Attempts
from agent_factory.integrations.openai.decoding import StreamFold, decode_completion
from agent_factory.integrations.openai.encoding import (
    RESERVED_FIELDS,
    encode_fields,
    encode_message,
    name_limits,
    name_provider,
)
from agent_factory.integrations.openai.fields import ProtocolError, ReportedError, as_object
from agent_factory.integrations.openai.options import check_extra, check_model
from agent_factory.integrations.openai.retry import RetryPolicy
from agent_factory.integrations.openai.sdk_failures import class_names, translate
from agent_factory.integrations.openai.writing import RequestWriter

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Iterator, Mapping

    from agent_factory.core.models import ModelDelta

__all__ = ["OpenAIClient", "OpenAIClientModel"]

_NO_RETRY = RetryPolicy(max_retries=0)


class _Completions(Protocol):
    def create(self, *args: Any, **kwargs: Any) -> Awaitable[Any]: ...


class _Chat(Protocol):
    @property
    def completions(self) -> _Completions: ...


class OpenAIClient(Protocol):
    """What is used of a client; ``openai.AsyncOpenAI`` and ``openai.AsyncAzureOpenAI`` have it."""

    @property
    def chat(self) -> _Chat:
        """Has ``completions.create``, which makes a call."""
        ...

    @property
    def base_url(self) -> object:
        """Address of the server, for messages."""
        ...

    @property
    def api_key(self) -> object:
        """The key, which is taken out of messages."""
        ...


class OpenAIClientModel:
    """A model behind a client of the ``openai`` package, by the Chat Completions protocol.

    For programs that have such a client already, with its keys, its proxies or its instrumentation; `OpenAIModel`
    does without that package. The client stays the caller's: it repeats failed calls as it was told to, and is not
    closed here. Nobody is told of the client's own repetitions; to be told, make the client with ``max_retries=0`` and
    give ``retry``.

    ```python
    model = OpenAIClientModel("gpt-5-mini", AsyncOpenAI())
    ```

    Args:
        model: Name of the model, or of the deployment.
        client: The client; an asynchronous one.
        extra_body: Further fields of each request, such as ``{"temperature": 0}``.
        retry: How calls are repeated after the client gave them up; not at all by default.

    Raises:
        IntegrationConfigurationError: A value cannot be used.
    """

    def __init__(
        self,
        model: str,
        client: OpenAIClient,
        *,
        extra_body: Mapping[str, object] | None = None,
        retry: RetryPolicy = _NO_RETRY,
    ) -> None:
        if "SyncAPIClient" in class_names(type(client)):
            raise IntegrationConfigurationError(
                "client must be an asynchronous one: give AsyncOpenAI or AsyncAzureOpenAI, "
                f"not {type(client).__name__}"
            )
        self._model = check_model(model)
        self._client = client
        extra = check_extra(extra_body or {}, RESERVED_FIELDS)
        self._retry = retry
        host = yarl.URL(str(client.base_url)).host
        self._provider = name_provider(host)
        limits = name_limits(host)
        self._extra = {name: value for name, value in extra.items() if name not in limits}
        self._writer = RequestWriter(
            model,
            conversation="messages",
            encode_message=partial(encode_message, provider=self._provider),
            encode_fields=encode_fields,
            extra={name: value for name, value in extra.items() if name in limits},
            limits=limits,
            seeds="seed" not in extra,
        )
        self._memo_key = (type(self), self)

    @property
    def name(self) -> str:
        """Name for people and records, ``openai:`` and the server's name of the model."""
        return f"openai:{self._model}"

    @property
    def base_url(self) -> str:
        """Address of the server, without query, user and password."""
        return str(yarl.URL(str(self._client.base_url)).with_query(None).with_user(None))

    def __repr__(self) -> str:
        return f"OpenAIClientModel({self._model!r}, base_url={self.base_url!r})"

    async def respond(self, request: ModelRequest) -> ModelResponse:
        """Answer a request as a whole.

        Args:
            request: What the agent asks; its timeout bounds all attempts together, the client's own included.

        Returns:
            The answer.

        Raises:
            ModelError: The call failed; the subclass says how.
        """
        attempts = Attempts(self._retry, request, self.name)
        while True:
            limit = attempts.begin()
            try:
                with self._translating(attempts):
                    async with asyncio.timeout_at(limit):
                        answer = await self._call(request, streaming=False)
                    return decode_completion(_read(answer), self._provider)
            except ModelError as error:
                if not await attempts.wait(error):
                    raise

    async def stream(
        self, request: ModelRequest
    ) -> AsyncGenerator[ModelDelta | ModelResponse, None]:
        """Answer a request piece by piece. Nothing is repeated once a piece has been given out.

        Args:
            request: What the agent asks; its timeout bounds all attempts together, the client's own included.

        Yields:
            Text and thoughts as they arrive, then, as the last item, the whole response.

        Raises:
            ModelError: The call failed; the subclass says how.
        """
        attempts = Attempts(self._retry, request, self.name)
        whole: ModelResponse | None = None
        while whole is None:
            fold = StreamFold(self._provider)
            begun = False
            opened: Any = None
            limit = attempts.begin()
            try:
                with self._translating(attempts):
                    async with asyncio.timeout_at(limit):
                        opened = await self._call(request, streaming=True)
                    chunks = aiter(opened)
                    deltas: list[ModelDelta] | None = []
                while deltas is not None:
                    for delta in deltas:
                        begun = True
                        yield delta
                    with self._translating(attempts, begun=begun):
                        # Not around the loop: a timeout must not span a yield.
                        async with asyncio.timeout_at(attempts.deadline if begun else limit):
                            chunk = await anext(chunks, None)
                        deltas = None if chunk is None else _take(chunk, fold)
                with self._translating(attempts, begun=begun):
                    whole = fold.finished()
            except ModelError as error:
                await _close(opened)
                opened = None
                if begun or not await attempts.wait(error):
                    raise
            finally:
                await _close(opened)
        yield whole

    async def _call(self, request: ModelRequest, *, streaming: bool) -> Any:
        # Through bytes and back, so that the client gets nothing but plain JSON that it can write.
        body = self._writer.write(request, self._memo_key, streaming=streaming)
        completions = self._client.chat.completions
        return await completions.create(**from_json(body), extra_body=self._extra)

    @contextmanager
    def _translating(self, attempts: Attempts, *, begun: bool = False) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            known = translate(
                error,
                model=self._model,
                server=self.base_url,
                key=self._client.api_key,
                patience=attempts.describe_timeout(),
                # A client that repeats calls may have sent one before.
                once=getattr(self._client, "max_retries", None) == 0,
            )
            if known is None:
                raise
            attempts.note(known, begun=begun)
            # The words of a refusal may hold the key; those of a broken connection help.
            raise known from (None if known.status else error)


async def _close(opened: Any) -> None:
    if opened is not None:
        # Older releases of the package, and what instruments it, know one of the names only.
        await (opened.aclose if hasattr(opened, "aclose") else opened.close)()


def _take(chunk: Any, fold: StreamFold) -> list[ModelDelta]:
    deltas: list[ModelDelta] = []
    fold.add(_read(chunk), deltas)
    return deltas


def _read(answer: Any) -> dict[str, Any]:
    if not hasattr(answer, "model_dump"):
        raise ProtocolError("it is not JSON")
    body = as_object(answer.model_dump(exclude_unset=True, warnings=False), "the answer")
    if body.get("error"):
        raise ReportedError(body)
    return body
