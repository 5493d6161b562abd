"""A model that answers from a cassette, or records what another one answers."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from agent_factory.core.exceptions import ConfigurationError, ModelError
from agent_factory.core.models import (
    ModelDelta,
    ModelRequest,
    ModelResponse,
    ModelRetry,
    TextDelta,
)
from agent_factory.core.serialization import to_plain
from agent_factory.core.testing.cassettes.answers import (
    decode_deltas,
    decode_error,
    decode_response,
    encode_deltas,
    encode_error,
    encode_response,
)
from agent_factory.core.testing.cassettes.canonical import canonical_request

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from agent_factory.core.models import Model
    from agent_factory.core.testing.cassettes.cassette import Cassette

__all__ = ["CassetteModel"]


class CassetteModel:
    """A model that answers from a cassette, or records what another one answers.

    Answers come back as they came: the pieces of a stream, the retries that were told of, the errors (`ModelError`),
    and an answer that was cut off by its reader, which after its last piece waits until it is cut off again.

    Args:
        model: The real model; needed for recording only.
        cassette: The cassette, whose mode decides.
        name: Name of the model, where there is no real one; the name on record if None.

    Raises:
        ConfigurationError: There is nothing to record from, or several models are on record and none is named.
    """

    def __init__(self, model: Model | None, cassette: Cassette, *, name: str | None = None) -> None:
        if model is None and cassette.recording:
            raise ConfigurationError(
                f"cassette {str(cassette.path)!r} records, and there is no model to record from: pass one"
            )
        self._model = model
        self._cassette = cassette
        self._name = _choose_name(cassette, name) if model is None else model.name

    @property
    def name(self) -> str:
        """Name of the model."""
        return self._name

    @property
    def models(self) -> tuple[Model, ...] | None:
        """The models of the real one, where it asks several; prices and bounds go by them."""
        models: object = getattr(self._model, "models", None)
        return models if isinstance(models, tuple) else None

    async def respond(self, request: ModelRequest) -> ModelResponse:
        """Answer a request as a whole.

        Raises:
            ModelError: The recorded call failed, or the real one does.
            CassetteMissError: The request is not on record.
            CassetteFormatError: The recorded answer is damaged.
        """
        if self._model is not None and self._cassette.recording:
            return await self._record(self._model, request)
        (response,) = [
            item async for item in self._replay(request) if isinstance(item, ModelResponse)
        ]
        return response

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelDelta | ModelResponse]:
        """Answer a request piece by piece.

        Raises:
            ModelError: The recorded call failed, or the real one does.
            CassetteMissError: The request is not on record.
            CassetteFormatError: The recorded answer is damaged.
        """
        if self._model is not None and self._cassette.recording:
            source = self._record_stream(self._model, request)
        else:
            source = self._replay(request)
        try:
            async for item in source:
                yield item
        finally:
            await _close(source)

    async def _record(self, model: Model, request: ModelRequest) -> ModelResponse:
        recording = self._cassette.begin("model", canonical_request(self._name, request))
        answer, heard = _listen(request)
        try:
            response = await model.respond(heard)
        except ModelError as error:
            recording.answer = {**answer, "error": encode_error(error)}
            raise
        except asyncio.CancelledError:
            recording.answer = {**answer, "cut_off": True}
            raise
        recording.answer = {**answer, "response": encode_response(response)}
        return response

    async def _record_stream(
        self, model: Model, request: ModelRequest
    ) -> AsyncIterator[ModelDelta | ModelResponse]:
        recording = self._cassette.begin("model", canonical_request(self._name, request))
        answer, heard = _listen(request)
        deltas: list[ModelDelta] = []
        source = model.stream(heard)
        try:
            async for item in source:
                if isinstance(item, ModelResponse):
                    answer["deltas"] = encode_deltas(deltas)
                    recording.answer = {**answer, "response": encode_response(item)}
                else:
                    deltas.append(item)
                yield item
        except ModelError as error:
            answer["deltas"] = encode_deltas(deltas)
            recording.answer = {**answer, "error": encode_error(error)}
            raise
        except (asyncio.CancelledError, GeneratorExit):
            if not recording.answer:
                answer["deltas"] = encode_deltas(deltas)
                recording.answer = {**answer, "cut_off": True}
            raise
        finally:
            await _close(source)

    async def _replay(self, request: ModelRequest) -> AsyncIterator[ModelDelta | ModelResponse]:
        answer = self._cassette.replay(canonical_request(self._name, request))
        end: ModelResponse | Exception | None = None
        try:
            retries = [ModelRetry(**item) for item in answer.get("retries", ())]
            deltas = decode_deltas(answer.get("deltas", ()))
            if not answer.get("cut_off"):
                if "error" in answer:
                    end = decode_error(answer["error"])
                else:
                    end = decode_response(answer["response"])
        except (KeyError, TypeError, ValidationError) as error:
            raise self._cassette.refuse(error) from error
        for retry in retries:
            request.notify(retry)
        if not deltas and isinstance(end, ModelResponse) and end.message.text:
            deltas = [TextDelta(end.message.text)]
        for delta in deltas:
            yield delta
        if end is None:
            await asyncio.Event().wait()
        elif isinstance(end, Exception):
            raise end
        else:
            yield end


def _listen(request: ModelRequest) -> tuple[dict[str, Any], ModelRequest]:
    """Return the parts of an answer in which the retries of a request will stand, and that request."""
    answer: dict[str, Any] = {}

    def notify(retry: ModelRetry) -> None:
        answer.setdefault("retries", []).append(to_plain(retry))
        request.notify(retry)

    return answer, replace(request, notify=notify)


def _choose_name(cassette: Cassette, name: str | None) -> str:
    if name is not None:
        return name
    known = cassette.models
    if len(known) > 1:
        raise ConfigurationError(
            f"cassette {str(cassette.path)!r} has the models {', '.join(known)}: say which one with name=..."
        )
    return known[0] if known else "unknown"


async def _close(source: AsyncIterator[Any]) -> None:
    close = getattr(source, "aclose", None)
    if close is not None:
        await close()
