"""Making the models of a blueprint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_factory.core.permissions import Need

if TYPE_CHECKING:
    from agent_factory.core.blueprints.assembling.context import AssemblyContext
    from agent_factory.core.models import Model

__all__ = ["ModelMaker"]


class ModelMaker:
    """Makes the models of a blueprint, each when it is first asked for.

    Args:
        context: What makers share.

    Attributes:
        made: The models by the names that the blueprint uses for them.
    """

    def __init__(self, context: AssemblyContext) -> None:
        self.made: dict[str, Model] = {}
        self._context = context

    def get(self, name: str) -> Model:
        """Return the model of a name.

        Args:
            name: One of ``models``, or what may stand under ``use`` there.

        Raises:
            PermissionDeniedError: The permissions do not name it.
            ConfigurationError: It cannot be made, or not with its settings.
        """
        if name in self.made:
            return self.made[name]
        from agent_factory.core.blueprints.schema.models import ModelSection

        context = self._context
        section = context.blueprint.models.get(name) or ModelSection.model_validate({"use": name})
        context.grant.check(Need("models", section.use))
        inner = context.adapters.create_model(section.use, section.settings)
        model = inner if context.wrap_model is None else context.wrap_model(name, inner)
        context.closing.add(model, inner)
        if section.fallbacks:
            from agent_factory.core.fallback import FallbackModel

            model = FallbackModel((model, *map(self.get, section.fallbacks)))
        self.made[name] = model
        return model
