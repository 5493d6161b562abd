"""What one agent asks its model in a run, and what becomes of the answer before anybody sees it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

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
from agent_factory.core.runs.equipment import Equipment, prepare, write_instructions
from agent_factory.core.runs.guardrail_checks import GuardrailRunner
from agent_factory.core.runs.model_calls import Answer, Asker, show_response
from agent_factory.core.waiting import DeadlineError, abandon, run_until

if TYPE_CHECKING:
    from collections.abc import Coroutine

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
        looked_at: Whether answers were looked at by guardrails, so that thoughts stay back.
    """

    __slots__ = (
        "_asker",
        "_memory_state",
        "_scope",
        "_watch",
        "agent",
        "equipment",
        "guardrails",
        "looked_at",
        "output",
    )

    agent: Agent[Any, Any]
    equipment: Equipment
    guardrails: GuardrailRunner
    output: OutputType[Any]

    def __init__(self, scope: RunScope, *, streaming: bool) -> None:
        self._scope = scope
        self._asker = Asker(scope, streaming=streaming)
        self._memory_state: dict[object, object] = {}
        self._watch: asyncio.Task[Any] | None = None
        self.looked_at = False

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
        guardrails = GuardrailRunner(self._scope, agent.name, agent.guardrails, self._ask_quietly)
        self.agent, self.guardrails = agent, guardrails
        self.output = agent._output  # noqa: SLF001 - the loop is the other half of an agent
        if guardrails.has("input"):
            text, _ = await guardrails.check("input", prompt.text)
            if text != prompt.text:
                prompt = replace(prompt, text=text)
        guardrails.prompt = prompt.text
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
        if self._watch is not None and not self._watch.done():
            await abandon(self._watch)

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
        watch = self._watch
        ask = self._asker.ask(
            self.agent.model,
            await self._select(messages),
            tools=self.equipment.specs,
            output=self.output.schema,
            hold=guardrails.holds or watch is not None,
        )
        answer = await (ask if watch is None else self._ask_beside(ask, watch))
        response, verdict = answer.response, None
        if guardrails.has("output"):
            response, verdict = await self._check_output(answer)
        if not answer.shown and verdict is None:
            if guardrails.holds:
                # Thoughts are never looked at, so they stay back.
                if response.message.text:
                    scope.emit(TextReceived, response.message.text)
            else:
                show_response(scope.emit, response)
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
            self.agent.name, scope.run_id, scope.left(), self._ask_quietly, self._memory_state
        )
        name = f"the memory policy of agent {self.agent.name!r}"
        try:
            selected = check_history(
                await run_until(memory.select(messages, context), scope.deadline)
            )
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

    async def _ask_quietly(
        self, model: Model, messages: tuple[Message, ...], *, output: OutputSchema | None = None
    ) -> str:
        """Ask a model aside from the conversation."""
        answer = await self._asker.ask(model, messages, output=output, quiet=True)
        self._tell(answer.response, answer, quiet=True)
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
            self._tell(replace(response, message=_withhold(message, final), logprobs=()), answer)
            raise
        if verdict is not None:
            message = _withhold(message, final)
        if message != response.message:
            # What the model thought may say what it was not to say.
            message = replace(message, reasoning=())
            response = replace(response, logprobs=())
        return replace(response, message=message), verdict

    def _tell(self, response: ModelResponse, answer: Answer, *, quiet: bool = False) -> None:
        self.looked_at = self.looked_at or self.guardrails.has("output")
        self._scope.emit(
            ModelAnswered,
            self.show(response.message),
            answer.usage,
            response.finish_reason,
            response.model,
            response.logprobs,
            quiet,
        )

    def show(self, message: Message) -> Message:
        """Return a message as others than the model may see it: thoughts are never looked at, so they stay back.

        Args:
            message: A message of the conversation.
        """
        if self.looked_at and isinstance(message, AssistantMessage) and message.reasoning:
            return replace(message, reasoning=())
        return message

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
            "allow it more output tokens, or ask for less"
        )
    if response.finish_reason == "refusal":
        raise RefusalError(
            f"model {name!r} refused to answer: {response.message.text}",
            refusal=response.message.text,
        )
    if response.finish_reason == "content_filter":
        raise OutputError(f"the answer of model {name!r} was stopped by its filter")
    calls = response.message.tool_calls
    if len(calls) > 1 and len({call.id for call in calls}) < len(calls):
        # Before any tool runs: their results could not be told apart in the history.
        raise ModelResponseError(
            f"model {name!r} asked for several tool calls under one id: {[call.id for call in calls]}",
            model=name,
        )


def _withhold(message: AssistantMessage, final: str) -> AssistantMessage:
    """Return a message without what a guardrail objected to: its text, and the calls that give an answer."""
    calls = tuple(
        replace(call, arguments="{}") if call.name == final else call for call in message.tool_calls
    )
    return AssistantMessage(WITHHELD if message.text else "", calls)
