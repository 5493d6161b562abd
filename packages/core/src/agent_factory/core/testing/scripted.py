"""Models for tests: they answer from a script or a function, without a network."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.messages import AssistantMessage, Reasoning, ToolCall
from agent_factory.core.models import (
    ModelDelta,
    ModelRequest,
    ModelResponse,
    ReasoningDelta,
    TextDelta,
)
from agent_factory.core.usage import Usage

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping

__all__ = ["Answer", "FunctionModel", "ScriptedModel", "ScriptedStream", "create_tool_call"]


@dataclass(frozen=True, slots=True)
class ScriptedStream:
    """An answer piece by piece, which may come late, break off, or never end.

    First come the pieces, then the delay passes, then comes the end: the error or the response.

    ```python
    ScriptedStream([TextDelta("Let me "), TextDelta("see.")], delay=math.inf)  # hangs midway
    ```

    Attributes:
        deltas: The pieces in their order. None means that the response's text comes word by word.
        response: The whole answer, whose text is that of the pieces; None makes it of the pieces.
        error: What is raised in place of the response.
        delay: Seconds that pass between the pieces and the end; ``math.inf`` waits until it is cancelled.

    Raises:
        ConfigurationError: There is both a response and an error, the response says something else than the
            pieces, or the delay is below 0.
    """

    deltas: Iterable[ModelDelta] = ()
    response: ModelResponse | None = None
    error: Exception | None = None
    delay: float = 0.0

    def __post_init__(self) -> None:
        """Check that the parts fit together."""
        object.__setattr__(self, "deltas", tuple(self.deltas))
        if not self.delay >= 0:
            raise ConfigurationError(
                f"the delay of a ScriptedStream must be 0 or more seconds, not {self.delay!r}"
            )
        if self.response is None:
            return
        if self.error is not None:
            raise ConfigurationError(
                "a ScriptedStream ends with a response or with an error: remove one of them"
            )
        text = self._join(TextDelta)
        if self.deltas and text != self.response.message.text:
            raise ConfigurationError(
                f"the pieces of a ScriptedStream make up the text {text!r}, its response says "
                f"{self.response.message.text!r}: make them equal"
            )

    def _join(self, kind: type[ModelDelta]) -> str:
        return "".join(delta.text for delta in self.deltas if isinstance(delta, kind))

    async def play(self, name: str) -> AsyncGenerator[ModelDelta | ModelResponse, None]:
        """Answer as a model does.

        Args:
            name: Name of the model, for a response that is made of the pieces.

        Yields:
            The pieces, then the whole response.

        Raises:
            Exception: The error given.
        """
        for delta in self.deltas:
            yield delta
        if self.delay == math.inf:
            await asyncio.Event().wait()
        elif self.delay:
            await asyncio.sleep(self.delay)
        if self.error is not None:
            raise self.error
        response = self.response
        if response is None:
            thoughts = self._join(ReasoningDelta)
            reasoning = (Reasoning(thoughts),) if thoughts else ()
            response = _complete(AssistantMessage(self._join(TextDelta), reasoning=reasoning), name)
        elif not self.deltas:
            for word in _split(response.message.text):
                yield TextDelta(word)
        yield response


Answer: TypeAlias = str | ToolCall | AssistantMessage | ModelResponse | ScriptedStream | Exception
"""What a test may write for an answer: text, a tool call, one of the real things, or a stream; an error is raised."""


def create_tool_call(
    name: str, arguments: Mapping[str, object], *, call_id: str = "call-1"
) -> ToolCall:
    """Return a tool call as a model would write it.

    Args:
        name: Name of the tool.
        arguments: The arguments, JSON-compatible.
        call_id: Identifier of the call.
    """
    return ToolCall(call_id, name, json.dumps(arguments))


class FunctionModel:
    """A model that answers with whatever a function returns.

    Args:
        function: Called with each request.
        name: Name of the model.

    Attributes:
        requests: Every request received, oldest first.
    """

    def __init__(
        self, function: Callable[[ModelRequest], Answer], *, name: str = "function"
    ) -> None:
        self._function = function
        self._name = name
        self.requests: list[ModelRequest] = []

    @property
    def name(self) -> str:
        """Name of the model."""
        return self._name

    async def respond(self, request: ModelRequest) -> ModelResponse:
        """Answer a request with the function's result.

        Raises:
            Exception: The function returned one.
        """
        (response,) = [
            item async for item in self.stream(request) if isinstance(item, ModelResponse)
        ]
        return response

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelDelta | ModelResponse]:
        """Answer a request word by word, or in the pieces of a `ScriptedStream`.

        Raises:
            Exception: The function returned one.
        """
        self.requests.append(request)
        answer = self._function(request)
        if not isinstance(answer, ScriptedStream):
            answer = _to_stream(answer, self._name)
        async with aclosing(answer.play(self._name)) as items:
            async for item in items:
                yield item


class ScriptedModel(FunctionModel):
    """A model that gives prepared answers, one for each request.

    ```python
    model = ScriptedModel([create_tool_call("add", {"a": 1, "b": 2}), "The sum is 3."])
    ```

    Args:
        answers: The answers in their order.
        name: Name of the model.

    Raises:
        ConfigurationError: The answers are no list but one of them; or, at a request, the script has no answer for it.
    """

    def __init__(self, answers: Iterable[Answer], *, name: str = "scripted") -> None:
        given: object = answers
        if isinstance(given, str) or not isinstance(given, Iterable):
            raise ConfigurationError(
                f"the script of model {name!r} must be a list of answers, not {type(given).__name__}: "
                "put one answer into a list too"
            )
        self._answers = iter(answers)
        super().__init__(self._next, name=name)

    def _next(self, request: ModelRequest) -> Answer:
        answer = next(self._answers, None)
        if answer is None:
            raise ConfigurationError(
                f"the script of model {self.name!r} has no answer for request number {len(self.requests)}, whose last "
                f"message is {request.messages[-1]!r}: add one"
            )
        return answer


def _to_stream(
    answer: str | ToolCall | AssistantMessage | ModelResponse | Exception, name: str
) -> ScriptedStream:
    if isinstance(answer, Exception):
        return ScriptedStream(error=answer)
    if isinstance(answer, str):
        answer = AssistantMessage(answer)
    elif isinstance(answer, ToolCall):
        answer = AssistantMessage("", (answer,))
    if isinstance(answer, AssistantMessage):
        answer = _complete(answer, name)
    return ScriptedStream(response=answer)


def _complete(message: AssistantMessage, name: str) -> ModelResponse:
    return ModelResponse(
        message, Usage(requests=1), "tool_calls" if message.tool_calls else "stop", name
    )


def _split(text: str) -> Iterator[str]:
    while text:
        end = text.find(" ") + 1 or len(text)
        yield text[:end]
        text = text[end:]
