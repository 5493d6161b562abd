"""What workflows are made of, and what runs it."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Generic, Protocol

from typing_extensions import TypeVar

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.workflows.hints import describe, fits

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from agent_factory.core.workflows.steps import Step

__all__ = [
    "Job",
    "Node",
    "StepRunner",
    "check_count",
    "check_fit",
    "check_name",
    "check_plain",
    "check_unique",
]

InT = TypeVar("InT", contravariant=True)
OutT = TypeVar("OutT", covariant=True)
AnyT = TypeVar("AnyT")

Job = tuple["Node[Any, Any]", Any, str]
"""A node, the value it gets, and its path."""


class StepRunner(Protocol):
    """What an engine gives to the nodes of a workflow while it runs.

    A node decides which steps run and in which order; the runner decides how. One that keeps records
    can look a step up by its path in place of running it again: paths are the same in every run with the same
    input, as long as choices and conditions depend on nothing but the value they get.
    """

    def run_step(self, step: Step[Any, Any], value: Any, path: str) -> Awaitable[Any]:
        """Run one step under its policies, and check that its result can be written as JSON.

        Args:
            step: The step.
            value: What it gets.
            path: Path of the step, unique in the run: the names of the nodes around it and, in loops and maps, the number of
                the turn or item from 0, for example ``pages/3/read``.

        Raises:
            WorkflowError: The step failed.
        """
        ...

    def run_all(self, jobs: Sequence[Job], limit: int) -> Awaitable[list[Any]]:
        """Run nodes side by side. The first failure cancels the others.

        Args:
            jobs: The nodes with their values.
            limit: How many may run at a time; at least 1.

        Returns:
            The results in the order of the jobs.

        Raises:
            WorkflowError: A node failed.
        """
        ...

    def decide(self, function: Callable[[Any], AnyT], value: Any, path: str) -> AnyT:
        """Call a choice or a condition.

        Args:
            function: A plain function.
            value: What it gets.
            path: Path of the node that asks.

        Raises:
            WorkflowError: The function raised something.
        """
        ...

    def refuse(self, path: str, reason: str) -> Exception:
        """Return the error of a node that cannot go on.

        Args:
            path: Path of the node.
            reason: What is wrong with it, as the end of a sentence that begins with the node.
        """
        ...


class Node(ABC, Generic[InT, OutT]):
    """Something that can be a part of a workflow: a step, or a construct around others. Immutable.

    Attributes:
        name: Name, unique among its neighbours; its part of the path of the steps within.
    """

    __slots__ = ()

    name: str

    @property
    @abstractmethod
    def accepts(self) -> tuple[Any, ...]:
        """Every type that a value has to fit to be taken; ``Any`` where that is not known."""

    @property
    @abstractmethod
    def produces(self) -> Any:
        """The type of the results; ``Any`` if that is not known."""

    @abstractmethod
    def execute(self, value: Any, path: str, runner: StepRunner) -> Awaitable[OutT]:
        """Run the node. Engines call it; programs run whole workflows.

        Args:
            value: What it gets.
            path: Path of the node in the run.
            runner: What runs its steps.

        Returns:
            The result, to be awaited.
        """


def check_name(name: Any, kind: str) -> None:
    """Refuse a name that is empty or would make paths ambiguous.

    Args:
        name: The name.
        kind: What has it, with its article, for messages.

    Raises:
        ConfigurationError: The name is refused.
    """
    if not isinstance(name, str) or not name.strip():
        raise ConfigurationError(f"{kind} needs a name that is not empty")
    if "/" in name:
        raise ConfigurationError(
            f"{kind} is named {name!r}: '/' separates names in paths, leave it out"
        )


def check_unique(nodes: Iterable[Node[Any, Any]], where: str) -> None:
    """Refuse two neighbours of one name, whose paths would be the same.

    Args:
        nodes: The neighbours.
        where: What they are part of, for messages.

    Raises:
        ConfigurationError: Two have the same name.
    """
    seen: set[str] = set()
    for node in nodes:
        if node.name in seen:
            raise ConfigurationError(
                f"{where} has a step named {node.name!r} already: "
                "pass another name with step(name=...)"
            )
        seen.add(node.name)


def check_fit(given: Any, giver: str, taker: Node[Any, Any], where: str) -> None:
    """Refuse a node that does not take what it would get, as far as annotations tell.

    Args:
        given: Type of what it would get.
        giver: Where that comes from, for messages.
        taker: The node.
        where: What it is part of, for messages.

    Raises:
        ConfigurationError: The types do not fit.
    """
    for wanted in taker.accepts:
        if not fits(given, wanted):
            raise ConfigurationError(
                f"{where}: {taker.name!r} takes {describe(wanted)}, "
                f"but {giver} gives {describe(given)}"
            )


def check_count(value: object, what: str, least: int = 1) -> None:
    """Refuse what is not a whole number, or too small.

    Args:
        value: The value.
        what: What it is for, for messages.
        least: The smallest number that is good.

    Raises:
        ConfigurationError: The value is refused.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ConfigurationError(
            f"{what} must be a whole number of at least {least}, not {value!r}"
        )


def check_plain(function: Callable[..., object], what: str) -> None:
    """Refuse a coroutine function where a plain function is called.

    Args:
        function: The function.
        what: What it is for, for messages.

    Raises:
        ConfigurationError: It is a coroutine function.
    """
    if inspect.iscoroutinefunction(function):
        raise ConfigurationError(
            f"{what} must be a plain function: what has to be awaited belongs into a step before it"
        )
