"""The composition root: the one place where adapters meet the ports they implement."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from agent_factory.cli.exceptions import UsageError
from agent_factory.core import ConfigurationError, ModelError, ToolRegistry
from agent_factory.core.suggestions import describe_choices

if TYPE_CHECKING:
    from agent_factory.cli.settings import Settings
    from agent_factory.core import Model
    from agent_factory.integrations.openai import OpenAIModel

__all__ = ["Container", "create_container"]

OPENAI_BASE_URL = "https://api.openai.com/v1"
OPENAI_MODEL = "gpt-5.4-mini"
"""The model of OpenAI's own service that ``default`` means; another server has other names."""

_KINDS = ("default", "extractive", "local", "openai")


class Container:
    """Makes what a command needs out of the settings.

    Args:
        settings: What the environment says.

    Attributes:
        tools: The tools that blueprints can use.
    """

    def __init__(self, settings: Settings) -> None:
        # Here and not above: `agent-factory --help` should not pay for what it does not use.
        from agent_factory.integrations.tools import create_builtin_entries

        self._settings = settings
        self.tools = ToolRegistry(create_builtin_entries())

    def create_model(self, name: str) -> Model:
        """Make the model of a name.

        Args:
            name: ``default``, ``extractive``, ``local``, ``local:FILE.gguf``, ``openai`` or ``openai:NAME``.

        Returns:
            The model. For ``default``: what ``AGENT_FACTORY_MODEL`` names; else the OpenAI-compatible server where a key
            or an address is set; else the extractive model.

        Raises:
            ConfigurationError: The name means nothing.
            UsageError: The environment lacks what the model needs, or names a model that cannot be had.
            IntegrationError: The model's adapter cannot work with what it was given.
        """
        kind, _, rest = name.partition(":")
        if kind not in _KINDS or (rest and kind not in ("local", "openai")):
            raise ConfigurationError(
                f"no model is named {name!r}: {describe_choices(kind, [*_KINDS, 'openai:NAME', 'local:FILE.gguf'])}"
            )
        if kind == "default":
            return self._create_default()
        if kind == "openai":
            return self._create_openai(rest)
        if kind == "local":
            from agent_factory.integrations.local import LocalModel

            return LocalModel(Path(rest) if rest else None)
        from agent_factory.integrations.extractive import ExtractiveModel

        return ExtractiveModel()

    def _create_default(self) -> Model:
        settings = self._settings
        if settings.model is not None:
            if settings.model == "default":
                raise UsageError(
                    "AGENT_FACTORY_MODEL names 'default', which is what it should decide: "
                    "set it to another model or remove it"
                )
            try:
                return self.create_model(settings.model)
            except ConfigurationError as error:
                raise UsageError(f"AGENT_FACTORY_MODEL: {error.message}") from error
        if settings.openai_api_key is not None or settings.openai_base_url is not None:
            return self._create_openai("")
        return self.create_model("extractive")

    def _create_openai(self, name: str) -> Model:
        from agent_factory.integrations.openai import OpenAIModel

        settings = self._settings
        key = settings.openai_api_key
        if key is None and settings.openai_base_url is None:
            raise UsageError(
                "an OpenAI model needs OPENAI_API_KEY, or OPENAI_BASE_URL for a server without keys: "
                "set one, or choose the model 'extractive'"
            )
        base_url = settings.openai_base_url or OPENAI_BASE_URL

        def create(model: str) -> OpenAIModel:
            return OpenAIModel(
                model,
                api_key=None if key is None else key.get_secret_value(),
                base_url=base_url,
            )

        if name:
            return create(name)
        if base_url.rstrip("/") == OPENAI_BASE_URL:
            return create(OPENAI_MODEL)
        return create(_choose(base_url, create("unknown")))


def _choose(base_url: str, probe: OpenAIModel) -> str:
    """Return the one model that a server offers."""

    async def list_models() -> list[str]:
        async with probe:
            return sorted(await probe.list_models())

    try:
        offered = asyncio.run(list_models())
    except ModelError as error:
        raise UsageError(
            f"{base_url} does not say which models it has: {error.message} "
            "Or name a model: --model openai:NAME, AGENT_FACTORY_MODEL=openai:NAME"
        ) from error
    if len(offered) == 1:
        return offered[0]
    shown = ", ".join(offered[:20]) + (", …" if len(offered) > 20 else "")
    raise UsageError(
        f"{base_url} has {len(offered)} models ({shown or 'none'}): "
        "name one with --model openai:NAME or AGENT_FACTORY_MODEL=openai:NAME"
    )


def create_container(settings: Settings) -> Container:
    """Return the container for the settings.

    Args:
        settings: What the environment says.
    """
    return Container(settings)
