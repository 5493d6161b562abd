"""A conversation: turns that follow each other, each a run of its own that knows what was said before."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from agent_factory.cli.recording import record
from agent_factory.cli.run import stream_answer
from agent_factory.cli.spending import explain_spend
from agent_factory.core.exceptions import CoreError
from agent_factory.core.identifiers import create_run_id
from agent_factory.core.memory.ports import MemoryScope
from agent_factory.core.memory.store import InMemoryStore
from agent_factory.core.options import RunOptions, Session
from agent_factory.core.waiting import run_bounded

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from agent_factory.cli.assembly import AssembledBlueprint
    from agent_factory.cli.startup import Startup
    from agent_factory.cli.views import View
    from agent_factory.core.approvals import Approver
    from agent_factory.core.messages import Message

__all__ = ["Conversation"]

_CLOSING_SECONDS = 5.0


class Conversation:
    """A conversation with the agent of a blueprint. What was said is kept in this process, and nowhere else.

    All turns share one event loop, so that connections stay open between them.

    Args:
        startup: What the command began with.
        blueprint: The blueprint; it is closed with the conversation.
        view: Shows what happens.
        approver: Decides about tool calls that need approval.
        records: Whether turns are recorded.

    Attributes:
        blueprint: As given.
    """

    def __init__(
        self,
        startup: Startup,
        blueprint: AssembledBlueprint,
        *,
        view: View,
        approver: Approver,
        records: bool,
    ) -> None:
        self.blueprint = blueprint
        self._startup = startup
        self._view = view
        self._approver = approver
        self._records = records
        self._prices = startup.container.create_prices()
        self._id = create_run_id()
        self._session = Session(InMemoryStore(), MemoryScope("local", self._id))
        self._runner = asyncio.Runner()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        loop = self._runner.get_loop()
        try:
            # Bounded, and not `Runner.close`: a tool may ignore that it is cancelled.
            loop.run_until_complete(self._end())
        finally:
            asyncio.set_event_loop(None)
            loop.close()

    def answer(self, prompt: str) -> None:
        """Let the agent answer. A turn that does not come to its end is no part of the conversation.

        Args:
            prompt: What the person said.

        Raises:
            CoreError: There is no answer.
            SpendError: A model call may not cost what it would.
            KeyboardInterrupt: The person stopped it.
        """
        run_id = create_run_id()
        with record(
            self._startup, self.blueprint, run_id, wanted=self._records, session=self._id
        ) as observers:
            options = RunOptions(
                approver=self._approver,
                observers=observers,
                prices=self._prices,
                session=self._session,
                run_id=run_id,
            )
            try:
                with self.blueprint.denials.told_to(self._view.show_denied):
                    self._runner.run(stream_answer(self.blueprint, prompt, self._view, options))
            except CoreError as error:
                told = explain_spend(error, self.blueprint.assembly, self._prices)
                if told is None:
                    raise
                raise told from error
            finally:
                self._view.pause()

    def read(self) -> tuple[Message, ...]:
        """Return what was said so far."""
        return self._runner.run(self._session.store.load(self._session.scope))

    def clear(self) -> None:
        """Forget what was said."""
        self._runner.run(self._session.store.clear(self._session.scope))

    async def _end(self) -> None:
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left, timeout=1.0)
        with suppress(TimeoutError):
            await run_bounded(self.blueprint.close(), _CLOSING_SECONDS)
        with suppress(TimeoutError):
            await run_bounded(asyncio.get_running_loop().shutdown_asyncgens(), 1.0)
