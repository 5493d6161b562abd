"""Asks a server once, and says in core's words what came of it."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from agent_factory.core.exceptions import ModelError, ModelResponseError
from agent_factory.integrations.openai.attempts import PATIENCE
from agent_factory.integrations.openai.failures import read_failure, read_status, to_error
from agent_factory.integrations.openai.faults import FAULTS, translate
from agent_factory.integrations.openai.fields import ProtocolError, ReportedError, decode_json
from agent_factory.integrations.openai.listing import decode_models
from agent_factory.integrations.openai.retry import read_retry_after
from agent_factory.integrations.openai.streaming import StreamedAnswer

if TYPE_CHECKING:
    from collections.abc import Callable

    import aiohttp

    from agent_factory.core.models import ModelDelta, ModelResponse
    from agent_factory.integrations.openai.attempts import Attempts
    from agent_factory.integrations.openai.folding import Fold
    from agent_factory.integrations.openai.transport import Transport

__all__ = ["MODELS_SECONDS", "Exchange"]

MODELS_SECONDS: Final = 10.0
"""Seconds that it may take to list a server's models."""

_STREAM = "text/event-stream"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One way of asking a server.

    Attributes:
        transport: What carries the bytes.
        model: Name of the model, for errors.
        path: Path of the protocol below the server's address.
        decode: Returns the response that a whole answer holds; raises as a fold does.
        create_fold: Returns what puts the pieces of a streamed answer together.
        key: The key, which no message may contain, or None.
    """

    transport: Transport
    model: str
    path: str
    decode: Callable[[dict[str, Any]], ModelResponse]
    create_fold: Callable[[], Fold]
    key: str | None = field(repr=False)

    async def respond(self, body: bytes, attempts: Attempts) -> ModelResponse:
        """Ask once for an answer as a whole, and return it.

        Args:
            body: The request.
            attempts: The attempts of the call; this is the next one.

        Raises:
            ModelError: The attempt failed.
        """
        response: aiohttp.ClientResponse | None = None
        status = 0
        try:
            async with asyncio.timeout_at(attempts.begin()):
                response = await self.transport.send("POST", self.path, body)
                status = response.status
                if status == 200 and response.content_type == _STREAM:
                    # Some servers stream whether they are asked to or not.
                    answer = StreamedAnswer(self.transport, response, self.create_fold())
                    while await answer.read() is not None:
                        continue
                    return await answer.finish()
                data = await self._read(response)
            if status == 200:
                return self.decode(decode_json(data))
        except (*FAULTS, ProtocolError, ReportedError) as error:
            raise self._translate(error, response, attempts) from _cause(error)
        finally:
            if response is not None:
                self.transport.release(response)
        raise await self._refuse(response, data, attempts.deadline)

    async def open(self, body: bytes, attempts: Attempts) -> StreamedAnswer | ModelResponse:
        """Ask once for an answer piece by piece, and return it as soon as it begins.

        Args:
            body: The request.
            attempts: The attempts of the call; this is the next one.

        Returns:
            The answer, to be closed; or the whole of it, where the server sent that all the same.

        Raises:
            ModelError: The attempt failed.
        """
        limit = attempts.begin()
        response: aiohttp.ClientResponse | None = None
        answer: StreamedAnswer | None = None
        status = 0
        try:
            async with asyncio.timeout_at(limit):
                response = await self.transport.send("POST", self.path, body)
                status = response.status
                # Decided by what came.
                if status == 200 and response.content_type == _STREAM:
                    answer = StreamedAnswer(self.transport, response, self.create_fold())
                    answer.give_up_at(limit)
                    return answer
                data = await self._read(response)
            if status == 200:
                return self.decode(decode_json(data))
        except (*FAULTS, ProtocolError, ReportedError) as error:
            raise self._translate(error, response, attempts) from _cause(error)
        finally:
            if response is not None and answer is None:
                self.transport.release(response)
        raise await self._refuse(response, data, attempts.deadline)

    async def read(self, answer: StreamedAnswer, attempts: Attempts) -> list[ModelDelta] | None:
        """Return the pieces of an answer that come next, which may be none, or None at its end.

        Args:
            answer: What `open` returned.
            attempts: The attempts of the call.

        Raises:
            ModelError: The attempt failed.
        """
        try:
            return await answer.read()
        except (*FAULTS, ProtocolError, ReportedError) as error:
            raise self._translate(error, answer.response, attempts) from _cause(error)

    async def finish(self, answer: StreamedAnswer) -> ModelResponse:
        """Return the whole response, once everything was read.

        Args:
            answer: What `open` returned.

        Raises:
            ModelError: The attempt failed.
        """
        try:
            return await answer.finish()
        except ProtocolError as error:
            raise self._complain(error) from None

    async def list_models(self, deadline: float) -> tuple[str, ...]:
        """Return the names of the models that the server offers, sorted.

        Args:
            deadline: Time of the running loop at which to give up.

        Raises:
            ModelError: The call failed.
        """
        response: aiohttp.ClientResponse | None = None
        status = 0
        try:
            async with asyncio.timeout_at(deadline):
                response = await self.transport.send("GET", "models", None)
                status = response.status
                data = await self._read(response)
            if status == 200:
                return decode_models(decode_json(data))
        except (*FAULTS, ProtocolError, ReportedError) as error:
            raise self._translate(error, response, None) from _cause(error)
        finally:
            if response is not None:
                self.transport.release(response)
        raise self._blame(status, data, response)

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        """Return the body of an answer, or as much as is needed of one that is a refusal."""
        read = self.transport.read if response.status == 200 else self.transport.read_start
        return await read(response)

    async def _refuse(
        self, response: aiohttp.ClientResponse, data: bytes, deadline: float
    ) -> ModelError:
        """Return the error of an answer whose status is not a good one."""
        offered = None
        if response.status == 404:
            soon = asyncio.get_running_loop().time() + MODELS_SECONDS
            # It only adds to the message of an error that is on its way already.
            with suppress(ModelError):
                offered = await self.list_models(min(soon, deadline))
        return self._blame(response.status, data, response, offered)

    def _blame(
        self,
        status: int,
        data: bytes,
        response: aiohttp.ClientResponse | None,
        offered: tuple[str, ...] | None = None,
    ) -> ModelError:
        if self.key:
            # Some servers repeat the key that they refuse.
            data = data.replace(self.key.encode(), b"***")
        return to_error(
            read_failure(status, data),
            model=self.model,
            server=self.transport.server,
            retry_after=None if response is None else read_retry_after(response.headers),
            offered=offered,
        )

    def _translate(
        self,
        error: Exception,
        response: aiohttp.ClientResponse | None,
        attempts: Attempts | None,
    ) -> ModelError:
        if isinstance(error, ProtocolError):
            return self._complain(error)
        if isinstance(error, ReportedError):
            status = read_status(error.body["error"])
            return self._blame(status, json.dumps(error.body).encode(), response)
        if response is not None and response.status != 200:
            # Its status says more than that its words did not arrive.
            return self._blame(response.status, b"", response)
        return translate(
            error,
            model=self.model,
            server=self.transport.server,
            patience=PATIENCE if attempts is None else attempts.describe_timeout(),
        )

    def _complain(self, error: ProtocolError) -> ModelResponseError:
        return ModelResponseError(
            f"model {self.model!r}: the answer of the server at {self.transport.server} cannot be understood: "
            f"{error}. Check that base_url leads to an OpenAI-compatible server.",
            model=self.model,
        )


def _cause(error: Exception) -> Exception | None:
    """Return what is worth showing beside the error that was made of another one."""
    return None if isinstance(error, (ProtocolError, ReportedError)) else error
