"""What one agent asks its model in a run, and what becomes of the answer before anybody sees it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any, get_args

from agent_factory.core.events import (
    ModelAnswered,
    TextReceived,
)
from agent_factory.core.exceptions import (
    AgentFactoryError,
    ConfigurationError,
    CoreError,
    GuardrailError,
    HistoryError,
    ModelResponseError,
    OutputError,
    RefusalError,
)
from agent_factory.core.memory.ports import MemoryContext
from agent_factory.core.messages import (
    AssistantMessage,
    UserMessage,
    check_history,
)
from agent_factory.core.models import FinishReason
from agent_factory.core.runs.equipment import Equipment, prepare, write_instructions
from agent_factory.core.runs.guardrail_checks import GuardrailRunner
from agent_factory.core.runs.model_calls import Answer, Asker, show_response
from agent_factory.core.waiting import DeadlineError, abandon, run_until

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from agent_factory.core.agent import Agent
    from agent_factory.core.guardrails.guardrail import Verdict
    from agent_factory.core.messages import Message, ToolCall
    from agent_factory.core.models import Model, ModelResponse, OutputSchema
    from agent_factory.core.output import OutputType
    from agent_factory.core.runs.scope import RunScope

__all__ = ["WITHHELD", "Dialogue", "check_response"]

WITHHELD = "[withheld]"
"""What stands in records in place of a text that a guardrail objected to."""


class Dialogue:
    """The talk between the agent that has the conversation and its model.

    Args:
        scope: The run.
        streaming: Whether text is reported piece by piece or as a whole.

    Attributes:
        agent: The agent that has the conversation.
        equipment: What it works with.
        guardrails: Its guardrails.
        output: The shape of its answer.
        refused: Why calls of the last answer are not carried out, by their identifiers, as the guardrails have it.
    """

    __slots__ = (
        "_asker",
        "_memory_state",
        "_prompt",
        "_scope",
        "_shown",
        "_watch",
        "agent",
        "equipment",
        "guardrails",
        "output",
        "refused",
    )

    agent: Agent[Any, Any]
    equipment: Equipment
    guardrails: GuardrailRunner
    output: OutputType[Any]
    _prompt: UserMessage

    def __init__(self, scope: RunScope, *, streaming: bool) -> None:
        self._scope = scope
        self._asker = Asker(scope, streaming=streaming)
        self._memory_state: dict[object, object] = {}
        self._watch: asyncio.Task[Any] | None = None
        self.refused: dict[str, str] = {}
        # What others see in place of a message, by its identity; with the message, so that nothing else gets that.
        self._shown: dict[int, tuple[Message, Message]] = {}

    async def join(self, agent: Agent[Any, Any], prompt: UserMessage) -> UserMessage:
        """Let an agent have the conversation from here on, once its guardrails have looked at the prompt.

        Args:
            agent: The agent.
            prompt: What the run was asked.

        Returns:
            The prompt as the guardrails left it.

        Raises:
            GuardrailError: A guardrail blocked, or could not look.
        """
        guardrails = GuardrailRunner(self._scope, agent.name, agent.guardrails, self._ask_judge)
        self.agent, self.guardrails = agent, guardrails
        self.output = agent._output  # noqa: SLF001 - the loop is the other half of an agent
        if guardrails.has("input"):
            text, _ = await guardrails.check("input", prompt.text)
            if text != prompt.text:
                prompt = replace(prompt, text=text)
        guardrails.prompt = prompt.text
        self._prompt = prompt
        return prompt

    async def equip(self) -> str:
        """Gather what the agent works with.

        Returns:
            What its model is told before the conversation.

        Raises:
            CoreError: A toolset or the instructions cannot be had.
        """
        prompt = self.guardrails.prompt
        self.equipment = await prepare(self.agent, self._scope, prompt, self.output)
        return await write_instructions(self.agent, self._scope, prompt, self.output)

    def watch(self) -> None:
        """Let the guardrails look that look at the prompt while the model answers."""
        if self.guardrails.parallel:
            self._watch = self._scope.loop.create_task(self._check_beside(self.guardrails.prompt))

    async def close(self) -> None:
        """End what still looks."""
        watch = self._watch
        if watch is not None and not watch.done():
            await abandon(watch)
        elif watch is not None and not watch.cancelled():
            watch.exception()  # fetched, so that asyncio does not report it as lost

    async def ask(self, messages: tuple[Message, ...]) -> tuple[ModelResponse, Verdict | None]:
        """Ask the model, have its answer looked at, and tell of it.

        Args:
            messages: The whole conversation.

        Returns:
            The answer as the guardrails left it, and the verdict that sends the model back, or None.

        Raises:
            CoreError: The call failed, a limit was reached, or a guardrail blocked.
        """
        scope, guardrails = self._scope, self.guardrails
        self.refused = {}
        try:
            selected = await self._select(messages)
        finally:
            # What the guardrails beside have objected to meanwhile goes before whatever the memory says.
            watch = self._watch
            if watch is not None and watch.done():
                watch.result()
                watch = self._watch = None
        ask = self._asker.ask(
            self.agent.model,
            selected,
            tools=self.equipment.specs,
            output=self.output.schema,
            hold=guardrails.holds or watch is not None,
            thoughts=not guardrails.has("output"),
        )
        answer = await (ask if watch is None else self._ask_beside(ask, watch))
        response, verdict = answer.response, None
        if guardrails.has("output") or guardrails.has("tool_call"):
            if _has_twins(response.message):
                # Nobody looks at what is refused anyway, and nobody sees it.
                withheld = _withhold_all(response, self.equipment.answer_tool)
                self._tell(withheld, answer)
                check_response(withheld, self.agent.model.name)
            response, verdict = await self._check_output(answer)
        if verdict is None and guardrails.has("tool_call"):
            response = await self._check_calls(response, answer)
        if not answer.shown and verdict is None:
            if guardrails.holds:
                # Thoughts are never looked at, so they stay back.
                if response.message.text:
                    scope.emit(TextReceived, response.message.text)
            else:
                show_response(scope.emit, response, thoughts=not guardrails.has("output"))
        self._tell(response, answer)
        return response, verdict

    async def _ask_beside(
        self, ask: Coroutine[Any, Any, Answer], watch: asyncio.Task[Any]
    ) -> Answer:
        """Ask while the guardrails of the input still look; their objection ends the call."""
        task = self._scope.loop.create_task(ask)
        try:
            await asyncio.wait((task, watch), return_when=asyncio.FIRST_EXCEPTION)
            if watch.done():
                watch.result()
            answer = task.result()
        finally:
            left = [item for item in (task, watch) if not item.done()]
            if left:
                await abandon(*left)
            if task.done() and not task.cancelled():
                task.exception()  # fetched, so that asyncio does not report it as lost
        self._watch = None
        return answer

    async def _select(self, messages: tuple[Message, ...]) -> tuple[Message, ...]:
        """Return what of the conversation the model is to see."""
        memory, scope = self.agent.memory, self._scope
        if memory is None:
            return messages
        context = MemoryContext(
            self.agent.name,
            scope.run_id,
            scope.left(),
            self._ask_aside,
            self._memory_state,
            self._prompt,
        )
        name = f"the memory policy of agent {self.agent.name!r}"
        try:
            selected = await run_until(memory.select(messages, context), scope.deadline)
            if selected is not messages:
                selected = check_history(selected)
        except DeadlineError as error:
            raise scope.timed_out() from error
        except HistoryError as error:
            raise HistoryError(
                f"{name} selected what is no whole conversation: {error.message}",
                details=error.details,
            ) from error
        except AgentFactoryError:
            raise
        except Exception as error:
            raise ConfigurationError(f"{name} raised {type(error).__name__}: {error}") from error
        if not selected:
            raise HistoryError(f"{name} selected nothing: a model needs at least the prompt")
        return selected

    async def _ask_aside(
        self, model: Model, messages: tuple[Message, ...], *, output: OutputSchema | None = None
    ) -> str:
        """Ask a model aside from the conversation."""
        answer = await self._asker.ask(model, messages, output=output, quiet=True)
        self._tell(answer.response, answer, aside=True)
        check_response(answer.response, model.name)
        return answer.response.message.text

    async def _ask_judge(
        self, model: Model, messages: tuple[Message, ...], *, output: OutputSchema | None = None
    ) -> str:
        """Ask a model for a guardrail; its answer may quote what nobody is to see."""
        answer = await self._asker.ask(model, messages, output=output, quiet=True)
        self._tell(_withhold_all(answer.response, ""), answer, aside=True)
        check_response(answer.response, model.name)
        return answer.response.message.text

    async def _check_output(self, answer: Answer) -> tuple[ModelResponse, Verdict | None]:
        """Have the text of an answer, and the calls that give an answer, looked at."""
        response = answer.response
        message = response.message
        check, final = self.guardrails.check, self.equipment.answer_tool
        verdict: Verdict | None = None
        try:
            if message.text:
                text, verdict = await check("output", message.text)
                message = replace(message, text=text)
            calls: list[ToolCall] = []
            for call in message.tool_calls:
                if call.name == final and verdict is None:
                    text, verdict = await check("output", call.arguments)
                    call = replace(call, arguments=text)  # noqa: PLW2901 - the same call
                calls.append(call)
            message = replace(message, tool_calls=tuple(calls))
        except CoreError:
            self._tell(_withhold_all(response, final), answer)
            raise
        if verdict is not None:
            message = _withhold(message, final)
        if message != response.message:
            # What the model thought may say what it was not to say.
            message = replace(message, reasoning=())
            response = replace(response, logprobs=())
        return replace(response, message=message), verdict

    async def _check_calls(self, response: ModelResponse, answer: Answer) -> ModelResponse:
        """Have the arguments of tool calls looked at, before anybody sees them; what they leave is what runs."""
        message = response.message
        calls = list(message.tool_calls)
        for index, call in enumerate(calls):
            if call.name not in self.equipment.tools:
                continue
            try:
                arguments, verdict = await self.guardrails.check(
                    "tool_call", call.arguments, tool=call.name
                )
            except CoreError:
                # Nor does anybody see those that were not looked at yet.
                kept = calls[:index] + [replace(item, arguments="{}") for item in calls[index:]]
                self._tell(_with_calls(response, kept), answer)
                raise
            if verdict is not None:
                self.refused[call.id] = verdict.reason
                arguments = "{}"
            if arguments != call.arguments:
                calls[index] = replace(call, arguments=arguments)
        return response if tuple(calls) == message.tool_calls else _with_calls(response, calls)

    def _tell(self, response: ModelResponse, answer: Answer, *, aside: bool = False) -> None:
        message = response.message
        if message.reasoning and self.guardrails.has("output"):
            # Thoughts are never looked at, so they stay between the model and the run.
            shown = replace(message, reasoning=())
            response = replace(response, message=shown)
            if not aside:
                self._shown[id(message)] = (message, shown)
        self._scope.emit(
            ModelAnswered,
            response.message,
            answer.usage,
            response.finish_reason,
            response.model,
            response.logprobs,
            aside,
            answer.attempt,
        )

    def show(self, messages: tuple[Message, ...]) -> tuple[Message, ...]:
        """Return a conversation as others than the model may see it.

        Args:
            messages: The conversation of this run.
        """
        if not self._shown:
            return messages
        return tuple(self._shown.get(id(item), (item, item))[1] for item in messages)

    async def _check_beside(self, text: str) -> None:
        guardrails = self.guardrails
        left, _ = await guardrails.check("input", text, guardrails=guardrails.parallel)
        if left != text:
            name = guardrails.parallel[0].name
            raise GuardrailError(
                f"a guardrail of agent {self.agent.name!r} wants to replace a prompt that the model has already: "
                "declare it with mode='before'",
                guardrail=name,
                stage="input",
            )


def check_response(response: ModelResponse, name: str) -> None:
    """Refuse an answer that is none: cut short, refused, filtered, or with calls that cannot be told apart.

    Args:
        response: The answer.
        name: Name of the model, for messages.

    Raises:
        OutputError: It is cut short, refused or filtered.
        ModelResponseError: Two tool calls have one identifier.
    """
    if response.finish_reason == "length":
        raise OutputError(
            f"model {name!r} ran out of tokens before its answer was complete: "
            "allow it more output tokens, or ask for less",
            details={"reason": "length", "model": name},
        )
    if response.finish_reason == "refusal":
        raise RefusalError(
            f"model {name!r} refused to answer: {response.message.text}",
            refusal=response.message.text,
        )
    if response.finish_reason == "content_filter":
        raise OutputError(
            f"the answer of model {name!r} was stopped by its filter",
            details={"reason": "content_filter", "model": name},
        )
    calls = response.message.tool_calls
    if response.finish_reason not in get_args(FinishReason) or (
        response.finish_reason == "tool_calls" and not calls
    ):
        raise ModelResponseError(
            f"model {name!r} stopped with {response.finish_reason!r} and {len(calls)} tool calls, which is no answer",
            model=name,
        )
    if _has_twins(response.message):
        # Before any tool runs: their results could not be told apart in the history.
        raise ModelResponseError(
            f"model {name!r} asked for several tool calls under one id: {[call.id for call in calls]}",
            model=name,
        )


def _with_calls(response: ModelResponse, calls: Sequence[ToolCall]) -> ModelResponse:
    """Return a response with other calls, and without the thoughts that led to those before."""
    message = replace(response.message, tool_calls=tuple(calls), reasoning=())
    return replace(response, message=message)


def _has_twins(message: AssistantMessage) -> bool:
    """Return whether two tool calls have one identifier."""
    calls = message.tool_calls
    return len(calls) > 1 and len({call.id for call in calls}) < len(calls)


def _withhold_all(response: ModelResponse, final: str) -> ModelResponse:
    """Return a response without what a guardrail objected to."""
    return replace(response, message=_withhold(response.message, final), logprobs=())


def _withhold(message: AssistantMessage, final: str) -> AssistantMessage:
    """Return a message without what a guardrail objected to: its text, and the calls that give an answer."""
    calls = tuple(
        replace(call, arguments="{}") if call.name == final else call for call in message.tool_calls
    )
    return AssistantMessage(WITHHELD if message.text else "", calls)
