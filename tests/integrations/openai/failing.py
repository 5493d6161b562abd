"""Calls that have to fail, by whichever client."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agent_factory.core import ModelError, TextDelta

if TYPE_CHECKING:
    from agent_factory.core import Model, ModelRequest

__all__ = ["get_failure"]


async def get_failure(
    model: Model, request: ModelRequest, *, stream: bool
) -> tuple[ModelError, str]:
    """Return the error that a call ends with, and the text that was given out before.

    Args:
        model: The client.
        request: What to ask.
        stream: Whether to ask for the answer piece by piece.
    """
    text = ""
    with pytest.raises(ModelError) as caught:
        if stream:
            async for item in model.stream(request):
                assert isinstance(item, TextDelta)
                text += item.text
        else:
            await model.respond(request)
    return caught.value, text
