"""A model that asks the next one when one fails."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from agent_factory.core.exceptions import (
    ConfigurationError,
    ModelConnectionError,
    ModelContentFilterError,
    ModelContextLengthError,
    ModelError,
    ModelRequestError,
    ModelResponseError,
)
from agent_factory.core.models import ModelRequest, ModelResponse, ModelRetry, get_sent
from agent_factory.core.waiting import is_duration

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Sequence

    from agent_factory.core.models import Model, ModelDelta

__all__ = ["FallbackModel"]

T = TypeVar("T")

_GRACE_SECONDS = 0.1
"""What a model gets beyond its time, since its own error says more than that it was not heard of."""


class FallbackModel:
    """A model that asks several models in their order, until one answers. Safe to use by many runs at a time.

    ```python
    model = FallbackModel([OpenAIModel("gpt-5-mini", api_key=key), OpenAIModel("gpt-4.1-mini", api_key=key)])
    model.name  # "fallback(openai:gpt-5-mini, openai:gpt-4.1-mini)"
    ```

    A model that answers is not doubted: a refusal is an answer, and so is one that is cut short. Where a stream fails
    after its first piece, no other model is asked, since what was given out cannot be taken back. Closing the models
    stays with who opened them.

    The time of a request bounds all models together, and a model that hangs must leave some of it to those after it.
    Without a `model_timeout`, each model gets an equal share of what is left: of 300 seconds and three models the first
    has 100, the second half of the rest, and the last all of it. In a stream that is the time until the first piece;
    one that has begun may go on to the end of the request.

    Args:
        models: The models, the preferred one first; at least one.
        on: The errors after which the next model is asked, subclasses included. If None, every `ModelError` except
            `ModelRequestError`, since a wrong request is wrong everywhere; of its subclasses, a conversation that is
            too long and a content filter count, since another model may take them.
        model_timeout: Seconds that each model has, greater than 0, as far as the time of the request allows; None to
            share that time. A model that takes longer counts as one that gave no answer, a `ModelConnectionError`.

    Raises:
        ConfigurationError: There is no model, a class in ``on`` is not one of `ModelError`, or the time is not above 0.
    """

    __slots__ = ("_model_timeout", "_models", "_name", "_on")

    def __init__(
        self,
        models: Sequence[Model],
        *,
        on: tuple[type[ModelError], ...] | None = None,
        model_timeout: float | None = None,
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
        if model_timeout is not None and not is_duration(model_timeout):
            raise ConfigurationError(
                f"FallbackModel(model_timeout=...) must be a finite number of seconds above 0, not {model_timeout!r}"
            )
        self._model_timeout = model_timeout
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

    @property
    def model_timeout(self) -> float | None:
        """Seconds that each model has; None where they share the time of the request."""
        return self._model_timeout

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
                response = await chain.wait_for(model.respond(asked))
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
            model, asked = chain.next(streaming=True)
            given = whole = False
            source = model.stream(asked)
            pieces = aiter(source)
            try:
                item = await chain.wait_for(anext(pieces, None))
                while item is not None:
                    given = True
                    whole = isinstance(item, ModelResponse)
                    yield _sign(item, model) if isinstance(item, ModelResponse) else item
                    item = await anext(pieces, None)
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
    """One request on its way from model to model.

    Attributes:
        share: Seconds that the model whose turn it is has.
    """

    __slots__ = ("_deadline", "_failed", "_fallback", "_index", "_request", "_timeout", "share")

    def __init__(self, fallback: FallbackModel, request: ModelRequest) -> None:
        self._fallback = fallback
        self._request = request
        self._timeout = request.timeout
        self._deadline = asyncio.get_running_loop().time() + request.timeout
        self._index = 0
        self._failed: list[dict[str, str]] = []

    def next(self, *, streaming: bool = False) -> tuple[Model, ModelRequest]:
        """Return the model whose turn it is, with the request as it gets it."""
        index, request, fallback = self._index, self._request, self._fallback
        share = fallback.model_timeout or self._timeout / (len(fallback.models) - index)
        self.share = min(share, self._timeout)
        asked = replace(
            request,
            # A stream that has begun has all of the time.
            timeout=self._timeout if streaming else self.share,
            # Models may encode the same message differently; the key keeps this one from being mistaken for another.
            memo=request.memo.setdefault((FallbackModel, fallback, index), {}),
        )
        return fallback.models[index], asked

    async def wait_for(self, answer: Awaitable[T]) -> T:
        """Await what the model whose turn it is gives, for the time that it has."""
        if self.share >= self._timeout:
            return await answer  # whoever asked bounds that
        timeout = asyncio.timeout(self.share + _GRACE_SECONDS)
        try:
            async with timeout:
                return await answer
        except TimeoutError as error:
            if not timeout.expired():
                raise
            name = self._fallback.models[self._index].name
            raise ModelConnectionError(
                f"model {name!r} gave no answer in the {self.share:g} s that it had: give the request more time, or each "
                "model with FallbackModel(model_timeout=...), or ask for less",
                model=name,
            ) from error

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
                sent=get_sent(error),
            )
        )
        self._index += 1
        return True


def _sign(response: ModelResponse, model: Model) -> ModelResponse:
    """Return the response with the name of who gave it; a model that asked others knows better."""
    return response if response.answered_by else replace(response, answered_by=model.name)
