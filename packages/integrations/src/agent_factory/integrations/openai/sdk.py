"""A model behind a client of the ``openai`` package that the program already has.

Nothing here imports that package: `OpenAIClient` says what is used of a client.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol

import yarl

from agent_factory.core.models import ModelRequest, ModelResponse, TextDelta
from agent_factory.integrations.exceptions import IntegrationConfigurationError
from agent_factory.integrations.openai.decoding import StreamFold, decode_completion
from agent_factory.integrations.openai.encoding import RESERVED_FIELDS, encode_request
from agent_factory.integrations.openai.fields import ProtocolError, ReportedError, as_object
from agent_factory.integrations.openai.options import check_extra, check_model
from agent_factory.integrations.openai.sdk_failures import class_names, translate

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Mapping

__all__ = ["OpenAIClient", "OpenAIClientModel"]


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
    closed here.

    ```python
    model = OpenAIClientModel("gpt-5-mini", AsyncOpenAI())
    ```

    Args:
        model: Name of the model, or of the deployment.
        client: The client; an asynchronous one.
        extra_body: Further fields of each request, such as ``{"temperature": 0}``.

    Raises:
        IntegrationConfigurationError: A value cannot be used.
    """

    def __init__(
        self, model: str, client: OpenAIClient, *, extra_body: Mapping[str, object] | None = None
    ) -> None:
        if "SyncAPIClient" in class_names(type(client)):
            raise IntegrationConfigurationError(
                "client must be an asynchronous one: give AsyncOpenAI or AsyncAzureOpenAI, "
                f"not {type(client).__name__}"
            )
        self._model = check_model(model)
        self._client = client
        self._extra = check_extra(extra_body or {}, RESERVED_FIELDS)

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
            request: What the agent asks; its timeout bounds all of the client's attempts together.

        Returns:
            The answer.

        Raises:
            ModelError: The call failed; the subclass says how.
        """
        deadline = asyncio.get_running_loop().time() + request.timeout
        async with self._bounded(deadline):
            return decode_completion(_read(await self._call(request, streaming=False)))

    async def stream(
        self, request: ModelRequest
    ) -> AsyncGenerator[TextDelta | ModelResponse, None]:
        """Answer a request piece by piece.

        Args:
            request: What the agent asks; its timeout bounds all of the client's attempts together.

        Yields:
            Text as it arrives, then, as the last item, the whole response.

        Raises:
            ModelError: The call failed; the subclass says how.
        """
        deadline = asyncio.get_running_loop().time() + request.timeout
        fold = StreamFold()
        async with self._bounded(deadline):
            opened = await self._call(request, streaming=True)
            chunks = aiter(opened)
        try:
            while True:
                # Not around the loop: a timeout must not span a yield.
                async with self._bounded(deadline):
                    chunk = await anext(chunks, None)
                    text = "" if chunk is None else fold.add_chunk(_read(chunk))
                if chunk is None:
                    break
                if text:
                    yield TextDelta(text)
        finally:
            # Older releases of the package, and what instruments it, know one of the names only.
            await (opened.aclose if hasattr(opened, "aclose") else opened.close)()
        async with self._bounded(deadline):
            whole = fold.finished()
        yield whole

    async def _call(self, request: ModelRequest, *, streaming: bool) -> Any:
        # Through bytes and back, so that the client gets nothing but plain JSON that it can write.
        fields = json.loads(encode_request(request, model=self._model, stream=streaming, extra={}))
        return await self._client.chat.completions.create(**fields, extra_body=self._extra)

    @asynccontextmanager
    async def _bounded(self, deadline: float) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout_at(deadline):
                yield
        except Exception as error:
            client = self._client
            known = translate(error, model=self._model, server=self.base_url, key=client.api_key)
            if known is None:
                raise
            # The words of a refusal may hold the key; those of a broken connection help.
            raise known from (None if known.status else error)


def _read(answer: Any) -> dict[str, Any]:
    if not hasattr(answer, "model_dump"):
        raise ProtocolError("it is not JSON")
    body = as_object(answer.model_dump(exclude_unset=True, warnings=False), "the answer")
    if body.get("error"):
        raise ReportedError(body)
    return body
