"""The tools that come with Agent Factory: arithmetic, and reading and searching files below one folder."""

from typing import Any

from agent_factory.core.registry import ToolEntry
from agent_factory.integrations.tools.calculate import (
    CalculateOptions,
    create_calculate,
    create_calculate_entry,
)
from agent_factory.integrations.tools.index import IndexBounds
from agent_factory.integrations.tools.list_files import (
    ListFilesOptions,
    create_list_files,
    create_list_files_entry,
)
from agent_factory.integrations.tools.read_file import (
    ReadFileOptions,
    create_read_file,
    create_read_file_entry,
)
from agent_factory.integrations.tools.search_documents import (
    SearchDocumentsOptions,
    create_search_documents,
    create_search_documents_entry,
)

__all__ = [
    "CalculateOptions",
    "IndexBounds",
    "ListFilesOptions",
    "ReadFileOptions",
    "SearchDocumentsOptions",
    "create_builtin_entries",
    "create_calculate",
    "create_list_files",
    "create_read_file",
    "create_search_documents",
]


def create_builtin_entries() -> tuple[ToolEntry[Any], ...]:
    """Return the built-in tools for a `ToolRegistry`: what blueprints can use without any other package."""
    return (
        create_calculate_entry(),
        create_list_files_entry(),
        create_read_file_entry(),
        create_search_documents_entry(),
    )
