from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from agent_factory.core.exceptions import ConfigurationError, ToolArgumentsError, ToolError
from agent_factory.integrations.tools import (
    TableBounds,
    create_describe_tables,
    create_query_table,
)
from agent_factory.integrations.tools.tables import read_table
from tests.integrations.tools.calling import call_tool
from tests.integrations.tools.granting import create_environment, create_granted_tool

CSV = "id,name,price,code\n1,apple,1.5,007\n2,pear,2,010\n3,,,x\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    root.mkdir()
    (root / "items.csv").write_text(CSV)
    return root


def make_sqlite(path: Path, *statements: str) -> Path:
    connection = sqlite3.connect(path)
    for statement in statements or (
        "CREATE TABLE orders (item INTEGER, amount INTEGER)",
        "INSERT INTO orders VALUES (1, 10), (2, 20), (1, 5)",
    ):
        connection.execute(statement)
    connection.commit()
    connection.close()
    return path


def query(folder: Path, sql: str, **arguments: Any) -> Any:
    return call_tool(create_query_table(folder), sql=sql, **arguments)


def test_a_csv_file_is_a_table_with_types(root: Path) -> None:
    assert query(root, "SELECT id, name, price, code FROM items ORDER BY id") == {
        "columns": ["id", "name", "price", "code"],
        "rows": [[1, "apple", 1.5, "007"], [2, "pear", 2.0, "010"], [3, None, None, "x"]],
        "complete": True,
    }
    types = "SELECT DISTINCT typeof(id), typeof(price), typeof(code) FROM items WHERE id < 3"
    assert query(root, types)["rows"] == [["integer", "real", "text"]]


def test_tables_of_several_files_can_be_joined(root: Path) -> None:
    (root / "orders.jsonl").write_text('{"item": 1, "amount": 10}\n\n{"item": 2, "amount": 20}\n')
    answer = query(
        root,
        "SELECT name, amount FROM items JOIN orders ON item = id ORDER BY id",
        files=["items.csv", "orders.jsonl"],
    )
    assert answer["rows"] == [["apple", 10], ["pear", 20]]


def test_a_sqlite_file_is_asked(tmp_path: Path) -> None:
    make_sqlite(tmp_path / "shop.db")
    answer = query(tmp_path, "SELECT item, sum(amount) AS total FROM orders GROUP BY 1 ORDER BY 1")
    assert (answer["columns"], answer["rows"]) == (["item", "total"], [[1, 15], [2, 20]])


def test_a_database_with_a_write_ahead_log_is_read_with_a_note(tmp_path: Path) -> None:
    make_sqlite(tmp_path / "wal.db", "PRAGMA journal_mode=WAL", "CREATE TABLE t (a)")
    answer = query(tmp_path, "SELECT count(*) FROM t")
    assert answer["rows"] == [[0]]
    assert "changes that are only in the log are not seen" in answer["notes"][0]


def test_one_granted_file_is_asked_without_naming_it(root: Path) -> None:
    (root / "other.csv").write_text("a\n1\n")
    environment = create_environment(root, read=("items.csv",))
    options = {"file": "items.csv"}
    tool = create_granted_tool("query_table", options, environment)
    assert call_tool(tool, sql="SELECT count(*) FROM items")["rows"] == [[3]]
    with pytest.raises(ToolError, match=r"only 'items.csv' may be used"):
        call_tool(tool, sql="SELECT 1", files=["other.csv"])
    described = call_tool(create_granted_tool("describe_tables", options, environment))
    assert [entry["file"] for entry in described["files"]] == ["items.csv"]


def test_tables_are_described(root: Path) -> None:
    make_sqlite(root / "shop.db", "CREATE TABLE t (a INT, b)", "CREATE VIEW v AS SELECT a FROM t")
    (root / "bad.csv").write_bytes(b"a\0b")
    answer = call_tool(create_describe_tables(root))
    assert answer["total"] == 3
    assert answer["files"] == [
        {"file": "bad.csv", "problem": "'bad.csv' is a binary file: only text can be read"},
        {
            "file": "items.csv",
            "tables": [
                {
                    "table": "items",
                    "columns": ["id INTEGER", "name TEXT", "price REAL", "code TEXT"],
                    "rows": 3,
                }
            ],
        },
        {
            "file": "shop.db",
            "tables": [
                {"table": "t", "columns": ["a INT", "b"], "rows": 0},
                {"table": "v", "columns": ["a INT"], "view": True},
            ],
        },
    ]


