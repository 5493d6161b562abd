"""Running a blueprint."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from agent_factory.cli.spending import explain_spend
from agent_factory.cli.workflows import run_workflow
from agent_factory.core.exceptions import CoreError
from agent_factory.core.options import DEFAULT_OPTIONS
from agent_factory.core.prices import PRICES
from agent_factory.core.waiting import run_blocking

if TYPE_CHECKING:
    from agent_factory.cli.assembly import AssembledBlueprint
    from agent_factory.cli.views import View
    from agent_factory.core.options import RunOptions
    from agent_factory.core.workflows.people import Person

__all__ = ["run_blueprint", "stream_answer"]


def run_blueprint(
    blueprint: AssembledBlueprint,
    prompt: str,
    *,
    view: View,
    options: RunOptions = DEFAULT_OPTIONS,
    person: Person | None = None,
) -> None:
    """Run a blueprint once and show what happens; it is closed afterwards.

    Args:
        blueprint: The blueprint.
        prompt: The input, as it was typed.
        view: Shows the events.
        options: What the run brings along.
        person: Who answers the questions of a workflow; nobody if None.

    Raises:
        CoreError: The run failed.
        SpendError: A model call may not cost what it would.
        KeyboardInterrupt: A person stopped it.
    """
    view.show_start(blueprint.name, blueprint.version)
    try:
        # Not asyncio.run: it would wait for a tool that ignores being cancelled.
        with blueprint.denials.told_to(view.show_denied):
            run_blocking(_run(blueprint, prompt, view, options, person))
    except CoreError as error:
        told = explain_spend(error, blueprint.assembly, options.prices or PRICES)
        if told is None:
            raise
        raise told from error
    except KeyboardInterrupt:
        view.show_stopped()
        raise
    finally:
        view.pause()


async def stream_answer(
    blueprint: AssembledBlueprint, prompt: str, view: View, options: RunOptions
) -> None:
    """Run the agent of a blueprint once and show what happens.

    Args:
        blueprint: The blueprint.
        prompt: What to ask the agent.
        view: Shows the events.
        options: What the run brings along.

    Raises:
        CoreError: The run failed.
    """
    stream = blueprint.agent.stream(
        blueprint.create_prompt(prompt), deps=None, options=blueprint.create_options(options)
    )
    async with aclosing(stream) as events:
        async for event in events:
            view.show_event(event)


async def _run(
    blueprint: AssembledBlueprint,
    prompt: str,
    view: View,
    options: RunOptions,
    person: Person | None,
) -> None:
    try:
        if blueprint.workflow is None:
            await stream_answer(blueprint, prompt, view, options)
        else:
            await run_workflow(blueprint, prompt, view, options, person)
    finally:
        await blueprint.close()
