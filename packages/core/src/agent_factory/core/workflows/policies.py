"""What happens when a step fails: trying again, and what an error handler is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic

from typing_extensions import TypeVar

from agent_factory.core.exceptions import AgentFactoryError, ConfigurationError, WorkflowError
from agent_factory.core.waiting import DeadlineError, is_duration
from agent_factory.core.workflows.checks import check_count

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Caught", "Failure", "Retry", "catch", "is_error_class", "is_retryable"]

ValueT = TypeVar("ValueT", covariant=True)


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a failed step is tried again, and how long is waited before.

    A step is tried again after an error that may go away: an `AgentFactoryError` that is ``retryable``, the
    step's own timeout, and the classes in ``also``. Other errors end it at once. The wait before try n + 1 is
    a random part of ``first_delay * 2 ** (n - 1)``, so that many runs do not come back at the same moment.
    Where the error names a time to wait (``retry_after``), it is at least that; a time above ``max_delay`` is not waited
    for, the step fails.

    Attributes:
        attempts: How often the step may run, the first time included; at least 2.
        first_delay: Longest wait before the second try in seconds; finite and above 0.
        max_delay: Longest wait of all in seconds; not below ``first_delay``.
        also: Further classes of errors after which the step is tried again.

    Raises:
        ConfigurationError: A value is out of its range.
    """

    attempts: int = 3
    first_delay: float = 0.5
    max_delay: float = 30.0
    also: tuple[type[Exception], ...] = ()

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_count(self.attempts, "Retry: attempts", 2)
        for name in ("first_delay", "max_delay"):
            if not is_duration(getattr(self, name)):
                raise ConfigurationError(
                    f"Retry: {name} must be a finite number of seconds above 0, not {getattr(self, name)!r}"
                )
        if self.max_delay < self.first_delay:
            raise ConfigurationError(
                f"Retry: max_delay ({self.max_delay!r}) must not be below first_delay ({self.first_delay!r})"
            )
        also: object = self.also
        if not isinstance(also, tuple) or not all(map(is_error_class, also)):
            raise ConfigurationError(
                f"Retry: also must be a tuple of exception classes, not {also!r}"
            )

    def wait_after(self, error: Exception, attempt: int, chance: float) -> float | None:
        """Return how long to wait before the next try.

        Args:
            error: What the try raised.
            attempt: Number of the try, from 1.
            chance: A random number from 0 to 1.

        Returns:
            Seconds, at most ``max_delay``; None if there is no next try.
        """
        retryable = isinstance(error, self.also) or is_retryable(error)
        asked: Any = getattr(error, "retry_after", None)
        if not is_duration(asked) and not _is_endless(asked):
            asked = 0.0
        if not retryable or attempt >= self.attempts or asked > self.max_delay:
            return None
        # An exponent without a bound would overflow a float.
        longest = min(self.max_delay, self.first_delay * 2.0 ** min(attempt - 1, 60))
        return max(float(asked), longest * chance)


@dataclass(frozen=True)
class Failure(Generic[ValueT]):
    """What an error handler is told.

    Attributes:
        value: What the failed part of the workflow got.
        step: Path of the step that failed.
        error: Name of the exception's class.
        message: What was wrong; for an exception that is not an `AgentFactoryError`, its text.
        retryable: Whether the same may succeed later.
    """

    value: ValueT
    step: str
    error: str
    message: str
    retryable: bool


@dataclass(frozen=True, slots=True)
class Caught:
    """That a node failed with an error that has a handler; for engines.

    Attributes:
        kind: Position of the class of the error among those that are handled, from 0.
        failure: What its handler is told.
    """

    kind: int
    failure: Failure[Any]


def catch(error: WorkflowError, kinds: Sequence[type[Exception]], value: Any) -> Caught | None:
    """Find out which handler an error has; for engines.

    Args:
        error: The error of a step. Its ``__cause__`` counts, what the step raised, if there is one.
        kinds: The classes of errors that are handled, the first that fits counts.
        value: What the failed part of the workflow got.

    Returns:
        The class with what its handler is told; None if there is none.
    """
    cause = error.__cause__ if isinstance(error.__cause__, Exception) else error
    for position, kind in enumerate(kinds):
        if isinstance(cause, kind):
            failure = Failure(
                value=value,
                step=error.step,
                error=type(cause).__name__,
                message=cause.message if isinstance(cause, AgentFactoryError) else str(cause),
                retryable=is_retryable(cause),
            )
            return Caught(position, failure)
    return None


def is_retryable(error: Exception) -> bool:
    """Return whether an error may go away: one that says so, or the timeout of a step.

    Args:
        error: What a step raised.
    """
    return isinstance(error, DeadlineError) or (
        isinstance(error, AgentFactoryError) and error.retryable
    )


def is_error_class(value: object) -> bool:
    """Return whether a value is a class of exceptions.

    Args:
        value: Anything.
    """
    return isinstance(value, type) and issubclass(value, Exception)


def _is_endless(asked: Any) -> bool:
    """Return whether a time to wait is longer than any: infinite, or a number that no clock can hold."""
    return isinstance(asked, (int, float)) and asked > 1 and not is_duration(asked)
