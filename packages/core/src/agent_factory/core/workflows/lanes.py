"""Lanes: tasks in which steps of a run follow one another, each under its deadline."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from agent_factory.core.exceptions import AgentFactoryError, WorkflowError
from agent_factory.core.waiting import CLEANUP_SECONDS, DeadlineError, run_bounded
from agent_factory.core.workflows.policies import catch
from agent_factory.core.workflows.values import ValueRefusedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence

    from agent_factory.core.workflows.nodes import Job
    from agent_factory.core.workflows.policies import Retry
    from agent_factory.core.workflows.questions import AskPerson
    from agent_factory.core.workflows.steps import Step
    from agent_factory.core.workflows.surroundings import Surroundings

__all__ = ["Lane", "join"]

T = TypeVar("T")


class Lane:
    """A task in which steps follow one another: the `StepRunner` of the local engine.

    A task and a timer for each step would cost more than the step. So the steps of a lane share its task, and one timer
    watches the step that runs: at its deadline it cancels the step, and where the step ignores that for `CLEANUP_SECONDS`, it
    leaves the whole lane to itself.

    Args:
        around: What the lanes of the run share.
    """

    __slots__ = (
        "_around",
        "_deadline",
        "_expired",
        "_path",
        "_stopped",
        "_task",
        "_timer",
        "outcome",
    )

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._deadline: float | None = None
        self._expired = False
        self._path = ""
        self._stopped = False
        self._task: asyncio.Task[Any] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.outcome: asyncio.Future[Any] = around.loop.create_future()

    def start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Future[Any]:
        """Start the lane's task.

        Args:
            work: What it does.

        Returns:
            The future of its result.
        """
        self._task = self._around.loop.create_task(work)
        self._task.add_done_callback(self._settle)
        return self.outcome

    def stop(self) -> asyncio.Task[Any] | None:
        """Cancel the lane: no further step begins in it. Return its task if that has not ended yet."""
        left, self._stopped = self._stopped, True
        if self._timer is not None:
            self._timer.cancel()
        if not self.outcome.cancel() and not self.outcome.cancelled():
            self.outcome.exception()  # fetched, so that asyncio does not report it as lost
        if left or self._task is None or self._task.done():
            return None
        self._task.cancel()
        return self._task

    async def run_step(self, step: Step[Any, Any], value: Any, path: str) -> Any:
        """Run one step; see `StepRunner`."""
        try:
            if step.retry is None:
                call = self._around.bind(step, path, 1) if step.takes_context else step.call
                result = await self._run_watched(call, value, path, step.timeout)
            else:
                result = await self._run_repeatedly(step, value, path, step.retry)
            if result.__class__ not in step.codec.plain:
                step.codec.write(result)
        except Exception as error:  # whatever a step raises is its failure
            raise self._fail(path, error, step.timeout) from error
        return result

    async def ask_person(self, node: AskPerson[Any, Any], value: Any, path: str) -> Any:
        """Ask the engine's person; see `StepRunner`."""
        around = self._around
        if around.person is None:
            raise self.refuse(
                path, "asks a person, and there is nobody to ask: pass LocalEngine(person=...)"
            )
        try:
            question = node.create_question(
                value, workflow=around.workflow, run_id=around.run_id, path=path
            )
            answer = await self._run_watched(around.person.ask, question, path, node.timeout)
            return node.read_answer(answer)
        except DeadlineError as error:
            raise self.refuse(path, f"was not answered within {node.timeout:g} s") from error
        except ValueRefusedError as error:
            raise self.refuse(path, f"got an answer {error}") from error
        except Exception as error:  # whatever asking raises is its failure
            raise self._fail(path, error, node.timeout) from error

    async def run_all(self, jobs: Sequence[Job], limit: int) -> list[Any]:
        """Run nodes side by side, each in one of at most ``limit`` lanes; see `StepRunner`."""
        results: list[Any] = [None] * len(jobs)
        waiting = iter(enumerate(jobs))
        lanes = [Lane(self._around) for _ in range(min(limit, len(jobs)))]
        outcomes = [lane.start(_work(lane, waiting, results)) for lane in lanes]
        await join(lanes, outcomes)
        return results

    async def run_caught(self, job: Job, kinds: Sequence[type[Exception]]) -> Any:
        """Run a node that has error handlers; see `StepRunner`."""
        try:
            # In a lane of its own, it can be left behind when it does not end in time.
            return (await self.run_all([job], 1))[0]
        except WorkflowError as error:
            caught = catch(error, kinds, job[1])
            if caught is None:
                raise
            return caught

    def decide(self, function: Callable[[Any], T], value: Any, path: str) -> T:
        """Call a choice or a condition; see `StepRunner`."""
        try:
            return function(value)
        except Exception as error:  # whatever it raises is its failure
            raise self._fail(path, error, 0) from error

    def refuse(self, path: str, reason: str) -> WorkflowError:
        """Return the error of a node that cannot go on; see `StepRunner`."""
        name = self._around.workflow
        return WorkflowError(f"workflow {name!r}: step {path!r} {reason}", workflow=name, step=path)

    async def _run_watched(
        self, call: Callable[[Any], Awaitable[Any]], value: Any, path: str, timeout: float
    ) -> Any:
        deadline = self._around.loop.time() + timeout
        self._deadline, self._path = deadline, path
        if self._timer is None or self._timer.when() > deadline:
            self._watch(deadline)
        result = None
        try:
            result = await call(value)
        except asyncio.CancelledError:
            if self._stopped:
                raise
            if not self._expired:
                # It must not pass for a cancellation by the caller.
                raise RuntimeError("the work was cancelled from inside") from None
        except Exception:
            # What a step raises while it is being cancelled only hides why it was: told below.
            if not self._expired and not self._stopped:
                raise
        finally:
            self._deadline = None
        if self._stopped:
            raise asyncio.CancelledError
        if self._expired:
            self._recover_from_expiry()
            raise DeadlineError(f"not finished within {timeout:g} s")
        return result

    async def _run_repeatedly(
        self, step: Step[Any, Any], value: Any, path: str, retry: Retry
    ) -> Any:
        attempt = 1
        while True:
            try:
                call = self._around.bind(step, path, attempt)
                return await run_bounded(call(value), step.timeout)
            except Exception as error:  # the policy decides
                wait = retry.wait_after(error, attempt, self._around.chance())
                if wait is None:
                    raise
            await self._around.sleep(wait)
            attempt += 1

    def _watch(self, deadline: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._around.loop.call_at(deadline, self._look)

    def _look(self) -> None:
        """Cancel the step if it is past its deadline; else look again when it would be."""
        self._timer = None
        if self._deadline is None or self._task is None:
            return
        if self._deadline > self._around.loop.time():
            self._watch(self._deadline)
            return
        self._expired = True
        self._timer = self._around.loop.call_later(CLEANUP_SECONDS, self._leave)
        self._task.cancel()

    def _leave(self) -> None:
        """Give up on a step that ignores its cancellation, and on its lane."""
        self._stopped = True
        if not self.outcome.done():
            cause = DeadlineError("not finished, and deaf to its cancellation")
            error = self.refuse(self._path, "did not finish in time, and ignored its cancellation")
            error.__cause__ = cause
            self.outcome.set_exception(error)

    def _recover_from_expiry(self) -> None:
        self._expired = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._task is not None:
            self._task.uncancel()

    def _settle(self, task: asyncio.Task[Any]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        error = RuntimeError("cancelled from inside") if task.cancelled() else task.exception()
        if self.outcome.done():
            return
        if error is None:
            self.outcome.set_result(task.result())
        else:
            self.outcome.set_exception(error)

    def _fail(self, path: str, error: Exception, timeout: float) -> WorkflowError:
        if isinstance(error, DeadlineError):
            return self.refuse(path, f"did not finish within {timeout:g} s")
        if isinstance(error, ValueRefusedError):
            return self.refuse(path, f"returned {error}")
        if isinstance(error, AgentFactoryError):
            return self.refuse(path, f"failed: {error.message}")
        return self.refuse(path, f"raised {type(error).__name__}: {error}")


async def _work(lane: Lane, waiting: Iterator[tuple[int, Job]], results: list[Any]) -> None:
    # The lanes share the iterator: each takes the next job as soon as it is free.
    for index, (node, value, path) in waiting:
        results[index] = await node.execute(value, path, lane)


async def join(lanes: Sequence[Lane], outcomes: Sequence[asyncio.Future[Any]]) -> None:
    """Wait for lanes. The first failure, or a cancellation of the caller, stops all of them.

    Args:
        lanes: The lanes, started.
        outcomes: The futures of their results.

    Raises:
        Exception: What the first lane that failed raised.
    """
    try:
        if len(outcomes) == 1:
            await outcomes[0]
        elif outcomes:
            await asyncio.wait(outcomes, return_when=asyncio.FIRST_EXCEPTION)
            for outcome in outcomes:
                if outcome.done():
                    outcome.result()
    except BaseException:
        left = [task for task in [lane.stop() for lane in lanes] if task is not None]
        if left:
            await asyncio.wait(left, timeout=CLEANUP_SECONDS)
        raise
