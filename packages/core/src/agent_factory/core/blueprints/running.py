"""Runs of workflows within what a blueprint allows: their time, their input, and their result."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from agent_factory.core.exceptions import RunTimeoutError
from agent_factory.core.workflows.engine import LocalEngine

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterator

    from agent_factory.core.approvals import Approval, ApprovalRequest, Approver
    from agent_factory.core.blueprints.assembly import Assembly
    from agent_factory.core.workflows import Workflow
    from agent_factory.core.workflows.people import Person, Question

__all__ = ["BlueprintEngine", "PatientApprover", "RunClock"]

T = TypeVar("T")


class RunClock:
    """The time that one run may take. It stands still while people are asked.

    Args:
        seconds: The time; None for no bound.
    """

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds
        self._left = seconds or 0.0
        self._asked = 0
        self._bound: asyncio.Timeout | None = None

    async def hold(self, work: Awaitable[T]) -> T:
        """Return what some work returns; it is cancelled when the time is up.

        Args:
            work: The run.

        Raises:
            RunTimeoutError: The time is up.
        """
        if self._seconds is None:
            return await work
        bound = asyncio.timeout(self._seconds)
        try:
            async with bound:
                self._bound = bound
                return await work
        except TimeoutError:
            if not bound.expired():
                raise
            raise RunTimeoutError(
                f"the run took longer than the {self._seconds:g} seconds of permissions.timeout"
            ) from None
        finally:
            self._bound = None

    @contextmanager
    def pause(self) -> Iterator[None]:
        """Let the time stand still as long as a person is asked."""
        self._asked += 1
        if self._asked == 1 and self._bound is not None and not self._bound.expired():
            now = asyncio.get_running_loop().time()
            self._left = (self._bound.when() or now) - now
            self._bound.reschedule(None)
        try:
            yield
        finally:
            self._asked -= 1
            if self._asked == 0 and self._bound is not None and not self._bound.expired():
                self._bound.reschedule(asyncio.get_running_loop().time() + self._left)


class PatientApprover:
    """Asks a person about tool calls while the time of the run stands still.

    Args:
        approver: Asks the person.
        clock: The time of the run.
    """

    def __init__(self, approver: Approver, clock: RunClock) -> None:
        self._approver = approver
        self._clock = clock

    async def decide(self, request: ApprovalRequest) -> Approval:
        """Return the person's decision.

        Args:
            request: What is to be approved.
        """
        with self._clock.pause():
            return await self._approver.decide(request)


class _PatientPerson:
    def __init__(self, person: Person, clock: RunClock) -> None:
        self._person = person
        self._clock = clock

    async def ask(self, question: Question) -> Any:
        with self._clock.pause():
            return await self._person.ask(question)


class BlueprintEngine:
    """Runs the workflows of a blueprint in this process: a `WorkflowEngine` that keeps to what the blueprint says.

    Args:
        assembly: The blueprint.
        person: Answers the questions of workflows; nobody if None.
        clock: The time of a run, for one run only; that of the permissions for each run if None.
    """

    def __init__(
        self,
        assembly: Assembly,
        *,
        person: Person | None = None,
        clock: RunClock | None = None,
    ) -> None:
        self._assembly = assembly
        self._person = person
        self._clock = clock

    async def run(self, workflow: Workflow[Any, T], value: Any, *, run_id: str | None = None) -> T:
        """Run a workflow to its end.

        Args:
            workflow: The workflow.
            value: Its input: a text, or plain data.
            run_id: Identifier of the run; a new one if None.

        Returns:
            Its result. That of the workflow which the blueprint runs fits ``outputs``.

        Raises:
            ConfigurationError: It is the workflow which the blueprint runs, and its input does not fit ``inputs``.
            OutputError: The result does not fit ``outputs``.
            RunTimeoutError: The run took longer than the permissions allow.
            WorkflowError: A step failed.
        """
        is_entry = workflow.name == self._assembly.entry
        if is_entry:
            self._assembly.check_input(value)
        clock = self._clock or RunClock(self._assembly.timeout)
        person = None if self._person is None else _PatientPerson(self._person, clock)
        result = await clock.hold(LocalEngine(person=person).run(workflow, value, run_id=run_id))
        if is_entry:
            self._assembly.check_output(result)
        return result
