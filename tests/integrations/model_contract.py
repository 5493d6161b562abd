"""What every adapter of core's `Model` port promises; each adapter's tests run it.

```python
class TestMyModel(ModelContract):
    @asynccontextmanager
    async def opened(self, scenario: Scenario) -> AsyncIterator[Model]:
        yield MyModel(...)
```
"""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import Coroutine
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any, ClassVar, Literal, TypeAlias

import pytest

from agent_factory.core import (
    AssistantMessage,
    Message,
    Model,
    ModelError,
    ModelRequest,
    ModelResponse,
    OutputSchema,
    Reasoning,
    ReasoningDelta,
    SystemMessage,
    TextDelta,
    ToolMessage,
    ToolSpec,
    UserMessage,
    check_history,
)

__all__ = ["ModelContract", "Scenario"]

Scenario: TypeAlias = Literal["text", "tools", "output", "failure"]
"""What the model is to do: answer in words, call a tool and then answer, answer in JSON, or fail."""

SEARCH = ToolSpec(
    "search_documents",
    "Searches the documents of the project.",
    {
        "type": "object",
        "properties": {"query": {"type": "string", "description": "Words to look for."}},
        "required": ["query"],
        "additionalProperties": False,
    },
)
CITY = OutputSchema(
    "city",
    {
        "type": "object",
        "properties": {"name": {"type": "string", "maxLength": 40}},
        "required": ["name"],
        "additionalProperties": False,
    },
)
SEARCHING: tuple[Message, ...] = (
    SystemMessage("You search the documents before you answer."),
    UserMessage("Call the tool search_documents to find the capital of France."),
)


