"""What is seen of one attempt at a case."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agent_factory.core.exceptions import AgentFactoryError

if TYPE_CHECKING:
    from agent_factory.core.messages import ToolOutcome
    from agent_factory.core.usage import Usage

__all__ = ["Attempt", "Observation", "ObservedCall", "ObservedError", "derive_seed"]

_MAX_CAUSES = 10


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of a case.

    Attributes:
        case: Name of the case.
        repetition: Which try of the case it is, from 1.
        seed: For whatever the target draws by chance, such as the seed of a model; from 0 to 2^31 - 1.
    """

    case: str
    repetition: int
    seed: int


@dataclass(frozen=True, slots=True)
class ObservedCall:
    """A tool call that a model asked for.

    Attributes:
        name: Name of the tool.
        arguments: The arguments as data; the text itself where the model wrote no JSON.
        outcome: How the call ended; None where the run ended before it did.
    """

    name: str
    arguments: Any = None
    outcome: ToolOutcome | None = "ok"


@dataclass(frozen=True, slots=True)
class ObservedError:
    """The error that a run ended with.

    Attributes:
        code: Its code, such as ``limit_exceeded``; ``unexpected`` for one that is none of ours.
        message: What it says.
        causes: Codes of the errors that led to it, nearest first.
    """

    code: str
    message: str
    causes: tuple[str, ...] = ()

    @classmethod
    def from_exception(cls, error: BaseException) -> ObservedError:
        """Return what is told of an exception.

        Args:
            error: What was raised.
        """
        causes: list[str] = []
        cause = error.__cause__
        while cause is not None and len(causes) < _MAX_CAUSES:
            if isinstance(cause, AgentFactoryError):
                causes.append(cause.code)
            cause = cause.__cause__
        if isinstance(error, AgentFactoryError):
            return cls(error.code, error.message, tuple(causes))
        return cls("unexpected", f"{type(error).__name__}: {error}", tuple(causes))


@dataclass(frozen=True, slots=True)
class Observation:
    """What is seen of one attempt.

    Attributes:
        output: The answer as plain data; None where there is none.
        tool_calls: The tool calls in their order, those of agents within the run included; None where the target tells
            nothing of them.
        usage: What the run used; None where that is not known.
        duration: Seconds that the attempt took; the runner measures it if None.
        error: What the run ended with in place of an answer.
    """

    output: Any = None
    tool_calls: tuple[ObservedCall, ...] | None = None
    usage: Usage | None = None
    duration: float | None = None
    error: ObservedError | None = None

    @property
    def text(self) -> str:
        """The answer as text: JSON where it is none, and empty where there is no answer."""
        if isinstance(self.output, str):
            return self.output
        if self.output is None:
            return ""
        return json.dumps(self.output, ensure_ascii=False)


def derive_seed(seed: int, case: str, repetition: int) -> int:
    """Return the seed of an attempt: the same for the same arguments, on every machine.

    Args:
        seed: The seed of the suite.
        case: Name of the case.
        repetition: Which try of the case it is, from 1.

    Returns:
        A number from 0 to 2^31 - 1, which is what servers take as a seed.
    """
    digest = hashlib.sha256(json.dumps([seed, case, repetition]).encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1
