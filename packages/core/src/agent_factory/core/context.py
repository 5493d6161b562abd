"""What instructions and tools may know of the run that calls them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic

from typing_extensions import TypeVar

if TYPE_CHECKING:
    from agent_factory.core.runs.scope import CallScope

__all__ = ["RunContext", "ToolContext"]

ContextDepsT = TypeVar("ContextDepsT", covariant=True, default=None)


@dataclass(frozen=True)
class RunContext(Generic[ContextDepsT]):
    """What computed instructions and toolsets may know of a run.

    Attributes:
        deps: The dependencies that the caller gave to the run.
        run_id: Identifier of the run.
        agent: Name of the agent.
        prompt: What the agent was asked.
    """

    deps: ContextDepsT
    run_id: str
    agent: str
    prompt: str


@dataclass(frozen=True)
class ToolContext(Generic[ContextDepsT]):
    """What a tool may know of the run that calls it.

    A function that wants it takes it as its first parameter, annotated with this class; the model
    does not see that parameter.

    Attributes:
        deps: The dependencies that the caller gave to the run.
        run_id: Identifier of the run.
        call_id: Identifier of this call, unique among the calls of one answer of the model.
        idempotency_key: Key of this call for servers that carry out a request once a key: the same in every
            attempt of the call, and unique for ever.
        agent: Name of the agent.
        scope: For agents that run as tools: the call in its run.
    """

    deps: ContextDepsT
    run_id: str
    call_id: str
    idempotency_key: str = ""
    agent: str = ""
    scope: CallScope | None = field(default=None, repr=False, compare=False)
