"""Maps and parallels: steps that run side by side, and the join of their results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast, overload

from typing_extensions import TypeVar

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.workflows.checks import check_count, check_name, check_nodes
from agent_factory.core.workflows.hints import ends_here
from agent_factory.core.workflows.nodes import Node, StepRunner

__all__ = ["Map", "Parallel", "map_each", "parallel"]

InT = TypeVar("InT", contravariant=True)
OutT = TypeVar("OutT", covariant=True)
GivenT = TypeVar("GivenT")
ItemT = TypeVar("ItemT")
AT = TypeVar("AT")
BT = TypeVar("BT")
CT = TypeVar("CT")
DT = TypeVar("DT")
ET = TypeVar("ET")

DEFAULT_LIMIT = 8


@dataclass(frozen=True, eq=False)
class Map(Node[InT, OutT]):
    """A node that runs for each item of a sequence; made by `map_each`.

    Attributes:
        name: Name, unique among its neighbours.
        body: What runs for each item.
        limit: How many items are worked on at a time.
    """

    name: str
    body: Node[Any, Any]
    limit: int

    @property
    def accepts(self) -> tuple[Any, ...]:
        """A sequence of what the body takes."""
        return tuple(_wrap(Sequence, (hint,)) for hint in self.body.accepts)

    @property
    def produces(self) -> Any:
        """A list of what the body gives."""
        return _wrap(list, (self.body.produces,))

    async def execute(self, value: Any, path: str, runner: StepRunner) -> OutT:
        """Run the body for each item.

        Args:
            value: The items, a list or another sequence.
            path: Path of the map in the run.
            runner: What runs the steps.
        """
        if not isinstance(value, Sequence) or isinstance(value, (str, bytes, bytearray)):
            raise runner.refuse(
                path, f"needs a list or another sequence, not {type(value).__qualname__}"
            )
        body, inner = self.body, self.body.name
        jobs = [(body, item, f"{path}/{index}/{inner}") for index, item in enumerate(value)]
        return cast("OutT", await runner.run_all(jobs, self.limit))


def map_each(
    name: str, body: Node[GivenT, ItemT], *, limit: int = DEFAULT_LIMIT
) -> Map[Sequence[GivenT], list[ItemT]]:
    """Make a map: a node that runs for each item of a sequence. The first failure cancels the other items.

    Args:
        name: Name, unique among its neighbours; without a slash.
        body: What runs for each item.
        limit: How many items are worked on at a time; at least 1.

    Returns:
        The map; it gives the results in the order of the items.

    Raises:
        ConfigurationError: The name or the limit is refused.
    """
    check_name(name, "a map")
    check_count(limit, f"map {name!r}: limit")
    check_nodes([body], f"map {name!r}")
    return Map(name, body, limit)


@dataclass(frozen=True, eq=False)
class Parallel(Node[InT, OutT]):
    """Several nodes that get the same value; made by `parallel`.

    Attributes:
        name: Name, unique among its neighbours.
        nodes: What runs.
        limit: How many run at a time.
    """

    name: str
    nodes: tuple[Node[Any, Any], ...]
    limit: int

    @property
    def accepts(self) -> tuple[Any, ...]:
        """What every one of the nodes takes."""
        return tuple(hint for node in self.nodes for hint in node.accepts)

    @property
    def produces(self) -> Any:
        """A tuple of what the nodes give."""
        return _wrap(tuple, tuple(node.produces for node in self.nodes))

    async def execute(self, value: Any, path: str, runner: StepRunner) -> OutT:
        """Run the nodes.

        Args:
            value: What each of them gets.
            path: Path of the parallel in the run.
            runner: What runs the steps.
        """
        jobs = [(node, value, f"{path}/{node.name}") for node in self.nodes]
        return cast("OutT", tuple(await runner.run_all(jobs, self.limit)))


@overload
def parallel(
    name: str, first: Node[GivenT, AT], second: Node[GivenT, BT], /, *, limit: int = ...
) -> Parallel[GivenT, tuple[AT, BT]]: ...


@overload
def parallel(
    name: str,
    first: Node[GivenT, AT],
    second: Node[GivenT, BT],
    third: Node[GivenT, CT],
    /,
    *,
    limit: int = ...,
) -> Parallel[GivenT, tuple[AT, BT, CT]]: ...


@overload
def parallel(
    name: str,
    first: Node[GivenT, AT],
    second: Node[GivenT, BT],
    third: Node[GivenT, CT],
    fourth: Node[GivenT, DT],
    /,
    *,
    limit: int = ...,
) -> Parallel[GivenT, tuple[AT, BT, CT, DT]]: ...


@overload
def parallel(
    name: str,
    first: Node[GivenT, AT],
    second: Node[GivenT, BT],
    third: Node[GivenT, CT],
    fourth: Node[GivenT, DT],
    fifth: Node[GivenT, ET],
    /,
    *,
    limit: int = ...,
) -> Parallel[GivenT, tuple[AT, BT, CT, DT, ET]]: ...


@overload
def parallel(
    name: str, /, *nodes: Node[GivenT, ItemT], limit: int = ...
) -> Parallel[GivenT, tuple[ItemT, ...]]: ...


def parallel(
    name: str, /, *nodes: Node[Any, Any], limit: int = DEFAULT_LIMIT
) -> Parallel[Any, Any]:
    """Make a parallel: several nodes that get the same value. The first failure cancels the others.

    A step that joins the results comes after it with `then`. The nodes share the value: none may change it.

    Args:
        name: Name, unique among its neighbours; without a slash.
        nodes: What runs, at least one; their names must differ.
        limit: How many run at a time; at least 1.

    Returns:
        The parallel; it gives a tuple of the results, in the order of the nodes.

    Raises:
        ConfigurationError: The name or the limit is refused, there is no node, or two have one name.
    """
    check_name(name, "a parallel")
    check_count(limit, f"parallel {name!r}: limit")
    if not nodes:
        raise ConfigurationError(f"parallel {name!r} has nothing to run: pass steps")
    check_nodes(nodes, f"parallel {name!r}")
    return Parallel(name, nodes, limit)


def _wrap(container: Any, hints: tuple[Any, ...]) -> Any:
    """Return a collection of these types; if one of the values never comes, neither does the collection."""
    never = [hint for hint in hints if ends_here(hint)]
    return never[0] if never and container is tuple else container[hints]
