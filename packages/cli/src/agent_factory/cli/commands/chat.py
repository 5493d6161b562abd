"""`agent-factory chat`: a conversation with the agent of a blueprint."""

from __future__ import annotations

import typer

from agent_factory.cli.commands.options import (
    ApproveOption,
    BlueprintArgument,
    ModelOption,
    NoRecordOption,
    create_command,
    find_people,
)

__all__ = ["create_app"]

_HELP = """Talk with the agent of a blueprint.

Answers appear as they are written. Ctrl-C stops an answer and returns to the prompt, Ctrl-D or /exit ends the
conversation, and /help lists what else can be typed. Each turn is recorded: agent-factory runs shows it.

With --json, standard input has one message a line, and every event is printed as a line of JSON.

\b
Examples:
  agent-factory chat blueprints/ask-docs.yaml
  agent-factory chat blueprints/ask-docs.yaml --model openai:gpt-5.4-mini
  agent-factory chat blueprints/ask-docs.yaml --json < questions.txt
"""


def create_app() -> typer.Typer:
    """Return the application of the command."""
    return create_command(chat, _HELP)


def chat(
    context: typer.Context,
    file: BlueprintArgument,
    model: ModelOption = None,
    approve: ApproveOption = None,
    no_record: NoRecordOption = False,
) -> int | None:
    """Talk with the agent of a blueprint."""
    # Imported here: `--help` should not pay for what it does not use.
    from agent_factory.cli.assembly import assemble
    from agent_factory.cli.chat.conversation import Conversation
    from agent_factory.cli.chat.dialogue import Dialogue, list_words
    from agent_factory.cli.chat.editing import LineEditor
    from agent_factory.cli.chat.lines import JsonDialogue
    from agent_factory.cli.exceptions import UsageError
    from agent_factory.cli.places import find_state_folder
    from agent_factory.cli.startup import start
    from agent_factory.cli.views import create_view

    startup = start(context)
    invocation, container = startup.invocation, startup.container
    currency = container.create_prices().currency
    view = create_view(invocation, currency=currency, streaming=True)
    approver, person = find_people(approve, reads_input=invocation.json, view=view)
    blueprint = assemble(file, container, model=model, person=person)
    if blueprint.workflow is not None:
        raise UsageError(
            f"{file} runs the workflow {blueprint.workflow!r}, and nobody can talk with a workflow: "
            f"use agent-factory run {file}"
        )
    with Conversation(
        startup, blueprint, view=view, approver=approver, records=not no_record
    ) as conversation:
        if invocation.json:
            view.show_start(blueprint.name, blueprint.version)
            return JsonDialogue(conversation, invocation).run()
        editor = LineEditor(
            None if no_record else find_state_folder() / "chat_history", list_words()
        )
        try:
            Dialogue(conversation, editor, view, invocation).run()
        finally:
            editor.close()
    return None
