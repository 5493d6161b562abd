"""Running the workflow of a blueprint: it is shown and recorded as a run, with the runs of its agents within it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from agent_factory.core.blueprints.running import BlueprintEngine, PatientApprover, RunClock
from agent_factory.core.events import RunFailed, RunFinished, RunStarted
from agent_factory.core.exceptions import CoreError, RunCancelledError
from agent_factory.core.identifiers import create_run_id
from agent_factory.core.result import RunResult
from agent_factory.core.usage import Usage

if TYPE_CHECKING:
    from agent_factory.cli.assembly import AssembledBlueprint
    from agent_factory.cli.views import View
    from agent_factory.core.events import RunEvent
    from agent_factory.core.options import RunOptions
    from agent_factory.core.workflows.people import Person

__all__ = ["run_workflow"]


async def run_workflow(
    blueprint: AssembledBlueprint,
    prompt: str,
    view: View,
    options: RunOptions,
    person: Person | None,
) -> None:
    """Run the workflow of a blueprint once and show what happens.

    Args:
        blueprint: The blueprint.
        prompt: The input, as it was typed.
        view: Shows the events.
        options: What the run brings along.
        person: Who answers its questions; nobody if None.

    Raises:
        UsageError: It is no input that the blueprint takes.
        CoreError: The run failed.
    """
    from agent_factory.cli.people import AbsentPerson

    value = blueprint.read_input(prompt)
    assembly = blueprint.assembly
    run_id = options.run_id or create_run_id()
    watcher = _Watcher(view, options, run_id)
    given = replace(options, run_id="", observers=(watcher.observe,))
    clock = RunClock(assembly.timeout)
    if given.approver is not None:
        given = replace(given, approver=PatientApprover(given.approver, clock))
    workflow = assembly.get_workflow(assembly.entry, assembly.create_options(given))
    asked = AbsentPerson() if person is None else person
    engine = BlueprintEngine(assembly, person=asked, clock=clock)
    watcher.start(workflow.name, prompt)
    try:
        output = await workflow.run(value, engine=engine, run_id=run_id)
    except CoreError as error:
        watcher.fail(error)
        raise
    except asyncio.CancelledError:
        watcher.fail(RunCancelledError("the run was cancelled"))
        raise
    watcher.finish(output)


class _Watcher:
    """Hands on the events of agents as those of runs within the run of the workflow."""

    def __init__(self, view: View, options: RunOptions, run_id: str) -> None:
        self._view = view
        self._options = options
        self._run_id = run_id
        self._sequence = 0
        self._usage = Usage()
        self._direct: set[str] = set()

    def observe(self, event: RunEvent[Any]) -> None:
        if isinstance(event, RunStarted) and not event.parent_run_id:
            event = replace(event, parent_run_id=self._run_id)
            self._direct.add(event.run_id)
        # What an agent used has that of the agents within it.
        if isinstance(event, RunFinished) and event.run_id in self._direct:
            self._usage = self._usage + event.result.usage
        self._tell(event)

    def start(self, name: str, prompt: str) -> None:
        self._tell(RunStarted(*self._next(), name, "", prompt))

    def finish(self, output: Any) -> None:
        result = RunResult(output=output, messages=(), usage=self._usage, run_id=self._run_id)
        self._tell(RunFinished(*self._next(), result))

    def fail(self, error: CoreError) -> None:
        self._tell(RunFailed(*self._next(), error))

    def _next(self) -> tuple[str, int, Any]:
        number, self._sequence = self._sequence, self._sequence + 1
        return self._run_id, number, self._options.clock.now()

    def _tell(self, event: RunEvent[Any]) -> None:
        for observer in self._options.observers:
            observer(event)
        self._view.show_event(event)
