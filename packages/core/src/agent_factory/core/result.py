"""What a run returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic

from typing_extensions import TypeVar

if TYPE_CHECKING:
    from agent_factory.core.messages import Message
    from agent_factory.core.usage import Usage

__all__ = ["RunResult"]

OutT = TypeVar("OutT", covariant=True, default=str)


@dataclass(frozen=True)
class RunResult(Generic[OutT]):
    """The outcome of a run that reached an answer.

    Attributes:
        output: The answer, of the agent's output type.
        messages: The whole conversation, the given history included; it can be the history of a next run.
        usage: What the run used.
        run_id: Identifier of the run, a UUID version 7 (RFC 9562).
        agent: Name of the agent that answered: the one that was asked, or the last one that it was handed over to.
    """

    output: OutT
    messages: tuple[Message, ...]
    usage: Usage
    run_id: str
    agent: str = ""
