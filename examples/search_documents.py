"""Questions over a folder of documents, answered with quotations: no key, no network, no language model."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from agent_factory.core import Agent
from agent_factory.integrations.extractive import ExtractiveModel
from agent_factory.integrations.tools import create_search_documents

__all__ = ["create_librarian", "main"]

HANDBOOK = """\
# Holidays

Every employee has 30 days of holiday a year. Ask for them two weeks before.

# Illness

Send a note on the third day of an illness.
"""


def create_librarian(folder: Path) -> Agent[object, str]:
    """Return an agent that answers from the documents of a folder.

    Args:
        folder: The folder; Markdown, reStructuredText and plain text are read.
    """
    return Agent(
        name="librarian",
        model=ExtractiveModel(),
        instructions="Answer from the documents, and cite them.",
        tools=[create_search_documents(folder)],
    )


def main() -> None:
    """Ask the folder and the question on the command line, or else a small handbook."""
    if len(sys.argv) == 3:
        print(create_librarian(Path(sys.argv[1])).run_sync(sys.argv[2], deps=None).output)
        return
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "handbook.md").write_text(HANDBOOK, encoding="utf-8")
        librarian = create_librarian(Path(folder))
        print(librarian.run_sync("How many days of holiday do I have?", deps=None).output)


if __name__ == "__main__":
    main()
