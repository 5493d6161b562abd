"""A database in memory that can be asked, and nothing else: no writing, no other file, no end of time or memory."""

from __future__ import annotations

import contextlib
import sqlite3
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent_factory.core.exceptions import ConfigurationError, ToolError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from agent_factory.integrations.tools.tables import Table

__all__ = ["Answer", "Database", "is_sqlite"]

MAX_SQL = 20_000
MAX_VALUE_BYTES = 1 << 24
MAX_GROWTH_BYTES = 1 << 29
MAX_DESCRIBED = 100
_MAGIC = b"SQLite format 3\x00"
_INSTRUCTIONS_BETWEEN_LOOKS = 1000
_DENIED_FUNCTIONS = frozenset(
    {"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer", "fsdir", "lsmode"}
)
_ALLOWED = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE})


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query returned.

    Attributes:
        columns: Names of the columns.
        rows: The rows, as many as were asked for at most.
        complete: Whether there are no more.
    """

    columns: tuple[str, ...]
    rows: list[tuple[object, ...]]
    complete: bool


def is_sqlite(content: bytes) -> bool:
    """Return whether bytes are those of an SQLite file.

    Args:
        content: The bytes.
    """
    return content.startswith(_MAGIC)


class Database:
    """A copy of tables or of one SQLite file, which only queries can reach. Not safe to use from many threads at a time.

    SQLite itself refuses everything but reading: an authorizer lets through ``SELECT`` and functions without effects, no
    other file can be attached, and what takes too long or too much memory is stopped.

    Args:
        content: The bytes of an SQLite file; an empty database if None.
        tables: Tables to add to an empty database; their names must differ.

    Raises:
        ToolError: The content is no SQLite file that can be read, or two tables share a name.
        ConfigurationError: This Python's SQLite cannot open a copy in memory.
    """

    def __init__(self, content: bytes | None = None, tables: Sequence[Table] = ()) -> None:
        self.notes: list[str] = []
        self._end = 0.0
        self._stopped = ""
        self._most_memory = 0
        self._connection = sqlite3.connect(
            ":memory:", check_same_thread=False, isolation_level=None
        )
        try:
            if content is not None:
                self._load(content)
            for table in tables:
                self._add(table)
            self._close_doors()
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        """Free the memory. It cannot be asked any more."""
        self._connection.close()

    def query(self, sql: str, *, limit: int, seconds: float) -> Answer:
        """Carry out one query.

        Args:
            sql: A ``SELECT``.
            limit: How many rows to return; at least 1.
            seconds: Seconds it may take.

        Raises:
            ToolError: It is not permitted, not valid, or takes too long or too much memory.
        """
        if len(sql) > MAX_SQL:
            raise ToolError(f"the query has {len(sql)} characters: at most {MAX_SQL} are allowed")
        with self._watch(seconds), contextlib.closing(self._connection.cursor()) as cursor:
            cursor.execute(sql)
            if cursor.description is None:
                raise ToolError("that is no query: write one SELECT")
            rows = cursor.fetchmany(limit + 1)
            columns = tuple(str(column[0]) for column in cursor.description)
        return Answer(columns, rows[:limit], len(rows) <= limit)

    def describe(self, *, seconds: float) -> list[dict[str, object]]:
        """Return the tables and views: name, columns with their types, and how many rows.

        Args:
            seconds: Seconds it may take.

        Raises:
            ToolError: The file is damaged, or it takes too long.
        """
        tables: list[dict[str, object]] = []
        with self._watch(seconds):
            names = self._connection.execute(
                "SELECT name, type FROM sqlite_master WHERE type IN ('table', 'view') "
                "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name LIMIT ?",
                (MAX_DESCRIBED,),
            ).fetchall()
            for name, kind in names:
                columns = self._read_columns(name)
                entry: dict[str, object] = {"table": name, "columns": columns}
                if kind == "view":
                    entry["view"] = True
                else:
                    count = (
                        f"SELECT count(*) FROM {_quote(name)}"  # noqa: S608 - the name is quoted
                    )
                    entry["rows"] = self._connection.execute(count).fetchone()[0]
                tables.append(entry)
        return tables

    def _read_columns(self, name: str) -> list[str]:
        self._connection.set_authorizer(None)
        try:
            rows = self._connection.execute(
                "SELECT name, type FROM pragma_table_info(?)", (name,)
            ).fetchall()
        finally:
            self._connection.set_authorizer(_authorize)
        return [f"{column} {kind}".strip() for column, kind in rows]

    def _load(self, content: bytes) -> None:
        if not hasattr(self._connection, "deserialize"):
            raise ConfigurationError(
                "reading SQLite files needs an SQLite with sqlite3_deserialize, which this Python's lacks: use a Python "
                "such as the one of python.org, Debian or uv"
            )
        data = bytearray(content)
        if data[18:20] == b"\x02\x02":
            # A copy in memory has no log beside it, and SQLite opens it only with the other journal's mark.
            data[18:20] = b"\x01\x01"
            self.notes.append(
                "the database keeps a write-ahead log: changes that are only in the log are not seen"
            )
        try:
            self._connection.deserialize(bytes(data))
            self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except (sqlite3.Error, OverflowError) as error:
            raise ToolError(f"the SQLite file cannot be read: {error}") from None

    def _add(self, table: Table) -> None:
        columns = ", ".join(f"{_quote(item.name)} {item.type}" for item in table.columns)
        marks = ", ".join("?" * len(table.columns))
        try:
            self._connection.execute(f"CREATE TABLE {_quote(table.name)} ({columns})")
        except sqlite3.OperationalError as error:
            raise ToolError(
                f"the table {table.name!r} cannot be made ({error}): ask for files of different names"
            ) from None
        self._connection.execute("BEGIN")
        self._connection.executemany(
            f"INSERT INTO {_quote(table.name)} VALUES ({marks})",  # noqa: S608 - the name is quoted
            table.rows,
        )
        self._connection.execute("COMMIT")

    def _close_doors(self) -> None:
        connection = self._connection
        connection.text_factory = _decode
        for setting in ("query_only=ON", "trusted_schema=OFF", "temp_store=MEMORY"):
            connection.execute(f"PRAGMA {setting}")
        for limit, value in (
            (sqlite3.SQLITE_LIMIT_ATTACHED, 0),
            (sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES),
            (sqlite3.SQLITE_LIMIT_SQL_LENGTH, 4 * MAX_SQL),
            (sqlite3.SQLITE_LIMIT_EXPR_DEPTH, 200),
            (sqlite3.SQLITE_LIMIT_COMPOUND_SELECT, 50),
            (sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 500),
        ):
            connection.setlimit(limit, value)
        connection.set_authorizer(_authorize)

    @contextlib.contextmanager
    def _watch(self, seconds: float) -> Iterator[None]:
        """Stop what takes too long or too much memory, and tell errors of SQL in words."""
        self._stopped = ""
        self._end = time.monotonic() + seconds
        self._most_memory = _measure_memory() + MAX_GROWTH_BYTES
        self._connection.set_progress_handler(self._look, _INSTRUCTIONS_BETWEEN_LOOKS)
        try:
            yield
        except (sqlite3.Error, sqlite3.Warning, MemoryError, OverflowError, ValueError) as error:
            if self._stopped:
                raise ToolError(f"the query was stopped: {self._stopped}: ask for less") from None
            raise ToolError(f"the query cannot be carried out: {_explain(error)}") from None
        finally:
            self._connection.set_progress_handler(None, 0)

    def _look(self) -> int:
        if time.monotonic() > self._end:
            self._stopped = "it takes too long"
        elif _measure_memory() > self._most_memory:
            self._stopped = "it takes too much memory"
        return bool(self._stopped)


def _authorize(
    action: int, _first: str | None, second: str | None, _schema: str | None, _inner: str | None
) -> int:
    if action in _ALLOWED:
        return sqlite3.SQLITE_OK
    # The second argument is the function's name.
    if action == sqlite3.SQLITE_FUNCTION and (second or "").lower() not in _DENIED_FUNCTIONS:
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY


def _explain(error: BaseException) -> str:
    text = str(error) or type(error).__name__
    if "not authorized" in text or "prohibited" in text:
        return f"{text}: only SELECT is permitted"
    if "one statement" in text:
        return "give one statement at a time"
    return text


def _decode(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _find_meter() -> Callable[[], int]:
    """Return what measures the most memory that this process ever had, in bytes; 0 where the system does not say."""
    try:
        import resource
    except ImportError:
        return lambda: 0
    unit = 1 if sys.platform == "darwin" else 1024
    return lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


_measure_memory = _find_meter()
