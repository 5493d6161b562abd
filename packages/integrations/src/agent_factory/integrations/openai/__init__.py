"""Models behind OpenAI-compatible servers: OpenAI itself, Ollama, vLLM, llama.cpp and others."""

from agent_factory.integrations.openai.base import DEFAULT_BASE_URL
from agent_factory.integrations.openai.model import OpenAIModel
from agent_factory.integrations.openai.responses import OpenAIResponsesModel
from agent_factory.integrations.openai.retry import RetryPolicy
from agent_factory.integrations.openai.sdk import OpenAIClient, OpenAIClientModel

__all__ = [
    "DEFAULT_BASE_URL",
    "OpenAIClient",
    "OpenAIClientModel",
    "OpenAIModel",
    "OpenAIResponsesModel",
    "RetryPolicy",
]
