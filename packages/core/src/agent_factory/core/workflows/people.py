"""People who answer the questions of workflows: the port, and one whose answers come from this process."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["InMemoryPerson", "Person", "Question"]


@dataclass(frozen=True, slots=True)
class Question:
    """What a person is asked. All of it can be written as JSON.

    Attributes:
        id: Names this question of this run, and no other: ``run_id:path``. It is the same when an interrupted run
            goes on.
        workflow: Name of the workflow.
        run_id: Identifier of the run.
        path: Path of the node that asks.
        text: The question.
        value: What it is about: the value that the node got.
        answer_schema: JSON Schema of the answer.
        timeout: Seconds until nobody waits for the answer any more.
    """

    id: str
    workflow: str
    run_id: str
    path: str
    text: str
    value: Any
    answer_schema: dict[str, Any]
    timeout: float


@runtime_checkable
class Person(Protocol):
    """Puts questions to people: by mail, in a chat, on a page. Safe to use by many runs at a time."""

    async def ask(self, question: Question) -> Any:
        """Ask a question, and wait for the answer. It is cancelled when the time is up.

        Args:
            question: The question. One with an ``id`` that was asked before is the same question again.

        Returns:
            The answer: plain data that fits the question's JSON Schema, or an instance of the type. The engine
            checks it.

        Raises:
            CoreError: No answer could be had; the node fails.
        """
        ...


@dataclass(slots=True, eq=False)
class _Waiting:
    question: Question
    answer: asyncio.Future[Any]
    received: bool = False


class InMemoryPerson:
    """Questions wait here until the program answers them.

    It is for tests, and for programs that have their own way to people. It belongs to one event loop, and is not thread-safe.

    Args:
        answers: Answers that are known in advance, by the path of the question.
    """

    __slots__ = ("_answers", "_arrived", "_waiting")

    def __init__(self, answers: Mapping[str, Any] | None = None) -> None:
        self._answers = dict(answers or {})
        self._arrived = asyncio.Event()
        self._waiting: list[_Waiting] = []

    @property
    def questions(self) -> tuple[Question, ...]:
        """The questions that wait for an answer, oldest first."""
        return tuple(entry.question for entry in self._waiting)

    async def ask(self, question: Question) -> Any:
        """Wait for the answer to a question.

        Args:
            question: The question.

        Returns:
            What `answer` is given for it, or the answer known in advance.
        """
        if question.path in self._answers:
            return self._answers[question.path]
        entry = _Waiting(question, asyncio.get_running_loop().create_future())
        self._waiting.append(entry)
        self._arrived.set()
        try:
            return await entry.answer
        finally:
            self._waiting.remove(entry)

    async def receive(self) -> Question:
        """Wait for a question, and return the oldest that was not received before. It still needs its answer."""
        while True:
            for entry in self._waiting:
                if not entry.received:
                    entry.received = True
                    return entry.question
            self._arrived.clear()
            await self._arrived.wait()

    def answer(self, question_id: str, answer: Any) -> bool:
        """Answer a question.

        Args:
            question_id: Its ``id``.
            answer: The answer.

        Returns:
            Whether anybody still waited for it.
        """
        asked = [
            entry
            for entry in self._waiting
            if entry.question.id == question_id and not entry.answer.done()
        ]
        for entry in asked:
            entry.answer.set_result(answer)
        return bool(asked)
