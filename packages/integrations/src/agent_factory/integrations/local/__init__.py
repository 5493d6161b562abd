"""A model that runs in this process, from a GGUF file: the extra ``afactory-integrations[local]``."""

from agent_factory.integrations.local.model import LocalModel
from agent_factory.integrations.local.weights import find_bundled_weights

__all__ = ["LocalModel", "find_bundled_weights"]
