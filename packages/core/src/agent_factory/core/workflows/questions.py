"""Questions to people as a part of workflows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, overload

from typing_extensions import TypeVar

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.workflows.checks import check_name, check_plain, check_timeout
from agent_factory.core.workflows.context import create_key
from agent_factory.core.workflows.hints import read_hints
from agent_factory.core.workflows.nodes import Node, StepRunner
from agent_factory.core.workflows.people import Question
from agent_factory.core.workflows.values import Codec, create_codec

__all__ = ["AskPerson", "ask_person"]

InT = TypeVar("InT", contravariant=True)
OutT = TypeVar("OutT", covariant=True)
GivenT = TypeVar("GivenT")
AnswerT = TypeVar("AnswerT")

DEFAULT_TIMEOUT = 86_400.0


@dataclass(frozen=True, eq=False)
class AskPerson(Node[InT, OutT]):
    """A node that waits for a person's answer; made by `ask_person`.

    Attributes:
        name: Name, unique among its neighbours.
        question: The text of the question, or what makes it of the value.
        answer: Type of the answer.
        timeout: Seconds that the answer may take.
        codec: For engines: writes an answer as JSON, and reads it.

    Raises:
        ConfigurationError: The name or the timeout is refused, the question is no text and no plain function, or
            the answer a type that cannot be written as JSON or has no JSON Schema.
    """

    name: str
    question: str | Callable[[Any], str]
    answer: Any
    timeout: float = DEFAULT_TIMEOUT
    codec: Codec = field(init=False, repr=False)
    _schema: dict[str, Any] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Check the node, and find out what its answers look like."""
        check_name(self.name, "a question")
        where = f"question {self.name!r}"
        check_timeout(self.timeout, where)
        if callable(self.question):
            check_plain(self.question, f"{where}: what makes its text")
        else:
            _check_text(self.question, where)
        codec = create_codec(self.answer, f"{where} takes as its answer")
        object.__setattr__(self, "codec", codec)
        object.__setattr__(self, "_schema", codec.create_schema())

    @property
    def accepts(self) -> tuple[Any, ...]:
        """What the function that makes the question takes; ``Any`` if there is none."""
        return (read_hints(self.question)[0] if callable(self.question) else Any,)

    @property
    def produces(self) -> Any:
        """The type of the answer."""
        return self.answer

    def create_question(self, value: Any, *, workflow: str, run_id: str, path: str) -> Question:
        """Return what a person is asked. For engines.

        Args:
            value: What the node got.
            workflow: Name of the workflow.
            run_id: Identifier of the run.
            path: Path of the node in the run.

        Raises:
            ConfigurationError: The function made no text.
            Exception: What the function raised.
        """
        text = self.question(value) if callable(self.question) else self.question
        _check_text(text, f"question {self.name!r}")
        return Question(
            id=create_key(run_id, path),
            workflow=workflow,
            run_id=run_id,
            path=path,
            text=text,
            value=value,
            answer_schema=self._schema,
            timeout=self.timeout,
        )

    def read_answer(self, answer: Any) -> OutT:
        """Return an answer as a value of its type. For engines.

        Args:
            answer: What the person answered: plain data, or an instance of the type.

        Raises:
            TypeError: It does not fit. The message does not show it.
        """
        result: OutT = self.codec.convert(answer)
        return result

    def execute(self, value: Any, path: str, runner: StepRunner) -> Awaitable[OutT]:
        """Ask the person.

        Args:
            value: What the question is about.
            path: Path of the node in the run.
            runner: What asks.
        """
        return runner.ask_person(self, value, path)


@overload
def ask_person(
    name: str, question: Callable[[GivenT], str], *, answer: type[AnswerT], timeout: float = ...
) -> AskPerson[GivenT, AnswerT]: ...


@overload
def ask_person(
    name: str, question: str, *, answer: type[AnswerT], timeout: float = ...
) -> AskPerson[Any, AnswerT]: ...


@overload
def ask_person(
    name: str, question: Callable[[GivenT], str], *, answer: Any, timeout: float = ...
) -> AskPerson[GivenT, Any]: ...


@overload
def ask_person(
    name: str, question: str, *, answer: Any, timeout: float = ...
) -> AskPerson[Any, Any]: ...


def ask_person(
    name: str,
    question: str | Callable[[Any], str],
    *,
    answer: Any,
    timeout: float = DEFAULT_TIMEOUT,
) -> AskPerson[Any, Any]:
    """Make a node that asks a person, and waits for the answer.

    Whom it asks, and how, is up to the engine: `LocalEngine` is given a `Person`. Without one the node fails.

    Args:
        name: Name, unique among its neighbours; without a slash.
        question: The text of the question, or a quick plain function that makes it of the value. The person gets the
            value too.
        answer: Type of the answer, such as ``bool``, a ``Literal`` or a pydantic model. An answer that does not fit
            fails the node.
        timeout: Seconds that the answer may take; finite and above 0. A day unless it is given. A late answer is a
            ``TimeoutError`` to `recover`.

    Returns:
        The node; it gives the answer.

    Raises:
        ConfigurationError: As `AskPerson`.
    """
    return AskPerson(name, question, answer, timeout)


def _check_text(text: object, where: str) -> None:
    if not isinstance(text, str) or not text.strip():
        raise ConfigurationError(
            f"{where} must be text that is not empty, or a function that returns it"
        )
