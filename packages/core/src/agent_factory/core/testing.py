"""Models for tests: they answer from a script or a function, at once and without a network."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from agent_factory.core.exceptions import ConfigurationError, ModelError
from agent_factory.core.messages import AssistantMessage, ToolCall
from agent_factory.core.models import ModelRequest, ModelResponse, TextDelta
from agent_factory.core.usage import Usage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping

__all__ = ["FunctionModel", "ScriptedModel", "create_tool_call"]

Answer: TypeAlias = str | ToolCall | AssistantMessage | ModelResponse | ModelError
"""What a test may write for an answer: text, a tool call, or one of the real things; an error is raised."""


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
            ModelError: The function returned one.
        """
        self.requests.append(request)
        return _to_response(self._function(request), self._name)

    async def stream(self, request: ModelRequest) -> AsyncIterator[TextDelta | ModelResponse]:
        """Answer a request word by word.

        Raises:
            ModelError: The function returned one.
        """
        response = await self.respond(request)
        rest = response.message.text
        while rest:
            end = rest.find(" ") + 1 or len(rest)
            yield TextDelta(rest[:end])
            rest = rest[end:]
        yield response


class ScriptedModel(FunctionModel):
    """A model that gives prepared answers, one for each request.

    ```python
    model = ScriptedModel([create_tool_call("add", {"a": 1, "b": 2}), "The sum is 3."])
    ```

    Args:
        answers: The answers in their order.
        name: Name of the model.

    Raises:
        ConfigurationError: At a request that the script has no answer for.
    """

    def __init__(self, answers: Iterable[Answer], *, name: str = "scripted") -> None:
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


def _to_response(answer: Answer, name: str) -> ModelResponse:
    if isinstance(answer, ModelError):
        raise answer
    if isinstance(answer, ModelResponse):
        return answer
    if isinstance(answer, str):
        answer = AssistantMessage(answer)
    elif isinstance(answer, ToolCall):
        answer = AssistantMessage("", (answer,))
    return ModelResponse(
        answer,
        Usage(requests=1),
        "tool_calls" if answer.tool_calls else "stop",
        name,
    )
