"""The tools that come with Agent Factory: arithmetic, dates, files, tables, programs, and questions to people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_factory.integrations.tools.ask_person import (
    AskPersonOptions,
    create_ask_person,
    create_ask_person_entry,
)
from agent_factory.integrations.tools.calculate import (
    CalculateOptions,
    create_calculate,
    create_calculate_entry,
)
from agent_factory.integrations.tools.calculate_date import (
    CalculateDateOptions,
    create_calculate_date,
    create_calculate_date_entry,
)
from agent_factory.integrations.tools.command_options import CommandOptions, RunCommandOptions
from agent_factory.integrations.tools.current_time import (
    CurrentTimeOptions,
    create_current_time,
    create_current_time_entry,
)
from agent_factory.integrations.tools.http_fetch import (
    HttpFetchOptions,
    create_http_fetch,
    create_http_fetch_entry,
)
from agent_factory.integrations.tools.index import IndexBounds
from agent_factory.integrations.tools.list_files import (
    ListFilesOptions,
    create_list_files,
    create_list_files_entry,
)
from agent_factory.integrations.tools.process_plans import ProcessLimits
from agent_factory.integrations.tools.query_table import (
    QueryTableOptions,
    create_describe_tables,
    create_describe_tables_entry,
    create_query_table,
    create_query_table_entry,
)
from agent_factory.integrations.tools.read_file import (
    ReadFileOptions,
    create_read_file,
    create_read_file_entry,
)
from agent_factory.integrations.tools.run_command import (
    create_run_command,
    create_run_command_entry,
)
from agent_factory.integrations.tools.search_documents import (
    SearchDocumentsOptions,
    create_search_documents,
    create_search_documents_entry,
)
from agent_factory.integrations.tools.search_files import (
    SearchBounds,
    SearchFilesOptions,
    create_search_files,
    create_search_files_entry,
)
from agent_factory.integrations.tools.table_files import TableBounds
from agent_factory.integrations.tools.write_file import (
    WriteFileOptions,
    create_write_file,
    create_write_file_entry,
)

if TYPE_CHECKING:
    from agent_factory.core.clock import Clock
    from agent_factory.core.registry import ToolEntry
    from agent_factory.core.workflows.people import Person

__all__ = [
    "AskPersonOptions",
    "CalculateDateOptions",
    "CalculateOptions",
    "CommandOptions",
    "CurrentTimeOptions",
    "HttpFetchOptions",
    "IndexBounds",
    "ListFilesOptions",
    "ProcessLimits",
    "QueryTableOptions",
    "ReadFileOptions",
    "RunCommandOptions",
    "SearchBounds",
    "SearchDocumentsOptions",
    "SearchFilesOptions",
    "TableBounds",
    "WriteFileOptions",
    "create_ask_person",
    "create_builtin_entries",
    "create_calculate",
    "create_calculate_date",
    "create_current_time",
    "create_describe_tables",
    "create_http_fetch",
    "create_list_files",
    "create_query_table",
    "create_read_file",
    "create_run_command",
    "create_search_documents",
    "create_search_files",
    "create_write_file",
]


def create_builtin_entries(
    *, person: Person | None = None, clock: Clock | None = None
) -> tuple[ToolEntry[Any], ...]:
    """Return the built-in tools for a `ToolRegistry`: what blueprints can use without any other package.

    Args:
        person: Whom `ask_person` asks; nobody if None.
        clock: Where `current_time` gets the time; this machine if None.
    """
    return (
        create_ask_person_entry(person),
        create_calculate_entry(),
        create_calculate_date_entry(),
        create_current_time_entry(clock),
        create_describe_tables_entry(),
        create_http_fetch_entry(),
        create_list_files_entry(),
        create_query_table_entry(),
        create_read_file_entry(),
        create_run_command_entry(),
        create_search_documents_entry(),
        create_search_files_entry(),
        create_write_file_entry(),
    )
