"""Every error that `agent_factory.integrations` raises of its own, drawn once.

```
AgentFactoryError                       root of every distribution's errors (core)
├── IntegrationError                    root of this distribution
│   ├── IntegrationConfigurationError   an adapter was put together wrongly
│   └── MissingExtraError               an optional package is not installed
└── CoreError
    └── ModelError                      a model call failed (core's port names the subclasses)
        └── ModelRateLimitError
            └── ModelQuotaError         the account's credit is used up; waiting does not help
```

What goes wrong in a model call belongs to core's `ModelError` tree, because the port promises that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_factory.core.exceptions import AgentFactoryError, ModelRateLimitError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "IntegrationConfigurationError",
    "IntegrationError",
    "MissingExtraError",
    "ModelQuotaError",
]


class IntegrationError(AgentFactoryError):
    """Root of the errors of `agent_factory.integrations`, calls to a model excepted."""

    code = "integration"


class IntegrationConfigurationError(IntegrationError):
    """An adapter was given a value that it cannot work with."""

    code = "integration_configuration"


class MissingExtraError(IntegrationError):
    """A package that an adapter needs is not installed.

    Args:
        message: What needs it, and the command that installs it.
        package: The package that is missing, as it is imported.
        install: The command that installs it.
        details: Further structured fields.
    """

    code = "missing_extra"

    def __init__(
        self,
        message: str,
        *,
        package: str,
        install: str,
        details: Mapping[str, object] | None = None,
    ) -> None:
        known: dict[str, object] = {"package": package, "install": install}
        super().__init__(message, details=known | dict(details or {}))
        self.package = package
        self.install = install


class ModelQuotaError(ModelRateLimitError):
    """The account has no credit left: the same call fails until somebody adds some."""

    code = "model_quota"
    retryable = False
