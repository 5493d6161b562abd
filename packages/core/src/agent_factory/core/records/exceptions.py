"""The error of records that cannot be read, and the error that a record holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_factory.core.exceptions import CoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["RecordError", "RecordedError"]


class RecordError(CoreError):
    """Data that is no event, or events that are no run."""

    code = "record"


class RecordedError(CoreError):
    """The error of a run as its record tells of it. It has the code of the error that was raised, not its class.

    Args:
        message: The message of the error.
        code: The code of the error, such as ``model_rate_limit``.
        retryable: Whether the same run may succeed later.
        details: The structured fields of the error.
    """

    code = "recorded"

    def __init__(
        self,
        message: str,
        *,
        code: str,
        retryable: bool = False,
        details: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message, details=details)
        # Of this error only: both belong to the class in every other one.
        vars(self).update(code=code, retryable=retryable)
