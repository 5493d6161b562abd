"""Workflows: typed steps, each of which hands its result to the next."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from agent_factory.core.exceptions import AgentFactoryError, ConfigurationError, WorkflowError
from agent_factory.core.waiting import DeadlineError, is_duration, run_bounded, run_in_thread

__all__ = ["Step", "Workflow", "step"]

InT = TypeVar("InT")
OutT = TypeVar("OutT")
NextT = TypeVar("NextT")

DEFAULT_TIMEOUT = 300.0


@dataclass(frozen=True, slots=True)
class Step(Generic[InT, OutT]):
    """One step of a workflow.

    Attributes:
        name: Name, unique within a workflow.
        function: What the step does: a coroutine function, or a plain one, which runs in a thread.
        timeout: Seconds that the step may take; finite and greater than 0.

    Raises:
        ConfigurationError: The name is empty or the timeout out of range.
    """

    name: str
    function: Callable[[InT], Awaitable[OutT] | OutT]
    timeout: float = DEFAULT_TIMEOUT

    def __post_init__(self) -> None:
        """Check name and timeout."""
        if not self.name.strip():
            raise ConfigurationError("a step needs a name that is not empty")
        if not is_duration(self.timeout):
            raise ConfigurationError(
                f"step {self.name!r}: timeout must be a finite number of seconds above 0, "
                f"not {self.timeout!r}"
            )


def step(
    function: Callable[[InT], Awaitable[OutT]],
    *,
    name: str | None = None,
    timeout: float = DEFAULT_TIMEOUT,
) -> Step[InT, OutT]:
    """Make a step from a coroutine function.

    Args:
        function: What the step does.
        name: Name of the step; the function's own if None.
        timeout: Seconds that the step may take; finite and greater than 0.

    Returns:
        The step.

    Raises:
        ConfigurationError: The name is empty or the timeout out of range.
    """
    if name is None:
        name = str(getattr(function, "__name__", "step"))
    return Step(name, function, timeout)


class Workflow(Generic[InT, OutT]):
    """Steps in a row. Immutable: `then` returns a longer workflow, whose types mypy checks.

    ```python
    workflow = Workflow("count", step(read)).then(step(count_words))
    words = await workflow.run("notes.txt")
    ```

    Args:
        name: Name for people and records; not empty.
        first: The first step.

    Raises:
        ConfigurationError: The name is empty.
    """

    __slots__ = ("_steps", "name")

    def __init__(self, name: str, first: Step[InT, OutT]) -> None:
        if not name.strip():
            raise ConfigurationError("a workflow needs a name that is not empty")
        self.name = name
        self._steps: tuple[Step[Any, Any], ...] = (first,)

    @property
    def steps(self) -> tuple[Step[Any, Any], ...]:
        """The steps in their order."""
        return self._steps

    def then(self, following: Step[OutT, NextT]) -> Workflow[InT, NextT]:
        """Return a workflow with one more step.

        Args:
            following: The step; it takes what the last one returns.

        Raises:
            ConfigurationError: A step of that name is there already.
        """
        if any(item.name == following.name for item in self._steps):
            raise ConfigurationError(
                f"workflow {self.name!r} has a step named {following.name!r} already: "
                "pass another name with step(name=...)"
            )
        longer = cast("Workflow[InT, NextT]", Workflow(self.name, self._steps[0]))
        longer._steps = (*self._steps, following)  # noqa: SLF001 - of the same class
        return longer

    async def run(self, value: InT) -> OutT:
        """Run the steps one after the other.

        Args:
            value: What the first step gets.

        Returns:
            What the last step returned.

        Raises:
            WorkflowError: A step raised something, or ran past its timeout; ``__cause__`` has it.
        """
        current: Any = value
        for item in self._steps:
            try:
                current = await run_bounded(_call(item.function, current), item.timeout)
            except Exception as error:
                reason = (
                    f"did not finish within {item.timeout:g} s"
                    if isinstance(error, DeadlineError)
                    else (
                        f"failed: {error.message}"
                        if isinstance(error, AgentFactoryError)
                        else f"raised {type(error).__name__}: {error}"
                    )
                )
                raise WorkflowError(
                    f"workflow {self.name!r}: step {item.name!r} {reason}",
                    workflow=self.name,
                    step=item.name,
                ) from error
        return cast("OutT", current)


async def _call(function: Callable[[Any], Any], value: Any) -> Any:
    if inspect.iscoroutinefunction(function):
        return await function(value)
    result = await run_in_thread(lambda: function(value))
    return await result if inspect.isawaitable(result) else result
