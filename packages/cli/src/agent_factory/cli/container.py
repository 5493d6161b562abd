"""The composition root: the one place where adapters meet the ports they implement."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from agent_factory.cli.addresses import hide_user, is_own_server
from agent_factory.cli.exceptions import UsageError
from agent_factory.cli.model_names import check_model
from agent_factory.core.exceptions import ConfigurationError, ModelError
from agent_factory.core.prices import PRICES, Price, PriceTable
from agent_factory.core.registry import ToolRegistry, find_installed_tools

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agent_factory.cli.settings import LoadedSettings
    from agent_factory.core.blueprints import Adapters
    from agent_factory.core.blueprints.schema import ModelSettings
    from agent_factory.core.models import Model
    from agent_factory.core.workflows.people import Person
    from agent_factory.integrations.openai import OpenAIModel

__all__ = ["Container", "create_container"]

OPENAI_BASE_URL = "https://api.openai.com/v1"
OPENAI_MODEL = "gpt-5.4-mini"
"""The model of OpenAI's own service that ``default`` means; another server has other names."""


class Container:
    """Makes what a command needs out of the settings.

    Args:
        loaded: What the environment and the settings file say.
    """

    def __init__(self, loaded: LoadedSettings) -> None:
        self._settings = settings = loaded.settings
        self._model_source = (
            "AGENT_FACTORY_MODEL"
            if loaded.find_origin(("model",)) == "environment"
            else f"the setting 'model' in {loaded.file.path}"
        )
        key = settings.openai.api_key
        self._secrets = [] if key is None else [key.get_secret_value()]

    def create_tools(self, person: Person | None = None) -> ToolRegistry:
        """Return the tools that blueprints can use.

        Args:
            person: Who answers their questions; nobody if None.
        """
        # Here and not above: what lists models should not pay for tools.
        from agent_factory.integrations.tools import create_builtin_entries

        return ToolRegistry(create_builtin_entries(person=person), find_installed_tools())

    def create_prices(self) -> PriceTable:
        """Return what models cost: what comes along, and what the settings say, which goes first.

        The models of a server of one's own cost nothing unless the settings say what they cost.
        """
        own = {name: price.to_price() for name, price in self._settings.prices.items()}
        base_url = self._settings.openai.base_url
        if base_url is None or not is_own_server(base_url):
            return PRICES.override(own)
        known = {
            name: price for name, price in PRICES.prices.items() if not name.startswith("openai:")
        }
        return PriceTable(
            {**known, "openai:*": Price(0, 0, 0), **own},
            currency=PRICES.currency,
            as_of=PRICES.as_of,
        )

    def scrub(self, text: str) -> str:
        """Return a text with ``[secret]`` in place of the keys of the settings.

        Args:
            text: Any text.
        """
        for secret in self._secrets:
            text = text.replace(secret, "[secret]")
        return text

    async def list_models(self) -> tuple[str, list[str]]:
        """Ask the OpenAI-compatible server for its models.

        Returns:
            The address of the server, and the names of its models.

        Raises:
            UsageError: There is neither a key nor an address.
            ModelError: The server does not say.
        """
        create, base_url = self._prepare_openai()
        async with create("unknown") as probe:
            return base_url, sorted(await probe.list_models())

    def describe_default(self) -> tuple[str, str]:
        """Return what ``default`` stands for, and why; nothing is called to find out."""
        settings = self._settings
        if settings.model is not None:
            return settings.model, f"{self._model_source} says so"
        base_url = settings.openai.base_url
        if base_url is not None and base_url.rstrip("/") != OPENAI_BASE_URL:
            return "openai", f"the one model of {hide_user(base_url)}, which OPENAI_BASE_URL names"
        if base_url is not None or settings.openai.api_key is not None:
            return f"openai:{OPENAI_MODEL}", "there is a key or an address, and no model is named"
        return "extractive", "there is neither a key nor an address of a server"

    def create_adapters(
        self, *, model: str | None = None, person: Person | None = None
    ) -> Adapters:
        """Return what blueprints are put together with.

        Args:
            model: Name of the model to use instead of every model of the blueprint.
            person: Who answers questions of tools; nobody if None.

        Raises:
            ConfigurationError: The name means nothing.
            UsageError: The environment lacks what the model needs, or names a model that cannot be had.
            IntegrationError: The model's adapter cannot work with what it was given.
        """
        from agent_factory.cli.secrets import EnvironmentSecrets
        from agent_factory.core.blueprints import Adapters
        from agent_factory.integrations.toolsets import BlueprintToolsets

        tools, secrets = self.create_tools(person), EnvironmentSecrets()
        if model is not None:
            # Made here: a wrong --model is no mistake in the file.
            chosen = self.create_model(model)
            return Adapters(
                tools, lambda _use, _settings: chosen, toolsets=BlueprintToolsets(), secrets=secrets
            )

        def create(use: str, settings: ModelSettings) -> Model:
            return self.create_model(use, settings.model_dump(exclude_none=True))

        return Adapters(tools, create, check_model, BlueprintToolsets(), secrets)

    def create_model(self, name: str, settings: Mapping[str, object] | None = None) -> Model:
        """Make the model of a name.

        Args:
            name: ``default``, ``extractive``, ``local``, ``local:FILE.gguf``, ``openai`` or ``openai:NAME``.
            settings: How the model is asked, as fields of OpenAI's protocol; only such a model has any.

        Returns:
            The model. For ``default``: what ``AGENT_FACTORY_MODEL`` names; else the OpenAI-compatible server where a key
            or an address is set; else the extractive model.

        Raises:
            ConfigurationError: The name means nothing.
            UsageError: The environment lacks what the model needs, or names a model that cannot be had.
            IntegrationError: The model's adapter cannot work with what it was given.
        """
        check_model(name)
        kind, _, rest = name.partition(":")
        if kind == "default":
            return self._create_default(settings)
        if kind == "openai":
            return self._create_openai(rest, settings)
        if settings:
            raise ConfigurationError(
                f"the model {name!r} has no settings: take out {', '.join(map(repr, settings))}"
            )
        if kind == "local":
            from agent_factory.integrations.local import LocalModel

            return LocalModel(Path(rest) if rest else None)
        from agent_factory.integrations.extractive import ExtractiveModel

        return ExtractiveModel()

    def _create_default(self, own: Mapping[str, object] | None) -> Model:
        settings = self._settings
        if settings.model is not None:
            if settings.model == "default":
                raise UsageError(
                    f"{self._model_source} names 'default', which is what it should decide: "
                    "set it to another model or remove it"
                )
            try:
                return self.create_model(settings.model, own)
            except ConfigurationError as error:
                raise UsageError(f"{self._model_source}: {error.message}") from error
        if settings.openai.api_key is not None or settings.openai.base_url is not None:
            return self._create_openai("", own)
        # Nothing to set in it, and nothing to refuse: whoever runs the blueprint has chosen no model.
        return self.create_model("extractive")

    def _create_openai(self, name: str, own: Mapping[str, object] | None) -> Model:
        create, base_url = self._prepare_openai(own)
        if name:
            return create(name)
        if base_url.rstrip("/") == OPENAI_BASE_URL:
            return create(OPENAI_MODEL)
        return create(_choose(base_url, create("unknown")))

    def _prepare_openai(
        self, own: Mapping[str, object] | None = None
    ) -> tuple[Callable[[str], OpenAIModel], str]:
        from agent_factory.integrations.openai import OpenAIModel

        settings = self._settings.openai
        key = settings.api_key
        if key is None and settings.base_url is None:
            raise UsageError(
                "an OpenAI model needs OPENAI_API_KEY, or OPENAI_BASE_URL for a server without keys: "
                "set one, or choose the model 'extractive'"
            )
        base_url = settings.base_url or OPENAI_BASE_URL

        def create(model: str) -> OpenAIModel:
            return OpenAIModel(
                model,
                api_key=None if key is None else key.get_secret_value(),
                base_url=base_url,
                extra_body=own or None,
            )

        return create, base_url


def _choose(base_url: str, probe: OpenAIModel) -> str:
    """Return the one model that a server offers."""

    async def list_models() -> list[str]:
        async with probe:
            return sorted(await probe.list_models())

    try:
        offered = asyncio.run(list_models())
    except ModelError as error:
        raise UsageError(
            f"{hide_user(base_url)} does not say which models it has: {error.message} "
            "Or name a model: --model openai:NAME, AGENT_FACTORY_MODEL=openai:NAME"
        ) from error
    if len(offered) == 1:
        return offered[0]
    shown = ", ".join(offered[:20]) + (", …" if len(offered) > 20 else "")
    raise UsageError(
        f"{hide_user(base_url)} has {len(offered)} models ({shown or 'none'}): "
        "name one with --model openai:NAME or AGENT_FACTORY_MODEL=openai:NAME"
    )


def create_container(loaded: LoadedSettings) -> Container:
    """Return the container for the settings.

    Args:
        loaded: What the environment and the settings file say.
    """
    return Container(loaded)
