"""What workflows are made of, and what runs it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Generic, Protocol

from typing_extensions import TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from agent_factory.core.workflows.questions import AskPerson
    from agent_factory.core.workflows.steps import Step

__all__ = ["Job", "Node", "StepRunner"]

InT = TypeVar("InT", contravariant=True)
OutT = TypeVar("OutT", covariant=True)
AnyT = TypeVar("AnyT")

Job = tuple["Node[Any, Any]", Any, str]
"""A node, the value it gets, and its path."""


class StepRunner(Protocol):
    """What an engine gives to the nodes of a workflow while it runs.

    A node decides which steps run and in which order; the runner decides how. What reaches it is enough to go on
    with a run that was interrupted:

    - Paths are the same in every run with the same input, as long as choices and conditions depend on nothing but
      the value they get. ``run_id:path`` names one place of one run (`StepContext.idempotency_key`).
    - Only steps and answers of people bring anything into a run. A runner that keeps records writes the result of
      each down with the node's ``codec.write``, and hands out what ``codec.read`` makes of the record in place of
      running the step, or asking the person, again. Everything between is plain code, which it runs again.
    - What is not annotated comes back as plain data: a dataclass as a dictionary, a tuple as a list.
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

    def ask_person(self, node: AskPerson[Any, Any], value: Any, path: str) -> Awaitable[Any]:
        """Ask a person, and wait for the answer.

        Args:
            node: What is asked (``create_question``), how long the answer may take, and what makes sure that it fits
                (``read_answer``).
            value: What the question is about.
            path: Path of the node, unique in the run.

        Raises:
            WorkflowError: There is nobody to ask, nobody answered in time, or the answer does not fit.
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

    def run_caught(self, job: Job, kinds: Sequence[type[Exception]]) -> Awaitable[Any]:
        """Run a node that has error handlers.

        A runner that keeps records writes down which class fitted: what was handled once stays failed, even if it would
        succeed the next time.

        Args:
            job: The node with its value.
            kinds: The classes of errors that are handled, the first that fits counts.

        Returns:
            What the node gives or, where it fails with an error that is handled, a `Caught`.

        Raises:
            WorkflowError: The node failed with another error.
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