class ModelContract(ABC):
    """The contract. A subclass says how to open the model for a scenario.

    Attributes:
        has_output: Whether the model can answer in a given shape; if not, it must refuse.
        has_tools: Whether the model calls tools.
        timeout: Seconds that one call may take.
        found: What the search tool finds.
    """

    has_output: ClassVar[bool] = True
    has_tools: ClassVar[bool] = True
    timeout: ClassVar[float] = 60.0
    found: ClassVar[str] = json.dumps(
        {
            "passages": [
                {
                    "file": "docs/france.md",
                    "line": 3,
                    "end_line": 3,
                    "heading": "France",
                    "text": "The capital of France is Paris.",
                    "score": 4.2,
                }
            ]
        }
    )

    @abstractmethod
    def opened(self, scenario: Scenario) -> AbstractAsyncContextManager[Model]:
        """Open a model, which does what the scenario says."""

    def test_it_is_a_model_with_a_name(self) -> None:
        async def check() -> None:
            async with self.opened("text") as model:
                assert isinstance(model, Model)
                assert model.name.strip() == model.name != ""

        _run(check())

    def test_a_response_is_one_request_with_a_text_and_a_reason_to_stop(self) -> None:
        async def check() -> None:
            async with self.opened("text") as model:
                response = await model.respond(self._ask())
            assert response.message.text
            assert response.message.tool_calls == ()
            assert response.finish_reason in ("stop", "length")
            assert response.usage.requests == 1
            assert response.usage.input_tokens >= 0
            assert response.usage.output_tokens >= 0
            assert response.usage.tool_calls == 0

        _run(check())

    def test_the_pieces_of_a_stream_add_up_to_the_text_of_its_last_item(self) -> None:
        async def check() -> None:
            async with self.opened("text") as model:
                items = [item async for item in model.stream(self._ask())]
            *pieces, last = items
            assert isinstance(last, ModelResponse)
            assert all(
                isinstance(item, (TextDelta, ReasoningDelta)) and item.text for item in pieces
            )
            texts = [piece.text for piece in pieces if isinstance(piece, TextDelta)]
            assert "".join(texts) == last.message.text != ""
            assert last.usage.requests == 1

        _run(check())

    def test_a_stream_says_what_a_response_says(self) -> None:
        async def check() -> None:
            async with self.opened("text") as model:
                whole = await model.respond(self._ask())
                streamed = [item async for item in model.stream(self._ask())][-1]
            assert isinstance(streamed, ModelResponse)
            assert streamed.message == whole.message
            assert streamed.finish_reason == whole.finish_reason

        _run(check())

    def test_a_tool_call_fits_the_tool_and_the_history_goes_on_after_it(self) -> None:
        self._need_tools()

        async def check() -> None:
            async with self.opened("tools") as model:
                request = self._ask(SEARCHING, tools=(SEARCH,))
                response = await model.respond(request)
                calls = response.message.tool_calls
                assert response.finish_reason == "tool_calls"
                assert calls
                results = []
                for call in calls:
                    assert call.name == SEARCH.name
                    arguments = json.loads(call.arguments)
                    assert list(arguments) == ["query"]
                    assert isinstance(arguments["query"], str)
                    results.append(ToolMessage(call.id, call.name, self.found))
                history = check_history((*request.messages, response.message, *results))
                again = await model.respond(self._ask(history, tools=(SEARCH,)))
            assert again.message.text or again.message.tool_calls

        _run(check())

    def test_a_streamed_tool_call_is_whole_in_the_last_item(self) -> None:
        self._need_tools()

        async def check() -> None:
            async with self.opened("tools") as model:
                items = [item async for item in model.stream(self._ask(SEARCHING, tools=(SEARCH,)))]
            last = items[-1]
            assert isinstance(last, ModelResponse)
            assert last.finish_reason == "tool_calls"
            assert {call.name for call in last.message.tool_calls} == {SEARCH.name}
            assert all(json.loads(call.arguments) for call in last.message.tool_calls)

        _run(check())

    def test_a_structured_answer_has_the_shape_or_is_refused(self) -> None:
        async def check() -> None:
            async with self.opened("output") as model:
                request = self._ask(output=CITY)
                if not self.has_output:
                    with pytest.raises(ModelError) as caught:
                        await model.respond(request)
                    assert not caught.value.retryable
                    return
                response = await model.respond(request)
            value = json.loads(response.message.text)
            assert list(value) == ["name"]
            assert isinstance(value["name"], str)

        _run(check())

    def test_thoughts_of_another_model_do_not_disturb_it(self) -> None:
        async def check() -> None:
            thoughts = (Reasoning("Hm."), Reasoning("", '{"secret": 1}', "nobody.knows"))
            said = AssistantMessage("Hello. What do you want to know?", (), thoughts)
            asked = (UserMessage("Hello!"), said, UserMessage("What is the capital of France?"))
            async with self.opened("text") as model:
                assert (await model.respond(self._ask(asked))).message.text

        _run(check())

    def test_a_bound_on_the_tokens_of_an_answer_is_taken(self) -> None:
        async def check() -> None:
            async with self.opened("text") as model:
                request = replace(self._ask(), max_output_tokens=64)
                response = await model.respond(request)
            assert response.finish_reason in ("stop", "length")

        _run(check())

    def test_the_requests_of_a_run_may_share_a_memo(self) -> None:
        async def check() -> None:
            async with self.opened("text") as model:
                first = self._ask()
                one = await model.respond(first)
                longer = check_history((*first.messages, one.message, first.messages[-1]))
                shared = await model.respond(replace(self._ask(longer), memo=first.memo))
                alone = await model.respond(self._ask(longer))
            assert shared.message == alone.message

        _run(check())

    def test_many_runs_may_use_it_at_a_time(self) -> None:
        async def check() -> None:
            async with self.opened("text") as model:
                responses = await asyncio.gather(*(model.respond(self._ask()) for _ in range(4)))
            assert len({response.message.text for response in responses}) == 1

        _run(check())

    def test_it_works_on_one_event_loop_after_the_other(self) -> None:
        async def say() -> str:
            async with self.opened("text") as model:
                return (await model.respond(self._ask())).message.text

        assert _run(say()) == _run(say())

    def test_a_stream_may_be_left_early(self) -> None:
        async def check() -> None:
            async with self.opened("text") as model:
                stream = model.stream(self._ask())
                first = await anext(stream)
                await stream.aclose()  # type: ignore[attr-defined]  # the port promises less
                assert isinstance(first, (TextDelta, ReasoningDelta))
                assert (await model.respond(self._ask())).message.text

        _run(check())

    def test_a_failed_call_raises_an_error_that_names_the_model(self) -> None:
        async def check() -> None:
            async with self.opened("failure") as model:
                with pytest.raises(ModelError) as caught:
                    await model.respond(self._ask())
                assert caught.value.model in model.name
                with pytest.raises(ModelError) as streamed:
                    _ = [item async for item in model.stream(self._ask())]
            assert type(streamed.value) is type(caught.value)

        _run(check())

    def _need_tools(self) -> None:
        if not self.has_tools:
            pytest.skip("this model does not call tools")

    def _ask(
        self,
        messages: tuple[Message, ...] = (
            SystemMessage("You answer in one short sentence."),
            UserMessage("Hello!"),
            AssistantMessage("Hello. What do you want to know?"),
            UserMessage("What is the capital of France?"),
        ),
        *,
        tools: tuple[ToolSpec, ...] = (),
        output: OutputSchema | None = None,
    ) -> ModelRequest:
        return ModelRequest(check_history(messages), tools, output, self.timeout)


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)
