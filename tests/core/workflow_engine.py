"""A second engine for workflows: it runs steps one by one, and keeps what they return as JSON by their paths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from agent_factory.core.exceptions import WorkflowError
from agent_factory.core.workflows import Caught, Failure, StepContext, catch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agent_factory.core.workflows import AskPerson, Codec, Person, Step, Workflow
    from agent_factory.core.workflows.nodes import Job

__all__ = ["InterruptedRun", "RecordingEngine"]

InT = TypeVar("InT")
OutT = TypeVar("OutT")
AnyT = TypeVar("AnyT")

Handled = tuple[int, str, str, str, bool]


class InterruptedRun(BaseException):
    """Stands for the end of the process in the middle of a run."""


class RecordingEngine:
    """Runs steps one by one, and does not run a step or ask a question again whose result it has.

    What a step returned reaches the next one as it is read from the record, in the first run too.

    Args:
        records: Results of an earlier run by path, as JSON.
        handled: What its error handlers were told, by the path of what failed.
        person: Answers questions.
        stop_after: How many steps and questions run before the run is interrupted; never if None.

    Attributes:
        records: The results so far by path, as JSON.
        handled: What error handlers were told so far, without the value.
        ran: Paths of the steps that ran and of the questions that were asked, oldest first.
    """

    def __init__(
        self,
        records: dict[str, bytes] | None = None,
        handled: dict[str, Handled] | None = None,
        person: Person | None = None,
        stop_after: int | None = None,
    ) -> None:
        self.records = dict(records or {})
        self.handled = dict(handled or {})
        self.ran: list[str] = []
        self._person = person
        self._stop_after = stop_after
        self._name = ""
        self._run_id = ""

    async def run(
        self, workflow: Workflow[InT, OutT], value: InT, *, run_id: str | None = None
    ) -> OutT:
        self._name = workflow.name
        self._run_id = run_id or "run"
        return await workflow.execute_steps(value, "", self)

    async def run_step(self, step: Step[Any, Any], value: Any, path: str) -> Any:
        async def work() -> Any:
            if step.takes_context:
                return await step.call(StepContext(self._run_id, path), value)
            return await step.call(value)

        return await self._record(path, step.codec, work)

    async def ask_person(self, node: AskPerson[Any, Any], value: Any, path: str) -> Any:
        async def work() -> Any:
            assert self._person is not None
            question = node.create_question(
                value, workflow=self._name, run_id=self._run_id, path=path
            )
            return node.read_answer(await self._person.ask(question))

        return await self._record(path, node.codec, work)

    async def run_all(self, jobs: Sequence[Job], limit: int) -> Any:
        return [await node.execute(value, path, self) for node, value, path in jobs]

    async def run_caught(self, job: Job, kinds: Sequence[type[Exception]]) -> Any:
        node, value, path = job
        if path not in self.handled:
            try:
                return await node.execute(value, path, self)
            except WorkflowError as error:
                caught = catch(error, kinds, value)
                if caught is None:
                    raise
                told = caught.failure
                self.handled[path] = (
                    caught.kind,
                    told.step,
                    told.error,
                    told.message,
                    told.retryable,
                )
        kind, step, error_name, message, retryable = self.handled[path]
        return Caught(kind, Failure(value, step, error_name, message, retryable))

    def decide(self, function: Callable[[Any], AnyT], value: Any, path: str) -> AnyT:
        return function(value)

    def refuse(self, path: str, reason: str) -> WorkflowError:
        return WorkflowError(f"{path} {reason}", workflow=self._name, step=path)

    async def _record(self, path: str, codec: Codec, work: Callable[[], Any]) -> Any:
        if path not in self.records:
            if len(self.ran) == self._stop_after:
                raise InterruptedRun
            self.ran.append(path)
            try:
                self.records[path] = codec.write(await work())
            except Exception as error:
                raise self.refuse(path, str(error)) from error
        return codec.read(self.records[path])
