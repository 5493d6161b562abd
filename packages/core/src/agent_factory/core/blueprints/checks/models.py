"""Checks of the models of a blueprint, and of what names one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_factory.core.blueprints.checks.circles import describe_circle, find_circles, find_deep
from agent_factory.core.blueprints.checks.names import check_repeats
from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.permissions import Need
from agent_factory.core.suggestions import describe_choices

if TYPE_CHECKING:
    from agent_factory.core.blueprints.checks.context import CheckContext
    from agent_factory.core.blueprints.document import Document
    from agent_factory.core.blueprints.document import Path as Place

__all__ = ["MAX_FALLBACKS", "check_model", "check_models"]

MAX_FALLBACKS = 8
"""How many models may fall back on each other in a row."""


def check_models(context: CheckContext) -> None:
    """Check the models, and what they fall back on.

    Args:
        context: The blueprint, and what was found in it.
    """
    models = context.blueprint.models
    for name, model in models.items():
        place: Place = ("models", name)
        # A name alone stands for the model.
        at = (
            place
            if isinstance(context.file.document.value["models"][name], str)
            else (*place, "use")
        )
        _check_use(context, model.use, at)
        for index, fallback in enumerate(model.fallbacks):
            check_model(context, fallback, (*place, "fallbacks", index))
        check_repeats(context, model.fallbacks, (*place, "fallbacks"))
    edges = {
        name: [key for key in item.fallbacks if key in models] for name, item in models.items()
    }
    circles = find_circles(edges)
    for circle in circles:
        message = f"the models fall back on each other in a circle: {describe_circle(circle)}"
        context.say(("models", circle[0], "fallbacks"), message)
    for name in [] if circles else find_deep(edges, MAX_FALLBACKS):
        message = f"more than {MAX_FALLBACKS} models fall back on each other in a row: list them here, one after the other"
        context.say(("models", name, "fallbacks"), message)


def check_model(
    context: CheckContext, name: str, place: Place, *, document: Document | None = None
) -> None:
    """Check what names a model: one of models, or what may stand under 'use' there.

    Args:
        context: The blueprint, and what was found in it.
        name: The name.
        place: Where it is.
        document: The text that the place is in; that of the blueprint if None.
    """
    if name in context.blueprint.models:
        return
    try:
        context.adapters.check_model(name)
    except ConfigurationError as error:
        known = context.blueprint.models
        hint = f"; in models, {describe_choices(name, known)}" if known else ""
        context.say(place, f"{error.message}{hint}", document=document)
        return
    context.check_need(Need("models", name), place, document=document)


def _check_use(context: CheckContext, use: str, place: Place) -> None:
    try:
        context.adapters.check_model(use)
    except ConfigurationError as error:
        context.say(place, error.message)
        return
    context.check_need(Need("models", use), place)
