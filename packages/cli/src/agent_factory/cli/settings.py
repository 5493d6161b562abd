"""The settings of the command line: one tree, read once from the environment, here and nowhere else."""

from __future__ import annotations

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from agent_factory.cli.exceptions import UsageError

__all__ = ["Settings", "load_settings"]


class Settings(BaseSettings):
    """What the environment says.

    Attributes:
        openai_api_key: Key of an OpenAI-compatible server (``OPENAI_API_KEY``).
        openai_base_url: Address of the server (``OPENAI_BASE_URL``), with its ``/v1``.
        model: The model that blueprints with ``model: default`` get (``AGENT_FACTORY_MODEL``).
    """

    model_config = SettingsConfigDict(extra="ignore", env_ignore_empty=True, frozen=True)

    openai_api_key: SecretStr | None = Field(default=None, validation_alias="OPENAI_API_KEY")
    openai_base_url: str | None = Field(
        default=None, validation_alias="OPENAI_BASE_URL", pattern=r"^https?://[^\s/?#]+[^\s?#]*$"
    )
    model: str | None = Field(default=None, validation_alias="AGENT_FACTORY_MODEL")


def load_settings() -> Settings:
    """Read the settings from the environment.

    Raises:
        UsageError: A variable has a value that cannot be used; the value itself is not shown.
    """
    try:
        return Settings()
    except ValidationError as error:
        problems = "; ".join(
            f"{item['loc'][0]}: {item['msg']}"
            for item in error.errors(include_url=False, include_input=False, include_context=False)
        )
        raise UsageError(
            f"the environment has settings that cannot be used: {problems}",
            details={"variables": sorted(str(item["loc"][0]) for item in error.errors())},
        ) from None
