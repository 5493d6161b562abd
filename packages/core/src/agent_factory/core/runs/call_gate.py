"""What a model call gives out while it runs, and the attempts that it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_factory.core.events import ModelRetried
from agent_factory.core.exceptions import CoreError
from agent_factory.core.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent_factory.core.models import Model, ModelRequest, ModelRetry
    from agent_factory.core.runs.reservations import Settlement
    from agent_factory.core.runs.scope import RunScope

__all__ = ["CallGate"]

_NOTHING = Usage()


class CallGate:
    """Lets what a model call gives out pass as long as somebody waits for the call, and counts its attempts.

    Args:
        scope: The run.
        model: The model that is called.

    Attributes:
        begun: Whether the present attempt was begun, and not only made room for.
        open: Whether somebody waits for the call.
        request: What the model is asked.
        reserved: What the call has set aside, if there are budgets.
        spent: The most that attempts before the present one can have used.
        failure: Why there may be no further attempt.
        thoughts: Whether the model's thoughts are given out.
    """

    __slots__ = (
        "_emit",
        "_model",
        "_scope",
        "begun",
        "failure",
        "open",
        "request",
        "reserved",
        "spent",
        "thoughts",
    )

    request: ModelRequest

    def __init__(self, scope: RunScope, model: Model) -> None:
        self._emit = scope.emit
        self._model = model
        self._scope = scope
        self.begun = True
        self.failure: CoreError | None = None
        self.open = True
        self.reserved: Settlement | None = None
        self.spent = _NOTHING
        self.thoughts = True

    def emit(self, kind: Callable[..., Any], *fields: Any) -> None:
        """Tell what happened, if somebody still waits for the call.

        Args:
            kind: The class of the event.
            fields: Its fields, after those that every event has.
        """
        if self.open:
            self._emit(kind, *fields)

    def notify(self, retry: ModelRetry) -> None:
        """Count an attempt that failed, if it may have to be paid for, and tell that it is made again.

        Args:
            retry: Which attempt failed, and why.

        Raises:
            LimitExceededError: A limit or a budget has no room for another attempt.
        """
        if self.open and retry.sent is not False:
            try:
                self._repeat()
            except CoreError as error:
                # Kept for an adapter that goes on all the same.
                self.failure = error
                raise
        self.emit(
            ModelRetried, retry.model, retry.attempt, retry.reason, retry.delay, retry.next_model
        )

    def _repeat(self) -> None:
        """Count the present attempt as the most that it can have used, and make room for the next one."""
        from agent_factory.core.runs.reservations import measure

        scope, reserved = self._scope, self.reserved
        if reserved is None:
            amount = measure(scope, self._model, self.request)
        else:
            reserved.repeat()
            amount = reserved.amount
        self.spent += amount
        scope.add_tokens(amount)
        self.begun = False
        scope.count_request()
        self.begun = True
