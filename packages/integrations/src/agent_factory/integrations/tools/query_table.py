"""The tools `query_table` and `describe_tables`: SQL over CSV, JSON and SQLite files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from agent_factory.core.exceptions import ConfigurationError, ToolError
from agent_factory.core.registry import ToolEntry
from agent_factory.core.tools import Tool, tool
from agent_factory.integrations.tools.folders import Folder
from agent_factory.integrations.tools.granting import need_place, open_place
from agent_factory.integrations.tools.patterns import PatternError
from agent_factory.integrations.tools.table_files import DEFAULT_PATTERNS, TableBounds, TableFiles

if TYPE_CHECKING:
    from pathlib import Path

    from agent_factory.core.permissions.roots import GrantedPath
    from agent_factory.core.registry import ToolEnvironment

__all__ = [
    "QueryTableOptions",
    "create_describe_tables",
    "create_describe_tables_entry",
    "create_query_table",
    "create_query_table_entry",
]

MAX_CHARACTERS = 60_000
MAX_CELL = 2000


class QueryTableOptions(BaseModel):
    """Options of `query_table` and of `describe_tables` in a blueprint.

    Attributes:
        folder: The folder with the files, relative to the blueprint's own; either this or ``file``.
        file: The one file, relative to the blueprint's folder; the model names no files then.
        patterns: Which files below the folder have tables.
        hidden: Whether files and folders whose names start with a dot count.
        max_bytes: How much to read for one call, all its files together, 1 byte to 1 GiB.
        seconds: Seconds that one query may take, up to 120.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    folder: str | None = Field(default=None, min_length=1)
    file: str | None = Field(default=None, min_length=1)
    patterns: list[str] = Field(default=list(DEFAULT_PATTERNS), min_length=1, max_length=50)
    hidden: bool = False
    max_bytes: int = Field(default=1 << 25, ge=1, le=1 << 30)
    seconds: float = Field(default=10.0, gt=0, le=120)

    @model_validator(mode="after")
    def _check_place(self) -> QueryTableOptions:
        if (self.folder is None) == (self.file is None):
            raise ValueError("give either 'folder' or 'file'")
        return self


def create_query_table(
    folder: Path | str | GrantedPath,
    *,
    patterns: tuple[str, ...] = DEFAULT_PATTERNS,
    hidden: bool = False,
    bounds: TableBounds | None = None,
) -> Tool[object]:
    """Make the tool `query_table`.

    The files are read into memory, and queries reach that copy only: nothing can be written, and no other file be opened.

    Args:
        folder: The folder with the files; links below it are not followed.
        patterns: Which files below it have tables.
        hidden: Whether files and folders whose names start with a dot count.
        bounds: How much one call reads and how long it may take; the defaults of `TableBounds` if None.

    Returns:
        The tool; its result has ``columns``, ``rows`` and ``complete``, and ``notes`` where there is something to know.

    Raises:
        ConfigurationError: There is no such folder, or a pattern cannot be used.
    """
    return _create_query(_open(folder, patterns, hidden, bounds or TableBounds()))


def create_describe_tables(
    folder: Path | str | GrantedPath,
    *,
    patterns: tuple[str, ...] = DEFAULT_PATTERNS,
    hidden: bool = False,
    bounds: TableBounds | None = None,
) -> Tool[object]:
    """Make the tool `describe_tables`, which says what `query_table` can be asked.

    Args:
        folder: The folder with the files; links below it are not followed.
        patterns: Which files below it have tables.
        hidden: Whether files and folders whose names start with a dot count.
        bounds: How much one call reads and how long it may take; the defaults of `TableBounds` if None.

    Returns:
        The tool; its result has ``files``, each with its ``tables`` or its ``problem``, and ``total``.

    Raises:
        ConfigurationError: There is no such folder, or a pattern cannot be used.
    """
    return _create_describe(_open(folder, patterns, hidden, bounds or TableBounds()))


def create_query_table_entry() -> ToolEntry[QueryTableOptions]:
    """Return the entry through which blueprints use `query_table`."""
    return ToolEntry(
        "query_table",
        "answers SQL queries over CSV, JSON and SQLite files",
        QueryTableOptions,
        lambda options, environment: _create_query(_open_granted(options, environment)),
        need_place,
    )


