"""Branches and loops: which steps run, and how often."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from typing_extensions import TypeVar

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.workflows.checks import (
    check_count,
    check_fit,
    check_name,
    check_nodes,
    check_plain,
)
from agent_factory.core.workflows.hints import (
    choices,
    describe,
    ends_here,
    fits,
    read_hints,
    unite,
)
from agent_factory.core.workflows.nodes import Node, StepRunner

__all__ = ["Branch", "Loop", "branch", "loop"]

InT = TypeVar("InT", contravariant=True)
OutT = TypeVar("OutT", covariant=True)
GivenT = TypeVar("GivenT")
ResultT = TypeVar("ResultT")
KeyT = TypeVar("KeyT", bound=Hashable)


@dataclass(frozen=True, eq=False)
class Branch(Node[InT, OutT]):
    """One of several nodes, chosen by the value; made by `branch`.

    Attributes:
        name: Name, unique among its neighbours.
        choose: Names the case for a value.
        cases: The nodes by what ``choose`` returns.
        otherwise: The node for anything else; None if there is none.
    """

    name: str
    choose: Callable[[Any], Hashable]
    cases: Mapping[Any, Node[InT, OutT]]
    otherwise: Node[InT, OutT] | None

    @property
    def nodes(self) -> tuple[Node[InT, OutT], ...]:
        """Every node that may be chosen."""
        last = () if self.otherwise is None else (self.otherwise,)
        return (*self.cases.values(), *last)

    @property
    def accepts(self) -> tuple[Any, ...]:
        """What the choice and every case take."""
        taken = [hint for node in self.nodes for hint in node.accepts]
        return (read_hints(self.choose)[0], *taken)

    @property
    def produces(self) -> Any:
        """What any of the cases gives."""
        return unite(node.produces for node in self.nodes)

    async def execute(self, value: Any, path: str, runner: StepRunner) -> OutT:
        """Run the case of a value.

        Args:
            value: What the branch gets, and the case after it.
            path: Path of the branch in the run.
            runner: What runs the steps.
        """
        key = runner.decide(self.choose, value, path)
        try:
            node = self.cases.get(key, self.otherwise)
        except TypeError:  # not hashable
            node = self.otherwise
        if node is None:
            known = ", ".join(map(repr, self.cases))
            raise runner.refuse(
                path, f"has no case for {key!r}; it has {known}: add it, or pass otherwise="
            )
        return await node.execute(value, f"{path}/{node.name}", runner)


def branch(
    name: str,
    choose: Callable[[GivenT], KeyT],
    cases: Mapping[KeyT, Node[GivenT, ResultT]],
    *,
    otherwise: Node[GivenT, ResultT] | None = None,
) -> Branch[GivenT, ResultT]:
    """Make a branch: one of several nodes, chosen by the value.

    Args:
        name: Name, unique among its neighbours; without a slash.
        choose: A quick plain function that returns the key of a case. It must depend on nothing but the value.
        cases: The nodes by key; their names must differ.
        otherwise: The node for keys without a case. Without it such a key fails the run.

    Returns:
        The branch.

    Raises:
        ConfigurationError: The name is refused, there is no case, two nodes have one name, or the annotation
            of what ``choose`` returns (``bool``, an enum or a ``Literal``) tells that a node cannot be reached or that a key has
            no case.
    """
    check_name(name, "a branch")
    where = f"branch {name!r}"
    check_plain(choose, f"{where}: choose")
    if not cases:
        raise ConfigurationError(f"{where} has no cases: pass {{key: step, ...}}")
    made: Branch[GivenT, ResultT] = Branch(name, choose, MappingProxyType(dict(cases)), otherwise)
    check_nodes(made.nodes, where)
    hint = read_hints(choose)[1]
    possible = choices(hint)
    if possible is not None:
        unreachable = [key for key in cases if key not in possible]
        missing = possible - set(cases)
        if unreachable:
            raise ConfigurationError(
                f"{where}: case {unreachable[0]!r} cannot be reached: "
                f"the choice returns {describe(hint)}"
            )
        if missing and otherwise is None:
            lacking = ", ".join(sorted(map(repr, missing)))
            raise ConfigurationError(
                f"{where} has no case for {lacking}: add it, or pass otherwise="
            )
        if not missing and otherwise is not None:
            raise ConfigurationError(
                f"{where}: {otherwise.name!r} cannot be reached: every key has a case already"
            )
    return made


@dataclass(frozen=True, eq=False)
class Loop(Node[InT, OutT]):
    """A node that runs again and again, a bounded number of times; made by `loop`.

    Attributes:
        name: Name, unique among its neighbours.
        body: What runs in each turn.
        until: Says of a value whether the loop is done with it.
        max_turns: How often the body runs at most.
    """

    name: str
    body: Node[Any, Any]
    until: Callable[[Any], bool]
    max_turns: int

    @property
    def accepts(self) -> tuple[Any, ...]:
        """What the condition and the body take."""
        return (read_hints(self.until)[0], *self.body.accepts)

    @property
    def produces(self) -> Any:
        """What the body gives, which is also what it takes; without any turn, the loop gives what it got."""
        given = self.body.produces
        return Any if ends_here(given) else given

    async def execute(self, value: Any, path: str, runner: StepRunner) -> OutT:
        """Run the body until the condition holds.

        Args:
            value: What the first turn gets.
            path: Path of the loop in the run.
            runner: What runs the steps.
        """
        body, inner = self.body, self.body.name
        for turn in range(self.max_turns):
            if runner.decide(self.until, value, path):
                break
            value = await body.execute(value, f"{path}/{turn}/{inner}", runner)
        else:
            if not runner.decide(self.until, value, path):
                raise runner.refuse(
                    path,
                    f"was not done after {self.max_turns} turns: raise max_turns, or see why "
                    "its condition does not come true",
                )
        result: OutT = value
        return result


def loop(
    name: str,
    body: Node[GivenT, GivenT],
    *,
    until: Callable[[GivenT], bool],
    max_turns: int,
) -> Loop[GivenT, GivenT]:
    """Make a loop: a node that gets its own result until a condition holds.

    Args:
        name: Name, unique among its neighbours; without a slash.
        body: What runs in each turn; it takes what it gives.
        until: A quick plain function that says whether the loop is done; asked before each turn and after the last. It must
            depend on nothing but the value. A value that it is true for from the start passes unchanged.
        max_turns: How often the body may run, at least 1. A loop that is not done by then fails the run.

    Returns:
        The loop.

    Raises:
        ConfigurationError: The name is refused, there is no valid bound, or the body or the condition does not take
            what the body gives.
    """
    check_name(name, "a loop")
    where = f"loop {name!r}"
    check_count(max_turns, f"{where}: max_turns")
    check_plain(until, f"{where}: until")
    check_nodes([body], where)
    check_fit(body.produces, "the turn before it", body, where)
    wanted = read_hints(until)[0]
    if not fits(body.produces, wanted):
        raise ConfigurationError(
            f"{where}: until takes {describe(wanted)}, but {body.name!r} gives {describe(body.produces)}"
        )
    return Loop(name, body, until, max_turns)