def test_files_have_to_be_named_where_there_are_several(root: Path) -> None:
    (root / "b.csv").write_text("a\n1\n")
    with pytest.raises(ToolError, match=r"there are: b.csv, items.csv"):
        query(root, "SELECT 1")


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("INSERT INTO items VALUES (4, 'x', 1, 'y')", "only SELECT is permitted"),
        ("UPDATE items SET id = 1", "only SELECT is permitted"),
        ("DELETE FROM items", "only SELECT is permitted"),
        ("DROP TABLE items", "only SELECT is permitted"),
        ("CREATE TABLE t (a)", "only SELECT is permitted"),
        ("CREATE TEMP TABLE t (a)", "only SELECT is permitted"),
        ("ATTACH 'other.db' AS other", "only SELECT is permitted"),
        ("PRAGMA query_only = OFF", "only SELECT is permitted"),
        ("SELECT * FROM pragma_database_list", "only SELECT is permitted"),
        ("SELECT load_extension('x')", "only SELECT is permitted"),
        ("SELECT fts3_tokenizer('simple')", "only SELECT is permitted"),
        ("BEGIN", "only SELECT is permitted"),
        ("VACUUM INTO 'copy.db'", "cannot be carried out"),
        ("SELECT readfile('/etc/passwd')", "no such function"),
        ("SELECT writefile('x', 'y')", "no such function"),
        ("SELECT 1; SELECT 2", "one statement"),
        ("SELECT ?", "cannot be carried out"),
        ("SELEKT 1", "syntax error"),
        ("", "no query"),
        ("-- nothing", "no query"),
        ("SELECT zeroblob(1000000000)", "too big"),
        ("SELECT " + "1," * 10_000 + "1", "characters"),
        ("SELECT a\0b", "cannot be carried out"),
    ],
)
def test_what_is_no_permitted_query_is_refused(
    root: Path, sql: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)
    with pytest.raises(ToolError, match=reason):
        query(root, sql)
    assert [path.name for path in root.iterdir()] == ["items.csv"]
    assert (root / "items.csv").read_text() == CSV


def test_an_unknown_column_is_refused_with_the_columns(root: Path) -> None:
    with pytest.raises(ToolError, match=r"no such column: nam.*items\(id INTEGER, name TEXT"):
        query(root, "SELECT nam FROM items")


def test_a_query_without_end_is_stopped(root: Path) -> None:
    tool = create_query_table(root, bounds=TableBounds(seconds=0.05))
    endless = (
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"
    )
    with pytest.raises(ToolError, match="it takes too long"):
        call_tool(tool, sql=endless)
    assert call_tool(tool, sql="SELECT count(*) FROM items")["rows"] == [[3]]


def test_a_query_that_takes_much_memory_is_stopped(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent_factory.integrations.tools.database.MAX_GROWTH_BYTES", -1)
    endless = (
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"
    )
    with pytest.raises(ToolError, match="too much memory"):
        query(root, endless)


def test_rows_and_values_are_bounded_and_the_result_says_so(root: Path) -> None:
    answer = query(root, "SELECT id FROM items", limit=2)
    assert (len(answer["rows"]), answer["complete"]) == (2, False)
    assert query(root, "SELECT id FROM items", limit=3)["complete"] is True
    long = query(root, "SELECT printf('%.*c', 9000, 'x')")["rows"][0][0]
    assert long.endswith("[cut: the value has 9000 characters]")
    many = query(
        root,
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) "
        "SELECT printf('%.*c', 1000, 'x') FROM n",
        limit=1000,
    )
    assert (len(many["rows"]) < 100, many["complete"]) == (True, False)


