"""The script of the test server: which answer comes next."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from agent_factory.integrations.testing.answers import ServerScript, resolve_answer
from agent_factory.integrations.testing.errors import ErrorAnswer

if TYPE_CHECKING:
    from agent_factory.core.models import ModelResponse
    from agent_factory.integrations.testing.received import ReceivedRequest

__all__ = ["Script"]


class Script:
    """Gives the answers in their order, or those of a function.

    Args:
        answers: The answers, or the function.

    Attributes:
        failure: What the function raised first, or None.
    """

    __slots__ = ("_answers", "failure")

    def __init__(self, answers: ServerScript) -> None:
        self._answers = answers if callable(answers) else iter(answers)
        self.failure: Exception | None = None

    async def answer(self, received: ReceivedRequest, number: int) -> ModelResponse | ErrorAnswer:
        """Return the answer to a request; a script that ended or failed is an error that no client tries again.

        Args:
            received: The request.
            number: Its number, from 1.
        """
        try:
            if callable(self._answers):
                answer = self._answers(received)
                answer = await answer if inspect.isawaitable(answer) else answer
            else:
                answer = next(self._answers, _end(number))
            return resolve_answer(answer, received)
        except Exception as error:  # noqa: BLE001 - whatever a test's function raises
            self.failure = self.failure or error
            said = f"The script of the test server failed: {type(error).__name__}: {error}"
            return ErrorAnswer(400, said, code="script_failed")


def _end(number: int) -> ErrorAnswer:
    return ErrorAnswer(
        400,
        f"The script of the test server has no answer for request number {number}: add one.",
        code="script_ended",
    )
