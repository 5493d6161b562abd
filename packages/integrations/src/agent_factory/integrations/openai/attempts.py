"""The attempts of one call: how long each may take, which of them are repeated, and who is told."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from agent_factory.core.models import ModelRetry

if TYPE_CHECKING:
    from agent_factory.core.exceptions import ModelError
    from agent_factory.core.models import ModelRequest
    from agent_factory.integrations.openai.retry import RetryPolicy

__all__ = ["PATIENCE", "Attempts"]

PATIENCE: Final = "in the time given to the call. Give it more time, or ask for less."
"""In which time there was no answer, where the call's own time is what ran out."""


class Attempts:
    """The attempts of one call. Made when the call begins.

    Args:
        policy: How calls are repeated.
        request: What is asked: its timeout bounds all attempts, and it says who is told of repetitions.
        name: Name of the model, for those who are told.

    Attributes:
        deadline: Time of the running loop at which the whole call is given up.
        limit: Time of the running loop at which the present attempt is given up.
    """

    __slots__ = (
        "_clock",
        "_count",
        "_name",
        "_owed",
        "_policy",
        "_reached",
        "_request",
        "_retries",
        "deadline",
        "limit",
    )

    def __init__(self, policy: RetryPolicy, request: ModelRequest, name: str) -> None:
        self._clock = asyncio.get_running_loop().time
        self._policy = policy
        self._request = request
        self._name = name
        self._count = 0
        self._retries = 0
        self._owed = False
        self._reached = False
        self.deadline = self.limit = self._clock() + request.timeout

    def begin(self) -> float:
        """Begin an attempt and return the time of the running loop at which it is given up."""
        self._count += 1
        if self._policy.attempt_timeout is not None:
            self.limit = min(self.deadline, self._clock() + self._policy.attempt_timeout)
        return self.limit

    def describe_timeout(self) -> str:
        """Return in which time there was no answer, and what to do about it."""
        if self.limit < self.deadline and self._clock() < self.deadline:
            return (
                f"in the {self._policy.attempt_timeout:g} s of one attempt. "
                "Raise RetryPolicy(attempt_timeout=...), or ask for less."
            )
        return PATIENCE

    def note(self, error: ModelError, *, begun: bool = False) -> None:
        """Write into an error what is known of all attempts.

        ``attempts`` is their number. ``sent`` is False if certainly none was sent, and True if one may have to be paid
        for: it was sent, and broke off without the server's saying that it failed, or after the answer had begun.
        ``last_sent`` says whether the present attempt is such a one.

        Args:
            error: Why the present attempt failed; its ``sent`` is False if this one was certainly not sent.
            begun: Whether a piece of the answer came before.
        """
        details = error.details
        details["attempts"] = self._count
        unsent = details.get("sent") is False
        last = details["last_sent"] = begun or not (unsent or error.status)
        self._owed = self._owed or last
        if self._owed:
            details["sent"] = True
        elif unsent and self._reached:
            del details["sent"]
        self._reached = self._reached or not unsent

    async def wait(self, error: ModelError) -> bool:
        """Wait until the next attempt, and return whether there is to be one.

        Args:
            error: Why the present attempt failed, noted.
        """
        pause = self._policy.pause(error, self._retries)
        if pause is None or pause >= self.deadline - self._clock():
            return False
        self._retries += 1
        sent = bool(error.details["last_sent"])
        self._request.notify(ModelRetry(self._name, self._count, error.message, pause, sent=sent))
        await asyncio.sleep(pause)
        return True
