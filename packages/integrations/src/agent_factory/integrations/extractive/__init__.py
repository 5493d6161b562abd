"""The model without a key: it quotes documents, and says that it is no language model."""

from agent_factory.integrations.extractive.model import ExtractiveModel

__all__ = ["ExtractiveModel"]
