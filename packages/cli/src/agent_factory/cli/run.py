"""Running the agent of a blueprint."""

from __future__ import annotations

from contextlib import AsyncExitStack, aclosing
from typing import TYPE_CHECKING

from agent_factory.core.blueprints import create_agent, load_blueprint
from agent_factory.core.waiting import run_blocking

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from agent_factory.cli.views import View
    from agent_factory.core import Agent, Model, ToolRegistry

__all__ = ["run_blueprint"]


def run_blueprint(
    file: Path,
    prompt: str,
    *,
    tools: ToolRegistry,
    create_model: Callable[[str], Model],
    view: View,
    model: str | None = None,
) -> None:
    """Run the agent of a blueprint once and show what happens.

    Args:
        file: The blueprint.
        prompt: What to ask the agent.
        tools: The tools that the blueprint can use.
        create_model: Makes the model of a name.
        view: Shows the events.
        model: Name of the model to use instead of the blueprint's own.

    Raises:
        BlueprintError: The blueprint is wrong.
        ConfigurationError: The model cannot be made.
        CoreError: The run failed.
    """
    loaded = load_blueprint(file)
    # Outside the blueprint's own checks: a wrong --model is no mistake in the file.
    chosen = None if model is None else create_model(model)
    agent = create_agent(
        loaded,
        tools=tools,
        create_model=create_model if chosen is None else lambda _: chosen,
    )
    view.show_start(loaded.blueprint)
    # Not asyncio.run: it would wait for a tool that ignores being cancelled.
    run_blocking(_run(agent, prompt, view))


async def _run(agent: Agent[object, str], prompt: str, view: View) -> None:
    async with AsyncExitStack() as stack:
        close = getattr(agent.model, "aclose", None)
        if close is not None:
            stack.push_async_callback(close)
        events = await stack.enter_async_context(aclosing(agent.stream(prompt, deps=None)))
        async for event in events:
            view.show_event(event)