def create_describe_tables_entry() -> ToolEntry[QueryTableOptions]:
    """Return the entry through which blueprints use `describe_tables`."""
    return ToolEntry(
        "describe_tables",
        "names tables and columns of CSV, JSON and SQLite files",
        QueryTableOptions,
        lambda options, environment: _create_describe(_open_granted(options, environment)),
        need_place,
    )


def _open(
    folder: Path | str | GrantedPath, patterns: tuple[str, ...], hidden: bool, bounds: TableBounds
) -> TableFiles:
    try:
        return TableFiles(Folder(folder, hidden=hidden), patterns, bounds)
    except PatternError as error:
        raise ConfigurationError(f"the tool's 'patterns': {error}") from None


def _open_granted(options: QueryTableOptions, environment: ToolEnvironment) -> TableFiles:
    folder = open_place(options, environment)
    bounds = TableBounds(max_bytes=options.max_bytes, seconds=options.seconds)
    try:
        return TableFiles(folder, tuple(options.patterns), bounds)
    except PatternError as error:
        raise ConfigurationError(f"the tool's 'patterns': {error}") from None


def _create_query(source: TableFiles) -> Tool[object]:
    # Loading takes its time too, which is bounded by the bytes.
    @tool(effect="read", timeout=source.bounds.seconds + 60, max_result_chars=8 * MAX_CHARACTERS)
    def query_table(
        sql: str,
        files: Annotated[list[str], Field(max_length=10)] = [],  # noqa: B006 - never changed
        limit: Annotated[int, Field(ge=1, le=1000)] = 100,
    ) -> dict[str, object]:
        """Answer a query with one SELECT in SQLite's SQL.

        A CSV or JSON file is a table with the name of the file without its ending; an SQLite file has its own tables.

        Args:
            sql: One SELECT statement. Aggregate in SQL rather than asking for all rows.
            files: Paths of the files that the query uses, relative to the folder; leave it out where there is one only.
            limit: How many rows to return at most.
        """
        with source.open(files) as database:
            try:
                answer = database.query(sql, limit=limit, seconds=source.bounds.seconds)
            except ToolError as error:
                if "no such table" not in error.message and "no such column" not in error.message:
                    raise
                known = database.describe(seconds=source.bounds.seconds)
                raise ToolError(f"{error.message}; {_list_tables(known)}") from None
            notes = list(database.notes)
        rows, fits = _fit(answer.rows)
        return {
            "columns": list(answer.columns),
            "rows": rows,
            "complete": answer.complete and fits,
            **({"notes": notes} if notes else {}),
        }

    return query_table


def _create_describe(source: TableFiles) -> Tool[object]:
    @tool(effect="read", timeout=source.bounds.seconds + 60)
    def describe_tables(
        files: Annotated[list[str], Field(max_length=10)] = [],  # noqa: B006 - never changed
    ) -> dict[str, object]:
        """Name the files with tables, their tables, and the columns of those with types and the number of rows.

        Args:
            files: Paths of the files to describe, relative to the folder; leave it out for the first ten.
        """
        paths = files or source.find()
        described = []
        for path in paths[:10]:
            entry: dict[str, object] = {"file": path}
            try:
                with source.open([path]) as database:
                    entry["tables"] = database.describe(seconds=source.bounds.seconds)
                    if database.notes:
                        entry["notes"] = list(database.notes)
            except ToolError as error:
                entry["problem"] = error.message
            described.append(entry)
        return {"files": described, "more_files": paths[10:110], "total": len(paths)}

    return describe_tables


def _fit(rows: list[tuple[object, ...]]) -> tuple[list[list[object]], bool]:
    """Return the rows that fit into a result, with values that JSON can hold, and whether all of them fit."""
    shown: list[list[object]] = []
    left = MAX_CHARACTERS
    for row in rows:
        values = [_show(value) for value in row]
        left -= sum(len(str(value)) + 2 for value in values)
        if left < 0 and shown:
            return shown, False
        shown.append(values)
    return shown, True


def _show(value: object) -> object:
    if isinstance(value, bytes):
        return f"[{len(value)} bytes]"
    if isinstance(value, str) and len(value) > MAX_CELL:
        return f"{value[:MAX_CELL]} [cut: the value has {len(value)} characters]"
    return value


def _list_tables(tables: list[dict[str, object]]) -> str:
    listed = "; ".join(
        f"{item['table']}({', '.join(map(str, columns))})"
        for item in tables
        if isinstance(columns := item["columns"], list)
    )
    return f"the tables are: {listed[:4000]}"