def test_bytes_and_odd_numbers_can_be_told(root: Path) -> None:
    answer = query(root, "SELECT x'0001', 9e999, CAST(x'ff' AS TEXT)")
    assert answer["rows"] == [["[2 bytes]", "Infinity", "\ufffd"]]


def test_changes_of_a_file_are_seen(root: Path) -> None:
    tool = create_query_table(root)
    sql = "SELECT count(*) FROM items"
    assert call_tool(tool, sql=sql)["rows"] == [[3]]
    (root / "items.csv").write_text(CSV + "4,fig,1,y\n")
    assert call_tool(tool, sql=sql)["rows"] == [[4]]


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        (["../secret.csv"], "leads out"),
        (["/etc/passwd"], "absolute"),
        (["link.csv"], "links are not followed"),
        (["notes.txt"], "none of the files with tables"),
        (["missing.csv"], "there is no file"),
        ([".hidden.csv"], "hidden"),
        (["fake.db"], "no SQLite file"),
        (["broken.db"], "cannot be read|malformed|cannot be carried out"),
        (["shop.db", "items.csv"], "asked alone"),
        (["items.csv", "sub/items.csv"], "files of different names"),
    ],
)
def test_files_that_cannot_be_asked_are_refused(root: Path, files: list[str], reason: str) -> None:
    (root.parent / "secret.csv").write_text("a\n1\n")
    (root / "link.csv").symlink_to("../secret.csv")
    (root / "notes.txt").write_text("a\n1\n")
    (root / ".hidden.csv").write_text("a\n1\n")
    (root / "fake.db").write_text("no database")
    (root / "broken.db").write_bytes(b"SQLite format 3\x00" + b"\xff" * 2000)
    (root / "sub").mkdir()
    (root / "sub" / "items.csv").write_text("a\n1\n")
    make_sqlite(root / "shop.db")
    with pytest.raises(ToolError, match=reason):
        query(root, "SELECT * FROM sqlite_master", files=files)


def test_files_over_the_bound_are_refused(root: Path) -> None:
    tool = create_query_table(root, bounds=TableBounds(max_bytes=10))
    with pytest.raises(ToolError, match="larger than 10 bytes"):
        call_tool(tool, sql="SELECT 1")


def test_too_many_files_are_refused(root: Path) -> None:
    with pytest.raises(ToolArgumentsError):
        query(root, "SELECT 1", files=["items.csv"] * 11)


@pytest.mark.parametrize("bounds", [{"max_bytes": 0}, {"seconds": 0.0}])
def test_bounds_out_of_range_are_refused(bounds: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="at least 1"):
        TableBounds(**bounds)


def test_a_pattern_that_cannot_be_used_is_a_configuration_error(root: Path) -> None:
    with pytest.raises(ConfigurationError, match="leads out"):
        create_query_table(root, patterns=("../*.csv",))


def test_a_trigger_of_a_hostile_file_does_nothing(tmp_path: Path) -> None:
    make_sqlite(
        tmp_path / "bad.db",
        "CREATE TABLE t (a)",
        "CREATE VIEW v AS SELECT load_extension('x') AS a",
    )
    with pytest.raises(ToolError, match="cannot be carried out"):
        query(tmp_path, "SELECT * FROM v")


