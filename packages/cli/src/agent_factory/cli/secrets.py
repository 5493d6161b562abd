"""The secrets that blueprints are granted, from the environment."""

from __future__ import annotations

import os

__all__ = ["EnvironmentSecrets"]


class EnvironmentSecrets:
    """Reads secrets from the environment variables of their names; only a grant decides which."""

    def get(self, name: str) -> str | None:
        """Return a secret, or None where there is no variable of its name, or an empty one.

        Args:
            name: Name of the secret.
        """
        return os.environ.get(name) or None
