"""What can be set."""

from __future__ import annotations

import os
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.prices.table import Price

__all__ = [
    "VARIABLES",
    "KeepSettings",
    "OpenAISettings",
    "PriceSettings",
    "RunsSettings",
    "Settings",
]

VARIABLES = {
    ("openai", "api_key"): "OPENAI_API_KEY",
    ("openai", "base_url"): "OPENAI_BASE_URL",
    ("model",): "AGENT_FACTORY_MODEL",
}
"""The environment variables that are settings, by the path of the setting. An empty one counts as not set."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _check_model_name(name: str) -> str:
    if not name.strip() or "*" in name[:-1]:
        raise ValueError("a price is for the name of a model, or its beginning and a final '*'")
    return name


Amount = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,9}(\.[0-9]{1,6})?$")]
"""Currency units for a million tokens, as text, so that no digit is lost: ``"1.25"``."""

ModelName = Annotated[str, StringConstraints(max_length=200), AfterValidator(_check_model_name)]


class OpenAISettings(_Section):
    """An OpenAI-compatible server.

    Attributes:
        api_key: Its key; only from the environment.
        base_url: Its address, with its ``/v1``; that of OpenAI itself if None.
    """

    api_key: SecretStr | None = None
    base_url: str | None = Field(default=None, pattern=r"^https?://[^\s/?#]+[^\s?#]*$")


class PriceSettings(_Section):
    """What a model costs, in units of the price table's currency for a million tokens.

    Attributes:
        input: For tokens read.
        output: For tokens written.
        cached_input: For tokens read that the provider had read before; as ``input`` if None.
    """

    input: Amount
    output: Amount
    cached_input: Amount | None = None

    @model_validator(mode="after")
    def _check(self) -> PriceSettings:
        try:
            self.to_price()
        except ConfigurationError as error:
            raise ValueError("cached_input must be at most input") from error
        return self

    def to_price(self) -> Price:
        """Return the price in whole millionths, as core has it."""
        cached = self.input if self.cached_input is None else self.cached_input
        return Price(
            *(int(Decimal(text) * 1_000_000) for text in (self.input, self.output, cached))
        )


class KeepSettings(_Section):
    """Which recorded runs are kept.

    Attributes:
        number: How many at most; 0 records none.
        days: For how many days at most.
    """

    number: int = Field(default=1000, ge=0, le=10_000)
    days: int = Field(default=90, ge=1, le=36_500)


class RunsSettings(_Section):
    """Recorded runs.

    Attributes:
        keep: Which are kept.
    """

    keep: KeepSettings = KeepSettings()


class _VariableSource(PydanticBaseSettingsSource):
    """The environment, by the table above."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        del field
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for path, variable in VARIABLES.items():
            value = os.environ.get(variable)
            if not value:
                continue
            section = values
            for part in path[:-1]:
                section = section.setdefault(part, {})
            section[path[-1]] = SecretStr(value) if variable == "OPENAI_API_KEY" else value
        return values


class Settings(BaseSettings):
    """What the environment and the settings file say; the environment goes first.

    Attributes:
        model: The model that blueprints with ``model: default`` get.
        color: When output has colours.
        openai: The OpenAI-compatible server.
        prices: What models cost, by name, besides the prices that come along.
        runs: Recorded runs.
    """

    model_config = SettingsConfigDict(extra="forbid", frozen=True, strict=True)

    model: str | None = Field(default=None, min_length=1, max_length=500)
    color: Literal["auto", "always", "never"] = "auto"
    openai: OpenAISettings = OpenAISettings()
    prices: dict[ModelName, PriceSettings] = Field(default_factory=dict)
    runs: RunsSettings = RunsSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return where the values come from: the environment, then what the file says."""
        del env_settings, dotenv_settings, file_secret_settings
        return _VariableSource(settings_cls), init_settings


class FileSettings(Settings):
    """What the settings file says, without the environment."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return where the values come from: what the file says."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)
