"""The one loop that every run goes through: ask the model, call the tools, until there is an answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from agent_factory.core.events import (
    HandedOff,
    OutputRejected,
    RunFailed,
    RunFinished,
    RunStarted,
    ToolFinished,
)
from agent_factory.core.exceptions import (
    AgentFactoryError,
    CoreError,
    OutputError,
    RunCancelledError,
    ToolDeniedError,
    ToolError,
)
from agent_factory.core.messages import (
    AssistantMessage,
    History,
    SystemMessage,
    ToolMessage,
    UserMessage,
)
from agent_factory.core.result import RunResult
from agent_factory.core.runs.dialogue import WITHHELD, Dialogue, check_response
from agent_factory.core.runs.tool_calls import ToolCaller
from agent_factory.core.runs.tool_pipeline import create_refusal
from agent_factory.core.waiting import DeadlineError, run_until

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent_factory.core.agent import Agent
    from agent_factory.core.messages import Message, ToolCall
    from agent_factory.core.options import Session
    from agent_factory.core.runs.scope import RunScope

__all__ = ["RunLoop"]


class RunLoop:
    """One run, of one agent and those that it hands over to. Used once.

    Args:
        agent: The agent that begins.
        scope: The run.
        prompt: What the agent is asked.
        history: What was said before, without instructions.
        streaming: Whether text is reported piece by piece or as a whole.
    """

    __slots__ = (
        "_agent",
        "_dialogue",
        "_history",
        "_known",
        "_prompt",
        "_rejections",
        "_scope",
        "_stored",
    )

    def __init__(
        self,
        agent: Agent[Any, Any],
        scope: RunScope,
        prompt: UserMessage,
        history: Sequence[Message],
        *,
        streaming: bool,
    ) -> None:
        self._agent = agent
        self._scope = scope
        self._prompt = prompt
        self._known = history
        self._stored = 0
        self._history = History()
        self._dialogue = Dialogue(scope, streaming=streaming)
        self._rejections = 0

    async def run(self) -> RunResult[Any]:
        """Run to the end.

        Returns:
            The result; the last event has it too.

        Raises:
            CoreError: As `Agent.run`. The last event has the error.
        """
        scope = self._scope
        try:
            result = await self._run()
        except asyncio.CancelledError:
            scope.emit(RunFailed, RunCancelledError("the run was cancelled by its caller"))
            raise
        except CoreError as error:
            scope.emit(RunFailed, error)
            raise
        except BaseException as error:
            said = error.message if isinstance(error, AgentFactoryError) else str(error)
            failure = CoreError(f"{type(error).__name__}: {said}")
            failure.__cause__ = error
            scope.emit(RunFailed, failure)
            raise
        finally:
            await self._dialogue.close()
        scope.emit(RunFinished, result)
        return result

    async def _run(self) -> RunResult[Any]:
        await self._begin()
        scope, history, dialogue = self._scope, self._history, self._dialogue
        while True:
            await scope.drained()
            response, verdict = await dialogue.ask(history.messages)
            message = response.message
            if verdict is not None:
                self._send_back(message, verdict.reason)
                continue
            check_response(response, dialogue.agent.model.name)
            calls = message.tool_calls
            if not calls:
                if (output := self._read_answer(message)) is not None:
                    return await self._finish(output[0])
                continue
            equipment = dialogue.equipment
            final = self._find(calls, equipment.answer_tool)
            if final is not None:
                if (output := self._read_call(message, final)) is not None:
                    return await self._finish(output[0])
                continue
            await scope.drained()
            handoff = next((call for call in calls if call.name in equipment.handoffs), None)
            if handoff is not None:
                await self._hand_over(message, handoff)
                continue
            caller = ToolCaller(
                scope,
                dialogue.agent.name,
                equipment.tools,
                dialogue.guardrails,
                dialogue.refused,
            )
            history.extend((message, *await caller.call_all(calls)))

    async def _begin(self) -> None:
        """Check the prompt, gather what was said before, and tell that the run has started."""
        scope, agent, dialogue = self._scope, self._agent, self._dialogue
        scope.hold()
        messages: tuple[Message, ...] = ()
        shown = WITHHELD
        try:
            prompt = self._prompt = await dialogue.join(agent, self._prompt)
            shown = prompt.text
            instructions = await dialogue.equip()
            system = (SystemMessage(instructions),) if instructions else ()
            session = scope.options.session
            if session is not None and scope.parent is None:
                stored = await self._load(session)
                self._stored = len(stored)
                self._known = [item for item in stored if not isinstance(item, SystemMessage)]
            self._history.extend((*system, *self._known, prompt))
            messages = self._history.messages
        finally:
            # Also where that failed: the first event of a run is always the same.
            around = "" if scope.parent is None else scope.parent.run_id
            scope.release(
                RunStarted,
                agent.name,
                agent.model.name,
                shown,
                messages,
                around,
                scope.parent_call_id,
            )
        dialogue.watch()

    async def _load(self, session: Session) -> tuple[Message, ...]:
        scope = self._scope
        try:
            return await run_until(session.store.load(session.scope), scope.deadline)
        except DeadlineError as error:
            raise scope.timed_out() from error

    def _read_answer(self, message: AssistantMessage) -> tuple[Any] | None:
        """Return the output that an answer in words has, or None once the model has been sent back."""
        try:
            if self._dialogue.equipment.answer_tool:
                raise OutputError(
                    f"the answer has to be given by calling {self._dialogue.equipment.answer_tool!r}",
                    details={"reason": "mismatch"},
                )
            if self._dialogue.output.type is str and not message.text.strip():
                raise OutputError("the answer is empty", details={"reason": "empty"})
            output = self._dialogue.output.parse(message.text)
        except OutputError as error:
            self._send_back(message, error.message, error)
            return None
        self._history.extend((message,))
        return (output,)

    def _read_call(self, message: AssistantMessage, final: ToolCall) -> tuple[Any] | None:
        """Return the output that a call of the answer's tool has, or None once the model has been told what is wrong."""
        failure: OutputError | None = None
        output: Any = None
        try:
            output = self._dialogue.output.parse(final.arguments)
        except OutputError as error:
            failure = error
        if failure is None:
            told = ToolMessage(final.id, final.name, "The answer was accepted.")
        else:
            self._count_rejection(failure)
            told = create_refusal(final, ToolError(failure.message, tool=final.name))
        self._answer_calls(message, told, "the answer was given in the same message")
        if failure is not None:
            self._scope.emit(OutputRejected, failure.message)
            return None
        return (output,)

    async def _hand_over(self, message: AssistantMessage, call: ToolCall) -> None:
        """Let another agent go on with the conversation."""
        scope, dialogue, before = self._scope, self._dialogue, self._dialogue.agent
        other = dialogue.equipment.handoffs[call.name]
        told = ToolMessage(call.id, call.name, f"The agent {other.name!r} goes on.")
        self._answer_calls(message, told, "the conversation was handed over in the same message")
        prompt = await dialogue.join(other, self._prompt)
        if prompt is not self._prompt:
            self._history.replace_prompt(self._prompt, prompt)
            self._prompt = prompt
        instructions = await dialogue.equip()
        self._history.set_instructions(instructions)
        scope.emit(HandedOff, before.name, other.name, other.model.name, instructions, prompt.text)
        dialogue.watch()

    def _answer_calls(self, message: AssistantMessage, told: ToolMessage, why: str) -> None:
        """Record a message whose calls are not carried out: one is answered, the others are refused."""
        results = [
            (
                told
                if call.id == told.call_id
                else create_refusal(call, ToolDeniedError(f"not carried out: {why}"))
            )
            for call in message.tool_calls
        ]
        self._history.extend((message, *results))
        for call, result in zip(message.tool_calls, results, strict=True):
            self._scope.emit(ToolFinished, call, result.content, result.outcome)

    def _send_back(
        self, message: AssistantMessage, reason: str, error: OutputError | None = None
    ) -> None:
        """Ask the model to answer again, unless it was asked often enough."""
        self._count_rejection(
            error
            or OutputError(
                f"the answer was not accepted: {reason}", details={"reason": "guardrail"}
            )
        )
        scope = self._scope
        results = [
            create_refusal(call, ToolDeniedError(f"not carried out: {reason}"))
            for call in message.tool_calls
        ]
        words = () if results else (UserMessage(f"{reason}. Answer again."),)
        self._history.extend((message, *results, *words))
        for call, result in zip(message.tool_calls, results, strict=True):
            scope.emit(ToolFinished, call, result.content, result.outcome)
        scope.emit(OutputRejected, reason, words)

    def _count_rejection(self, error: OutputError) -> None:
        self._rejections += 1
        if self._rejections > self._scope.limits.max_output_retries:
            raise error

    async def _finish(self, output: Any) -> RunResult[Any]:
        scope, messages = self._scope, self._dialogue.show(self._history.messages)
        session = scope.options.session
        if session is not None and scope.parent is None:
            said = [item for item in messages if not isinstance(item, SystemMessage)]
            append = session.store.append(
                session.scope, said[len(self._known) :], expected=self._stored
            )
            try:
                await run_until(append, scope.deadline)
            except DeadlineError as error:
                raise scope.timed_out() from error
        return RunResult(output, messages, scope.usage, scope.run_id, self._dialogue.agent.name)

    @staticmethod
    def _find(calls: Sequence[ToolCall], name: str) -> ToolCall | None:
        return next((call for call in calls if call.name == name), None) if name else None
