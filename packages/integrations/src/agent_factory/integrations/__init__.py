"""Adapters to the outside: models, and tools that agents may use.

Each lives in a package of its own, so that a program loads only what it uses:
`agent_factory.integrations.openai`, `.local`, `.extractive`, `.tools`, and `.testing` with a server for tests.
"""

from agent_factory.integrations.exceptions import (
    IntegrationConfigurationError,
    IntegrationError,
    MissingExtraError,
    ModelQuotaError,
)

__all__ = [
    "IntegrationConfigurationError",
    "IntegrationError",
    "MissingExtraError",
    "ModelQuotaError",
]
