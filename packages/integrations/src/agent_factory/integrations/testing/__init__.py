"""A faithful local server of OpenAI's protocols, for tests of whatever calls them."""

from agent_factory.integrations.testing.answers import ServerAnswer, ServerScript
from agent_factory.integrations.testing.errors import ErrorAnswer
from agent_factory.integrations.testing.faults import Fault
from agent_factory.integrations.testing.received import ReceivedRequest
from agent_factory.integrations.testing.server import OpenAIServer

__all__ = [
    "ErrorAnswer",
    "Fault",
    "OpenAIServer",
    "ReceivedRequest",
    "ServerAnswer",
    "ServerScript",
]
