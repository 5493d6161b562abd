"""Putting blueprints together without the models that they name, for commands that ask none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from agent_factory.core.exceptions import ModelRequestError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from agent_factory.core.blueprints import Adapters, ModelSettings
    from agent_factory.core.models import Model, ModelDelta, ModelRequest, ModelResponse

__all__ = ["NamedModel", "create_offline_adapters"]


class NamedModel:
    """A model that has a name, and answers nothing.

    Args:
        name: The name.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    def name(self) -> str:
        """Name of the model."""
        return self._name

    async def respond(self, request: ModelRequest) -> ModelResponse:
        """Refuse the request.

        Raises:
            ModelRequestError: Always.
        """
        del request
        raise ModelRequestError("this command asks no model", model=self._name)

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelDelta | ModelResponse]:
        """Refuse the request.

        Raises:
            ModelRequestError: Always.
        """
        yield await self.respond(request)


def create_offline_adapters(adapters: Adapters) -> Adapters:
    """Return adapters that make no model that could be asked, so that neither a key nor a server is needed.

    Args:
        adapters: What blueprints are put together with otherwise.
    """

    def create(use: str, settings: ModelSettings) -> Model:
        del settings
        return NamedModel(use)

    return replace(adapters, create_model=create)
