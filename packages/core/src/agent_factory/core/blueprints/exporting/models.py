"""The models of agents as a blueprint names them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_factory.core.blueprints.exporting.names import find_free_name
from agent_factory.core.fallback import FallbackModel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent_factory.core.models import Model

__all__ = ["ModelWriter"]


class ModelWriter:
    """Writes models by their names, and chains of models under ``models``.

    Args:
        problems: What cannot be written is put here.

    Attributes:
        sections: What stands under ``models``.
        uses: The names of all models that are asked.
    """

    def __init__(self, problems: list[str]) -> None:
        self.sections: dict[str, Any] = {}
        self.uses: list[str] = []
        self._problems = problems
        self._names: dict[tuple[str, ...], str] = {}

    def write(self, model: Model, owner: str) -> str:
        """Return what stands for a model where a blueprint names one.

        Args:
            model: The model.
            owner: Who asks it, for messages.
        """
        chain = tuple(item.name for item in self._unfold(model, owner))
        for name in chain:
            if name not in self.uses:
                self.uses.append(name)
        if len(chain) == 1:
            return chain[0]
        if chain not in self._names:
            key = find_free_name("with_fallbacks", self.sections)
            self._names[chain] = key
            self.sections[key] = {"use": chain[0], "fallbacks": list(chain[1:])}
        return self._names[chain]

    def _unfold(self, model: Model, owner: str) -> Iterator[Model]:
        if not isinstance(model, FallbackModel):
            yield model
            return
        # No part of its interface tells which errors it is about.
        if model._on is not None or model.model_timeout is not None:  # noqa: SLF001
            self._problems.append(
                f"{owner}: its FallbackModel has 'on' or 'model_timeout', which a blueprint cannot say: leave them out"
            )
        for inner in model.models:
            yield from self._unfold(inner, owner)
