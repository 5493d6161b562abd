"""What a tool may know of the run that calls it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic

from typing_extensions import TypeVar

__all__ = ["ToolContext"]

ContextDepsT = TypeVar("ContextDepsT", covariant=True, default=None)


@dataclass(frozen=True, slots=True)
class ToolContext(Generic[ContextDepsT]):
    """What a tool may know of the run that calls it.

    A function that wants it takes it as its first parameter, annotated with this class; the model
    does not see that parameter.

    Attributes:
        deps: The dependencies that the caller gave to the run.
        run_id: Identifier of the run.
        call_id: Identifier of this call, unique within the run.
    """

    deps: ContextDepsT
    run_id: str
    call_id: str
