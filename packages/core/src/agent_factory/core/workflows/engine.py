"""Engines: what runs workflows. The port, and the engine that runs them in this process."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from agent_factory.core.workflows.context import check_run_id
from agent_factory.core.workflows.lanes import Lane, join
from agent_factory.core.workflows.surroundings import Surroundings
from agent_factory.core.workflows.values import ValueRefusedError, create_codec

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from agent_factory.core.workflows.people import Person
    from agent_factory.core.workflows.workflow import Workflow

__all__ = ["LocalEngine", "WorkflowEngine"]

InT = TypeVar("InT")
OutT = TypeVar("OutT")

_INPUT = create_codec(Any, "a workflow takes")


class WorkflowEngine(Protocol):
    """What runs workflows. It executes the workflow's nodes with a `StepRunner` of its own."""

    async def run(
        self, workflow: Workflow[InT, OutT], value: InT, *, run_id: str | None = None
    ) -> OutT:
        """Run a workflow to its end.

        Args:
            workflow: The workflow.
            value: What its first step gets; data that can be written as JSON.
            run_id: Identifier of the run, unique for ever, without a colon; a new one if None.

        Returns:
            What its last step returned.

        Raises:
            ConfigurationError: The identifier is refused.
            WorkflowError: A step failed, or the value cannot be written as JSON.
        """
        ...


class LocalEngine:
    """Runs workflows in this process, and keeps no record: what is interrupted begins again from the start.

    Args:
        person: Answers the questions of workflows. Without one, a node that asks a person fails.
        sleep: Waits some seconds between the tries of a step; a test may pass one that does not wait.
        chance: Returns a random number from 0 to 1, for the length of those waits.
    """

    __slots__ = ("_chance", "_person", "_sleep")

    def __init__(
        self,
        *,
        person: Person | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._person = person
        self._sleep = sleep
        self._chance = chance

    async def run(
        self, workflow: Workflow[InT, OutT], value: InT, *, run_id: str | None = None
    ) -> OutT:
        """Run a workflow to its end.

        Args:
            workflow: The workflow.
            value: What its first step gets; data that can be written as JSON.
            run_id: Identifier of the run, unique for ever, without a colon; a new one if None.

        Returns:
            What its last step returned.

        Raises:
            ConfigurationError: The identifier is refused.
            WorkflowError: A step failed, or the value cannot be written as JSON.
        """
        if run_id is not None:
            check_run_id(run_id)
        around = Surroundings(
            workflow.name, run_id, person=self._person, sleep=self._sleep, chance=self._chance
        )
        lane = Lane(around)
        try:
            if value.__class__ not in _INPUT.plain:
                _INPUT.write(value)
        except ValueRefusedError as error:
            raise lane.refuse(workflow.steps[0].name, f"cannot be given {error}") from error
        outcome: asyncio.Future[Any] = lane.start(workflow.execute_steps(value, "", lane))
        await join([lane], [outcome])
        return cast("OutT", outcome.result())
