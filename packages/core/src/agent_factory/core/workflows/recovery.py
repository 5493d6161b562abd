"""Error handlers: what runs in place of a part that failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from typing_extensions import TypeVar

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.workflows.checks import check_fit, check_name, check_nodes
from agent_factory.core.workflows.hints import unite
from agent_factory.core.workflows.nodes import Node, StepRunner
from agent_factory.core.workflows.policies import Caught, Failure, is_error_class

__all__ = ["Recover", "recover"]

InT = TypeVar("InT", contravariant=True)
OutT = TypeVar("OutT", covariant=True)
GivenT = TypeVar("GivenT")
ResultT = TypeVar("ResultT")


@dataclass(frozen=True, eq=False)
class Recover(Node[InT, OutT]):
    """A node with error handlers; made by `recover`.

    Attributes:
        name: Name, unique among its neighbours.
        body: What may fail.
        handlers: What runs after an error of a class, the first that fits.
    """

    name: str
    body: Node[Any, Any]
    handlers: Mapping[type[Exception], Node[Any, Any]]

    @property
    def accepts(self) -> tuple[Any, ...]:
        """What the body takes."""
        return self.body.accepts

    @property
    def produces(self) -> Any:
        """What the body or a handler gives."""
        return unite(node.produces for node in (self.body, *self.handlers.values()))

    async def execute(self, value: Any, path: str, runner: StepRunner) -> OutT:
        """Run the body and, if it fails, a handler.

        Args:
            value: What the body gets.
            path: Path of the node in the run.
            runner: What runs the steps.
        """
        job = (self.body, value, f"{path}/{self.body.name}")
        result = await runner.run_caught(job, tuple(self.handlers))
        if not isinstance(result, Caught):
            given: OutT = result
            return given
        node = tuple(self.handlers.values())[result.kind]
        handled: OutT = await node.execute(result.failure, f"{path}/{node.name}", runner)
        return handled


def recover(
    name: str,
    body: Node[GivenT, ResultT],
    handlers: Mapping[type[Exception], Node[Failure[GivenT], ResultT]],
) -> Recover[GivenT, ResultT]:
    """Give a node error handlers.

    Args:
        name: Name, unique among its neighbours; without a slash.
        body: What may fail; its steps are retried first, as their policies say.
        handlers: What runs in place of the failed body, by the class of the error that the step raised; the first class
            that fits counts. A timeout of a step is a ``TimeoutError``. Other errors fail the run.

    Returns:
        The node; it gives the result of the body or of the handler.

    Raises:
        ConfigurationError: The name is refused, there is no handler, a key is no class of exceptions, two nodes have one
            name, a handler does not take a `Failure`, or cannot be reached because one before it takes its errors.
    """
    check_name(name, "a recovery")
    where = f"recovery {name!r}"
    if not handlers:
        raise ConfigurationError(f"{where} has no handlers: pass {{ErrorClass: step, ...}}")
    before: list[type[Exception]] = []
    for kind, node in handlers.items():
        if not is_error_class(kind):
            raise ConfigurationError(f"{where}: {kind!r} is no class of exceptions")
        wider = next((item for item in before if issubclass(kind, item)), None)
        if wider is not None:
            raise ConfigurationError(
                f"{where}: {node.name!r} cannot be reached: the handler of {wider.__name__} before "
                f"it takes every {kind.__name__}; put it first"
            )
        before.append(kind)
    check_nodes((body, *handlers.values()), where)
    for kind, node in handlers.items():
        check_fit(Failure, f"a caught {kind.__name__}", node, where)
    return Recover(name, body, MappingProxyType(dict(handlers)))
