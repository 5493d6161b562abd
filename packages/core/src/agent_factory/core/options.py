"""What the caller of a run brings along: people, records, budgets, prices, observers, further tools."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agent_factory.core.clock import SystemClock
from agent_factory.core.exceptions import ConfigurationError

if TYPE_CHECKING:
    from agent_factory.core.approvals import Approver
    from agent_factory.core.budgets import Budget
    from agent_factory.core.clock import Clock
    from agent_factory.core.events import RunEvent
    from agent_factory.core.journal import Journal
    from agent_factory.core.memory.ports import MemoryScope, MemoryStore
    from agent_factory.core.prices import PriceTable
    from agent_factory.core.tools import Tool
    from agent_factory.core.toolsets import Toolset

__all__ = ["DEFAULT_OPTIONS", "RunOptions", "Session"]

_MAX_RUN_ID = 200

Observer = Callable[["RunEvent[Any]"], None]
"""Is told of every event of a run, in order, before the caller is; it must be quick.

What it raises goes to the exception handler of the event loop, which logs it; the run goes on.
"""


@dataclass(frozen=True, slots=True)
class Session:
    """A conversation that goes on from run to run.

    Attributes:
        store: Where it is kept.
        scope: Whose it is.
    """

    store: MemoryStore
    scope: MemoryScope


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What the caller of a run brings along.

    An agent that runs as a tool of another one gets the same, session and tools excepted.

    Attributes:
        approver: Asks a person about tool calls that need one; without it they are denied. Any object with a method
            ``decide`` whose result can be awaited.
        journal: Where calls of tools with the effect ``once`` are written down before they run.
        budgets: What the run shares with other runs; every call is reserved in each of them.
        prices: What models cost; the table that comes with this version if None.
        observers: Told of every event, such as a telemetry's.
        clock: The time of day of events and approvals.
        tools: Tools of this run, besides those of the agent.
        session: The conversation that the run goes on with; its new messages are added to it once there is an answer.
        run_id: Identifier of the run, for who begins the same run again; a new one if empty. At most 200 printable characters.
        seed: What models that can repeat themselves begin with, as in an eval; 0 to 2^31 - 1, or None to leave it to them.

    Raises:
        ConfigurationError: A value is of the wrong kind.
    """

    approver: Approver | None = None
    journal: Journal | None = None
    budgets: tuple[Budget, ...] = ()
    prices: PriceTable | None = None
    observers: tuple[Observer, ...] = ()
    clock: Clock = SystemClock()  # noqa: RUF009 - it has no state
    tools: tuple[Tool[Any] | Toolset[Any], ...] = ()
    session: Session | None = None
    run_id: str = ""
    seed: int | None = None

    def __post_init__(self) -> None:
        """Check the kinds of values, so that a mistake shows here and not in the middle of a run."""
        for name in ("budgets", "observers", "tools"):
            value = getattr(self, name)
            if not isinstance(value, tuple):
                raise ConfigurationError(
                    f"RunOptions: {name} must be a tuple, such as ({name[:-1]},), not {type(value).__name__}"
                )
            for item in value:
                _check_instance(name, item)
        observers: tuple[object, ...] = self.observers
        for observer in observers:
            if not callable(observer) or inspect.iscoroutinefunction(observer):
                raise ConfigurationError(
                    f"RunOptions: an observer must be a plain function of an event, not {observer!r}"
                )
        for name, method in (("approver", "decide"), ("journal", "get"), ("clock", "now")):
            value = getattr(self, name)
            _check_instance(name, value)
            if value is not None and not callable(getattr(value, method, None)):
                raise ConfigurationError(
                    f"RunOptions: {name} must have a method {method!r}, and {type(value).__name__} has none"
                )
        _check_instance("prices", self.prices)
        session: object = self.session
        if session is not None and not isinstance(session, Session):
            raise ConfigurationError(
                "RunOptions: session must be a Session(store, MemoryScope(tenant, owner)), "
                f"not {type(session).__name__}"
            )
        run_id: object = self.run_id
        if not isinstance(run_id, str) or len(run_id) > _MAX_RUN_ID or not run_id.isprintable():
            raise ConfigurationError(
                f"RunOptions: run_id must be a text of at most {_MAX_RUN_ID} printable characters, not {run_id!r:.80}"
            )
        seed: Any = self.seed
        if seed is not None and (type(seed) is not int or not 0 <= seed < 2**31):
            raise ConfigurationError(
                f"RunOptions: seed must be a whole number from 0 to 2^31 - 1, not {seed!r:.80}"
            )


def _check_instance(name: str, value: object) -> None:
    if isinstance(value, type):
        raise ConfigurationError(
            f"RunOptions: {name} got the class {value.__name__} in place of an object: call the class to make one"
        )


DEFAULT_OPTIONS = RunOptions()
"""Nothing brought along."""
