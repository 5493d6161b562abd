"""What a person can type in a conversation besides messages to the agent."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from agent_factory.cli.invocation import print_text
from agent_factory.cli.text import clean, count, format_table, shorten
from agent_factory.core.messages import AssistantMessage, SystemMessage, ToolMessage, UserMessage
from agent_factory.core.suggestions import describe_choices
from agent_factory.core.tools import Tool

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from agent_factory.cli.chat.conversation import Conversation
    from agent_factory.core.messages import Message

__all__ = ["COMMANDS", "render_transcript", "run_command"]

COMMANDS = {
    "/help": "list these commands",
    "/history": "show the conversation so far",
    "/clear": "forget the conversation",
    "/tools": "list the tools of the agent",
    "/save FILE": "write the conversation to a new file, as Markdown",
    "/exit": "end the conversation",
}
"""The commands, and what each does."""


def run_command(line: str, conversation: Conversation) -> Literal["exit", "stay"]:
    """Do what a person typed.

    Args:
        line: The line; it begins with a slash.
        conversation: The conversation.

    Returns:
        Whether the conversation goes on.
    """
    name, _, argument = line.partition(" ")
    match name:
        case "/exit" | "/quit":
            return "exit"
        case "/help":
            print_text(format_table(("command", "what it does"), list(COMMANDS.items())))
        case "/history":
            _show_history(conversation.read())
        case "/clear":
            conversation.clear()
            print_text("The conversation is forgotten.")
        case "/tools":
            _show_tools(conversation)
        case "/save":
            _save(conversation, argument.strip())
        case _:
            known = [item.partition(" ")[0] for item in COMMANDS]
            print_text(clean(f"There is no command {name!r}: {describe_choices(name, known)}"))
    return "stay"


def render_transcript(title: str, messages: Iterable[Message]) -> Iterator[str]:
    """Yield a conversation as Markdown.

    Args:
        title: Its heading.
        messages: What was said.
    """
    yield f"# {title}\n"
    for message in messages:
        match message:
            case SystemMessage():
                continue
            case UserMessage():
                yield f"\n## You\n\n{message.text}\n"
            case AssistantMessage():
                if message.text.strip():
                    yield f"\n## Agent\n\n{message.text}\n"
                for call in message.tool_calls:
                    yield f"\n### Calls {call.name}\n\n{_fence(call.arguments, 'json')}"
            case ToolMessage():
                yield f"\n### Result of {message.name} ({message.outcome})\n\n{_fence(message.content, '')}"


def _show_history(messages: tuple[Message, ...]) -> None:
    if not messages:
        print_text("Nothing was said yet.")
    for message in messages:
        match message:
            case UserMessage():
                print_text(f"you    {shorten(message.text, 200)}")
            case AssistantMessage():
                if message.text.strip():
                    print_text(f"agent  {shorten(message.text, 200)}")
                for call in message.tool_calls:
                    print_text(f"agent  calls {shorten(f'{call.name} {call.arguments}', 200)}")
            case ToolMessage():
                print_text(f"tool   {shorten(f'{message.name}: {message.content}', 200)}")


def _show_tools(conversation: Conversation) -> None:
    rows = [
        (item.name, shorten(item.spec.description, 100))
        for item in conversation.blueprint.agent.tools
        if isinstance(item, Tool)
    ]
    sets = len(conversation.blueprint.agent.tools) - len(rows)
    if rows:
        print_text(format_table(("tool", "what it does"), rows))
    if sets:
        print_text(f"and those of {count(sets, 'toolset')}, which say at each turn what they have")
    if not rows and not sets:
        print_text("The agent has no tools.")


def _save(conversation: Conversation, name: str) -> None:
    if not name:
        print_text("Name the file: /save FILE")
        return
    blueprint = conversation.blueprint
    title = f"{blueprint.name} {blueprint.version}"
    file = Path(name).expanduser()
    try:
        # Never over a file that is there, and for nobody else to read.
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as stream:
            stream.writelines(render_transcript(title, conversation.read()))
    except FileExistsError:
        print_text(clean(f"{file} is there already: name another file"))
    except (OSError, ValueError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        print_text(clean(f"{file} cannot be written: {reason}"))
    else:
        print_text(clean(f"The conversation is in {file}."))


def _fence(text: str, language: str) -> str:
    """Return a text as a block of code that nothing within it can end."""
    longest = max((len(run) for run in _find_ticks(text)), default=0)
    marks = "`" * max(3, longest + 1)
    return f"{marks}{language}\n{text}\n{marks}\n"


def _find_ticks(text: str) -> list[str]:
    return [
        "`" * len(part) for part in "".join(char if char == "`" else " " for char in text).split()
    ]
