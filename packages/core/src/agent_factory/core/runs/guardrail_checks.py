"""Asks the guardrails of a run, one after the other, and records what they decide."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from agent_factory.core.events import GuardrailChecked
from agent_factory.core.exceptions import GuardrailError, LimitExceededError
from agent_factory.core.guardrails.guardrail import (
    GuardrailContext,
    Verdict,
)
from agent_factory.core.waiting import Deadline, DeadlineError, run_in_thread, run_until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable, Sequence

    from agent_factory.core.guardrails.guardrail import Guardrail, GuardrailStage
    from agent_factory.core.messages import ToolOutcome
    from agent_factory.core.models import Ask
    from agent_factory.core.runs.scope import RunScope

__all__ = ["GuardrailRunner"]


class GuardrailRunner:
    """The guardrails of one agent in one run.

    Args:
        scope: The run.
        agent: Name of the agent.
        guardrails: Its guardrails, in order.
        ask: Asks a model within the run's limits, for guardrails that are models.

    Attributes:
        holds: Whether text has to be held back until it was checked.
        parallel: The guardrails of inputs that look while the model answers.
        prompt: What the agent was asked, as it reached the model.
    """

    __slots__ = ("_agent", "_ask", "_by_stage", "_scope", "holds", "parallel", "prompt")

    def __init__(
        self,
        scope: RunScope,
        agent: str,
        guardrails: Sequence[Guardrail[Any]],
        ask: Ask,
    ) -> None:
        self._scope = scope
        self._agent = agent
        self._ask = ask
        self._by_stage: dict[str, list[Guardrail[Any]]] = {}
        self.parallel: list[Guardrail[Any]] = []
        self.holds = False
        self.prompt = ""
        for guardrail in guardrails:
            for stage in guardrail.stages:
                if stage == "input" and guardrail.mode == "parallel":
                    self.parallel.append(guardrail)
                else:
                    self._by_stage.setdefault(stage, []).append(guardrail)
            if "output" in guardrail.stages and guardrail.hold:
                self.holds = True

    def has(self, stage: GuardrailStage) -> bool:
        """Return whether a guardrail looks at a stage.

        Args:
            stage: The stage.
        """
        return stage in self._by_stage

    async def check(
        self,
        stage: GuardrailStage,
        text: str,
        *,
        tool: str = "",
        outcome: ToolOutcome = "ok",
        guardrails: Iterable[Guardrail[Any]] | None = None,
    ) -> tuple[str, Verdict | None]:
        """Have a text looked at.

        Args:
            stage: What the text is.
            text: The text.
            tool: Name of the tool whose arguments or result it is.
            outcome: How the call ended whose result it is.
            guardrails: Who looks; all of the stage if None.

        Returns:
            The text as the guardrails left it, and the verdict that sends the model back, or None.

        Raises:
            GuardrailError: A guardrail blocked, or could not look.
            RunTimeoutError: The run had to end meanwhile.
        """
        context = GuardrailContext(
            stage,
            self._scope.deps,
            self._agent,
            self._scope.run_id,
            tool,
            self.prompt,
            outcome,
            self._ask,
        )
        for guardrail in self._by_stage.get(stage, ()) if guardrails is None else guardrails:
            if tool and guardrail.tools and tool not in guardrail.tools:
                continue
            verdict = await self._look(guardrail, text, context)
            self._scope.emit(
                GuardrailChecked, guardrail.name, stage, verdict.decision, verdict.reason, tool
            )
            if verdict.decision == "replace":
                text = verdict.replacement
            elif verdict.decision == "block" or (
                verdict.decision == "retry" and stage == "input"  # nobody to send back
            ):
                raise self._error(guardrail, context, f"blocked {_NAMES[stage]}: {verdict.reason}")
            elif verdict.decision == "retry":
                return text, verdict
        return text, None

    async def _look(
        self, guardrail: Guardrail[Any], text: str, context: GuardrailContext[Any]
    ) -> Verdict:
        try:
            limit = Deadline(self._scope.loop, guardrail.timeout, self._scope.deadline)
            verdict: Any
            if len(text) > _LARGE and not inspect.iscoroutinefunction(guardrail.check):
                # It would hold up the event loop, and nothing could end it.
                verdict = await run_until(
                    run_in_thread(lambda: guardrail.check(text, context)), limit
                )
            else:
                verdict = guardrail.check(text, context)
            if inspect.isawaitable(verdict):
                verdict = await run_until(_await(verdict), limit)
        except DeadlineError as error:
            self._scope.left()
            raise self._error(
                guardrail, context, f"had no verdict within {guardrail.timeout:g} s"
            ) from error
        except (GuardrailError, LimitExceededError):
            raise
        except (Exception, SystemExit) as error:  # which would end the event loop
            # Not its words: they may repeat the text that nobody is to see.
            raise self._error(
                guardrail, context, f"could not look: its check raised {type(error).__name__}"
            ) from error
        if not isinstance(verdict, Verdict):
            raise self._error(
                guardrail, context, f"returned {type(verdict).__name__} in place of a Verdict"
            )
        return verdict

    def _error(
        self, guardrail: Guardrail[Any], context: GuardrailContext[Any], what: str
    ) -> GuardrailError:
        of_tool = f" of tool {context.tool!r}" if context.tool else ""
        return GuardrailError(
            f"guardrail {guardrail.name!r} of agent {self._agent!r} {what}{of_tool}",
            guardrail=guardrail.name,
            stage=context.stage,
            tool=context.tool,
        )


_LARGE = 65_536
_NAMES = {
    "input": "the prompt",
    "output": "the answer",
    "tool_call": "a call",
    "tool_result": "a result",
}


async def _await(verdict: Awaitable[Verdict]) -> Verdict:
    return await verdict
