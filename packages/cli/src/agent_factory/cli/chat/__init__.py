"""A conversation with the agent of a blueprint."""

from agent_factory.cli.chat.conversation import Conversation
from agent_factory.cli.chat.dialogue import Dialogue
from agent_factory.cli.chat.lines import JsonDialogue

__all__ = ["Conversation", "Dialogue", "JsonDialogue"]
