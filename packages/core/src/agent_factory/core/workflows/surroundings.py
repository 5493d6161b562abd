"""What all steps of one run in this process share."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

from agent_factory.core.identifiers import create_run_id
from agent_factory.core.workflows.context import StepContext

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from agent_factory.core.workflows.people import Person
    from agent_factory.core.workflows.steps import Step

__all__ = ["Surroundings"]


class Surroundings:
    """What all lanes of one run share.

    Args:
        workflow: Name of the workflow.
        run_id: Identifier of the run; a new one, as soon as it is needed, if None.
        person: Answers questions; None if there is nobody.
        sleep: Waits some seconds.
        chance: Returns a random number from 0 to 1.
    """

    __slots__ = ("_run_id", "chance", "loop", "person", "sleep", "workflow")

    def __init__(
        self,
        workflow: str,
        run_id: str | None,
        *,
        person: Person | None,
        sleep: Callable[[float], Awaitable[None]],
        chance: Callable[[], float],
    ) -> None:
        self.workflow = workflow
        self._run_id = run_id
        self.person = person
        self.sleep = sleep
        self.chance = chance
        self.loop = asyncio.get_running_loop()

    @property
    def run_id(self) -> str:
        """Identifier of the run."""
        if self._run_id is None:
            self._run_id = create_run_id()
        return self._run_id

    def bind(
        self, step: Step[Any, Any], path: str, attempt: int
    ) -> Callable[[Any], Awaitable[Any]]:
        """Return what runs a step for a value.

        Args:
            step: The step.
            path: Its path.
            attempt: Number of the try, from 1.
        """
        if not step.takes_context:
            return step.call
        return partial(step.call, StepContext(self.run_id, path, attempt))