@pytest.mark.parametrize(
    ("name", "text", "columns", "rows"),
    [
        ("a.csv", "x;y\n1;2,5\n", ["x INTEGER", "y TEXT"], [(1, "2,5")]),
        ("a.tsv", "x\ty\n1\t2\n", ["x INTEGER", "y INTEGER"], [(1, 2)]),
        ("a.csv", 'x,y\n"a, ""b""",2\n', ["x TEXT", "y INTEGER"], [('a, "b"', 2)]),
        ("a.csv", 'x,y\n"two\nlines",2\n', ["x TEXT", "y INTEGER"], [("two\nlines", 2)]),
        ("a.csv", "\ufeffx\n1\n", ["x INTEGER"], [(1,)]),
        ("a.csv", "x,X,\n1,2,3\n", ["x INTEGER", "X_2 INTEGER", "column_3 INTEGER"], [(1, 2, 3)]),
        ("a.csv", "x,y\n1\n", ["x INTEGER", "y TEXT"], [(1, None)]),
        ("a.csv", "x\n99999999999999999999\n", ["x TEXT"], [("99999999999999999999",)]),
        ("a.csv", "x\n1e999\n", ["x TEXT"], [("1e999",)]),
        ("a.csv", "x,y\r\n1,2\r\n", ["x INTEGER", "y INTEGER"], [(1, 2)]),
        ("a.csv", "x,y\n", ["x TEXT", "y TEXT"], []),
        (
            "a.json",
            '[{"x": 1}, {"y": [true, null]}]',
            ["x INTEGER", "y TEXT"],
            [(1, None), (None, "[true, null]")],
        ),
        ("a.jsonl", '{"x": true}\n{"x": false}\n', ["x INTEGER"], [(1,), (0,)]),
        ("a.json", '{"x": 1.5}', ["x REAL"], [(1.5,)]),
    ],
)
def test_types_and_names_are_found_out(
    name: str, text: str, columns: list[str], rows: list[tuple[object, ...]]
) -> None:
    table = read_table(name, text.encode())
    assert [f"{column.name} {column.type}" for column in table.columns] == columns
    assert table.rows == rows


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("data/Sales 2026.csv", "Sales_2026"),
        ("2026.csv", "t_2026"),
        ("sqlite_master.csv", "t_sqlite_master"),
        ("---.csv", "data"),
        (".csv", "data"),
    ],
)
def test_a_table_has_the_name_of_its_file(path: str, name: str) -> None:
    assert read_table(path, b"a\n1\n").name == name


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.csv", b"", "no columns"),
        ("a.csv", b"a,b\n1,2,3\n", "line 2: 3 values"),
        ("a.csv", b'a\n"open\n', "no valid CSV"),
        ("a.csv", b"a\nx\0\n", "binary"),
        ("a.csv", b"caf\xe9\n", "not UTF-8"),
        ("a.csv", b"a," * 600, "601 columns"),
        ("a.json", b"[1]", "entry 1 is no JSON object"),
        ("a.json", b"[{}]", "no columns"),
        ("a.json", b"{", "no valid JSON"),
        ("a.jsonl", b'{"a": 1}\nnope\n', "a.jsonl:2.*no valid JSON"),
        ("a.json", b"[" * 100_000, "nested too deep"),
    ],
)
def test_what_is_no_table_is_refused(name: str, content: bytes, reason: str) -> None:
    with pytest.raises(ToolError, match=reason):
        read_table(name, content)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.binary(max_size=200) | st.text('ab1.,;"\n\r\t{}[]:', max_size=80).map(str.encode),
    st.sampled_from(["csv", "tsv", "json", "jsonl"]),
)
@example(b'{"\\ud800": "\\udfff"}', "json")
def test_any_file_is_a_table_or_refused(content: bytes, ending: str) -> None:
    try:
        table = read_table(f"data.{ending}", content)
    except ToolError:
        return
    assert all(len(row) == len(table.columns) for row in table.rows)


@settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.text(max_size=60)
    | st.lists(
        st.sampled_from(
            [
                "SELECT",
                "FROM",
                "items",
                "id",
                "name",
                "(",
                ")",
                ",",
                "*",
                "PRAGMA",
                "ATTACH",
                "DELETE",
                ";",
                "'",
                '"',
                "WITH",
                "UNION",
            ]
        ),
        max_size=12,
    ).map(" ".join)
)
def test_any_query_is_answered_or_refused_and_changes_nothing(root: Path, sql: str) -> None:
    tool = create_query_table(root, bounds=TableBounds(seconds=1))
    with contextlib.suppress(ToolError):
        call_tool(tool, sql=sql)
    assert call_tool(tool, sql="SELECT count(*) FROM items")["rows"] == [[3]]
    assert (root / "items.csv").read_text() == CSV
