"""The environment of the programs that tests of the documentation start."""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["create_environment"]

_CHOSEN = ("OPENAI_API_KEY", "OPENAI_BASE_URL", "AGENT_FACTORY_MODEL")


def create_environment() -> dict[str, str]:
    """Return the environment without what chooses a model, in which Python finds what this process finds."""
    kept = {name: value for name, value in os.environ.items() if name not in _CHOSEN}
    # Absolute, since the programs run in folders of their own.
    return kept | {"PYTHONPATH": os.pathsep.join(str(Path(place).absolute()) for place in sys.path)}
