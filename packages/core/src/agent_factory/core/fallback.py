"""A model that asks the next one when one fails."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from agent_factory.core.exceptions import (
    ConfigurationError,
    ModelContentFilterError,
    ModelContextLengthError,
    ModelError,
    ModelRequestError,
    ModelResponseError,
)
from agent_factory.core.models import ModelRequest, ModelResponse, ModelRetry

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from agent_factory.core.models import Model, ModelDelta

__all__ = ["FallbackModel"]


class FallbackModel:
    """A model that asks several models in their order, until one answers. Safe to use by many runs at a time.

    ```python
    model = FallbackModel([OpenAIModel("gpt-5-mini", api_key=key), OpenAIModel("gpt-4.1-mini", api_key=key)])
    model.name  # "fallback(openai:gpt-5-mini, openai:gpt-4.1-mini)"
    ```

    A model that answers is not doubted: a refusal is an answer, and so is one that is cut short. Where a stream fails
    after its first piece, no other model is asked, since what was given out cannot be taken back. The time of a
    request bounds all models together. Closing the models stays with who opened them.

    Args:
        models: The models, the preferred one first; at least one.
        on: The errors after which the next model is asked, subclasses included. If None, every `ModelError` except
            `ModelRequestError`, since a wrong request is wrong everywhere; of its subclasses, a conversation that is
            too long and a content filter count, since another model may take them.

    Raises:
        ConfigurationError: There is no model, or a class in ``on`` is not one of `ModelError`.
    """

    __slots__ = ("_models", "_name", "_on")

    def __init__(
        self, models: Sequence[Model], *, on: tuple[type[ModelError], ...] | None = None
    ) -> None:
        if not models:
            raise ConfigurationError("a FallbackModel needs at least one model")
        classes: tuple[object, ...] = on or ()
        for item in classes:
            if not isinstance(item, type) or not issubclass(item, ModelError):
                raise ConfigurationError(
                    f"FallbackModel(on=...) takes classes of ModelError, not {item!r}: other errors are defects, which "
                    "no other model would repair"
                )
        self._models = tuple(models)
        self._on = on
        self._name = f"fallback({', '.join(model.name for model in self._models)})"

    @property
    def name(self) -> str:
        """Name for people and records: ``fallback(...)`` with the names of the models in their order."""
        return self._name

    @property
    def models(self) -> tuple[Model, ...]:
        """The models in their order."""
        return self._models

    def __repr__(self) -> str:
        return f"FallbackModel([{', '.join(map(repr, self._models))}])"

    async def respond(self, request: ModelRequest) -> ModelResponse:
        """Answer a request as a whole.

        Args:
            request: What the agent asks; its timeout bounds all models together.

        Returns:
            The answer; ``answered_by`` is the name of the model that gave it.

        Raises:
            ModelError: What the last model that was asked raised. Its ``details["failed"]`` lists every model that
                failed, with the code of its error.
        """
        chain = _Chain(self, request)
        while True:
            model, asked = chain.next()
            try:
                response = await model.respond(asked)
            except ModelError as error:
                if not chain.goes_on_after(error):
                    raise
            else:
                return _sign(response, model)

    async def stream(
        self, request: ModelRequest
    ) -> AsyncGenerator[ModelDelta | ModelResponse, None]:
        """Answer a request piece by piece. No other model is asked once a piece has been given out.

        Args:
            request: What the agent asks; its timeout bounds all models together.

        Yields:
            Text and thoughts as they arrive, then, as the last item, the whole response; ``answered_by`` is the name of
            the model that gave it.

        Raises:
            ModelError: As `respond`.
        """
        chain = _Chain(self, request)
        while True:
            model, asked = chain.next()
            given = whole = False
            source = model.stream(asked)
            try:
                async for item in source:
                    given = True
                    whole = isinstance(item, ModelResponse)
                    yield _sign(item, model) if isinstance(item, ModelResponse) else item
                if whole:
                    return
                raise ModelResponseError(
                    f"model {model.name!r} ended its stream without a response", model=model.name
                )
            except ModelError as error:
                if not chain.goes_on_after(error, given=given):
                    raise
            finally:
                close = getattr(source, "aclose", None)
                if close is not None:
                    await close()

    def covers(self, error: ModelError) -> bool:
        """Return whether the next model is asked after an error.

        Args:
            error: What a model raised.
        """
        if self._on is not None:
            return isinstance(error, self._on)
        return not isinstance(error, ModelRequestError) or isinstance(
            error, (ModelContextLengthError, ModelContentFilterError)
        )


class _Chain:
    """One request on its way from model to model."""

    __slots__ = ("_deadline", "_failed", "_fallback", "_index", "_request", "_timeout")

    def __init__(self, fallback: FallbackModel, request: ModelRequest) -> None:
        self._fallback = fallback
        self._request = request
        self._timeout = request.timeout
        self._deadline = asyncio.get_running_loop().time() + request.timeout
        self._index = 0
        self._failed: list[dict[str, str]] = []

    def next(self) -> tuple[Model, ModelRequest]:
        """Return the model whose turn it is, with the request as it gets it."""
        index, request = self._index, self._request
        asked = replace(
            request,
            timeout=self._timeout,
            # Models may encode the same message differently; the key keeps this one from being mistaken for another.
            memo=request.memo.setdefault((FallbackModel, self._fallback, index), {}),
        )
        return self._fallback.models[index], asked

    def goes_on_after(self, error: ModelError, *, given: bool = False) -> bool:
        """Write a failure down, and return whether another model is asked; that one's turn it is then."""
        models = self._fallback.models
        model = models[self._index]
        inner = error.details.get("failed") if isinstance(model, FallbackModel) else None
        self._failed += (
            inner if isinstance(inner, list) else [{"model": model.name, "code": error.code}]
        )
        error.details["failed"] = list(self._failed)
        following = models[self._index + 1 :]
        self._timeout = self._deadline - asyncio.get_running_loop().time()
        if given or not following or not self._fallback.covers(error) or self._timeout <= 0:
            return False
        attempts = error.details.get("attempts")
        self._request.notify(
            ModelRetry(
                model=model.name,
                attempt=attempts if isinstance(attempts, int) else 1,
                reason=error.message,
                delay=0.0,
                next_model=following[0].name,
            )
        )
        self._index += 1
        return True


def _sign(response: ModelResponse, model: Model) -> ModelResponse:
    """Return the response with the name of who gave it; a model that asked others knows better."""
    return response if response.answered_by else replace(response, answered_by=model.name)
