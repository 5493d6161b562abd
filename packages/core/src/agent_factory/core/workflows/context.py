"""Where a step is in a run: what a step may ask for, and what keeps its effects from happening twice."""

from __future__ import annotations

from dataclasses import dataclass

from agent_factory.core.exceptions import ConfigurationError

__all__ = ["StepContext", "check_run_id", "create_key"]


@dataclass(frozen=True, slots=True)
class StepContext:
    """What a step is told about its place in the run, if its first parameter is annotated with this class.

    ```python
    async def charge(context: StepContext, order: Order) -> Receipt:
        return await payments.charge(order.total, key=context.idempotency_key)
    ```

    Attributes:
        run_id: Identifier of the run.
        path: Path of the step in the run, such as ``pages/3/read``; the same in every run with the same input.
        attempt: Number of this try of the step, from 1.
    """

    run_id: str
    path: str
    attempt: int = 1

    @property
    def idempotency_key(self) -> str:
        """A key for calls to the outside: the same in every try of this step of this run, and in no other step."""
        return create_key(self.run_id, self.path)


def create_key(run_id: str, path: str) -> str:
    """Return the name of one place in one run, which no other place has.

    Args:
        run_id: Identifier of the run.
        path: Path of a node in it.
    """
    return f"{run_id}:{path}"


def check_run_id(run_id: object) -> None:
    """Refuse an identifier that is empty, or with which two places could have one key.

    Args:
        run_id: What the caller gave.

    Raises:
        ConfigurationError: It is refused.
    """
    if not isinstance(run_id, str) or not run_id.strip() or ":" in run_id:
        raise ConfigurationError(
            f"run_id must be text that is not empty and has no ':', not {run_id!r}"
        )
