"""Runs of agents with guardrails, and what can be seen of them afterwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from agent_factory.core import (
    Agent,
    Guardrail,
    GuardrailChecked,
    GuardrailContext,
    GuardrailError,
    Limits,
    RunFinished,
    RunOptions,
    TextReceived,
    ToolMessage,
    Verdict,
)
from agent_factory.core.testing import (
    ScriptedModel,
    run_virtual,
)

if TYPE_CHECKING:
    from agent_factory.core import (
        GuardrailStage,
        Model,
        RunEvent,
        RunResult,
        Tool,
    )
    from agent_factory.core.testing import Answer

__all__ = [
    "CANARY",
    "STAGES",
    "Outcome",
    "both_ways",
    "decisions",
    "each_stage",
    "go",
    "guard",
    "make_agent",
    "object_to",
]

CANARY = "tangerine-7731"
"""What must not be seen anywhere once a guardrail has objected to it."""

STAGES: tuple[GuardrailStage, ...] = ("input", "output", "tool_call", "tool_result")

each_stage = pytest.mark.parametrize("stage", STAGES)
both_ways = pytest.mark.parametrize("streaming", [False, True], ids=["run", "stream"])


class Outcome:
    """How a run went: its result or its error, and its events."""

    def __init__(
        self, result: RunResult[Any] | None, error: Exception | None, events: list[RunEvent[Any]]
    ) -> None:
        self._result = result
        self._error = error
        self.events = events

    @property
    def result(self) -> RunResult[Any]:
        assert self._result is not None, self._error
        return self._result

    @property
    def error(self) -> GuardrailError:
        assert isinstance(self._error, GuardrailError), self._error or self._result
        return self._error

    @property
    def failure(self) -> Exception:
        assert self._error is not None
        return self._error

    def get(self, *kinds: type) -> list[Any]:
        """Return the events of some kinds."""
        return [event for event in self.events if isinstance(event, kinds)]

    @property
    def text(self) -> str:
        """All the text that was given out."""
        return "".join(event.text for event in self.get(TextReceived))

    @property
    def tool_messages(self) -> list[ToolMessage]:
        return [item for item in self.result.messages if isinstance(item, ToolMessage)]

    def shows(self, text: str) -> bool:
        """Return whether a text can be seen anywhere."""
        error = self._error
        said = "" if error is None else f"{error} {getattr(error, 'details', '')}"
        return text in f"{self.events!r} {self._result!r} {said}"


def go(
    agent: Agent[Any, Any],
    prompt: str = "Hi.",
    *,
    streaming: bool = False,
    deps: Any = None,
    **options: Any,
) -> Outcome:
    """Run an agent to its end, whichever it is."""
    events: list[RunEvent[Any]] = []

    async def main() -> RunResult[Any] | None:
        given = RunOptions(observers=(events.append,), **options)
        if not streaming:
            return await agent.run(prompt, deps=deps, options=given)
        read = [event async for event in agent.stream(prompt, deps=deps, options=given)]
        assert read == events
        last = read[-1]
        return last.result if isinstance(last, RunFinished) else None

    try:
        return Outcome(run_virtual(main()), None, events)
    except Exception as error:  # noqa: BLE001 - the test looks at it
        return Outcome(None, error, events)


def make_agent(
    answers: Sequence[Answer] | Model,
    *guardrails: Guardrail[Any],
    tools: Sequence[Tool[Any]] = (),
    **values: Any,
) -> Agent[Any, Any]:
    """Return an agent whose model follows a script."""
    model: Any = ScriptedModel(answers) if isinstance(answers, Sequence) else answers
    given: dict[str, Any] = {"limits": Limits(timeout=100)}
    return Agent(name="clerk", model=model, guardrails=guardrails, tools=tools, **given | values)


def guard(
    stage: GuardrailStage,
    check: Callable[[str, GuardrailContext[Any]], Any] | Verdict,
    name: str = "mine",
    **values: Any,
) -> Guardrail[Any]:
    """Return a guardrail with a check, or with one verdict for anything."""
    called: Any = (lambda text, context: check) if isinstance(check, Verdict) else check
    return Guardrail(name, frozenset({stage}), called, **values)


def object_to(
    stage: GuardrailStage, verdict: Verdict, *, what: str = CANARY, **values: Any
) -> Guardrail[Any]:
    """Return a guardrail with a verdict for texts in which something stands."""
    return guard(
        stage, lambda text, context: verdict if what in text else Verdict.allow(), **values
    )


def decisions(outcome: Outcome) -> list[tuple[str, str, str, str]]:
    """Return what guardrails decided: who, on what, what, and why."""
    return [
        (event.guardrail, event.stage, event.decision, event.reason)
        for event in outcome.get(GuardrailChecked)
    ]
