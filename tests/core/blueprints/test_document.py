from __future__ import annotations

import inspect
import sys

import pytest

from agent_factory.core.blueprints.document import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_VALUES,
    read_document,
)


def problem(text: str | bytes) -> str:
    """Return the one problem of a document, without the excerpt."""
    content = text if isinstance(text, bytes) else text.encode()
    [found] = read_document(content, "a.yaml").problems
    return str(found).splitlines()[0]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: text", "text"),
        ("a: 'quoted'", "quoted"),
        ('a: "5"', "5"),
        ("a: |\n  one\n  two\n", "one\ntwo\n"),
        ("a: 5", 5),
        ("a: -5", -5),
        ("a: 1.5", 1.5),
        ("a: 1e3", 1000.0),
        ("a: true", True),
        ("a: False", False),
        ("a: yes", "yes"),
        ("a: on", "on"),
        ("a: +5", 5),
        ("a: -0", 0),
        ("a: 0", 0),
        ("a: 0.5", 0.5),
        ("a: .5", 0.5),
        ("a: 1.", 1.0),
        ("a: -1.5E-3", -0.0015),
        ("a: 0e9", 0.0),
        ("a: 999999999999999999", 999_999_999_999_999_999),
        ("a: 12:30:45", "12:30:45"),
        ("a: 1.2.3", "1.2.3"),
        ("a: 1e", "1e"),
        ("a: .", "."),
        ("a: off", "off"),
        ("a: y", "y"),
        ("a: '0x1F'", "0x1F"),
        ("a: 12:30", "12:30"),
        ("a: 2026-11-22", "2026-11-22"),
        ("a:", None),
        ("a: ~", None),
        ("a: null", None),
        ("a: []", []),
        ("a: [1, [x]]", [1, ["x"]]),
        ("a: {b: {c: 1}}", {"b": {"c": 1}}),
    ],
)
def test_scalars_and_collections_follow_the_core_schema_of_yaml_1_2(
    text: str, value: object
) -> None:
    document = read_document(text.encode(), "a.yaml")

    assert document.problems == []
    assert document.value == {"a": value}
    assert type(document.value["a"]) is type(value)


def test_byte_order_mark_is_not_part_of_the_first_key() -> None:
    assert read_document(b"\xef\xbb\xbfa: 1", "a.yaml").value == {"a": 1}


def test_numbers_as_keys_stay_text() -> None:
    assert read_document(b"1: a\ntrue: b", "a.yaml").value == {"1": "a", "true": "b"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "a.yaml:1:1: the file is empty"),
        ("# only this", "a.yaml:1:1: the file is empty"),
        ("---", "a.yaml:1:1: the file is empty"),
        ("a: &x 1", "a.yaml:1:4: anchors ('&name') are not allowed"),
        ("a: *x", "a.yaml:1:4: aliases ('*name') are not allowed"),
        ("a: !!int 5", "a.yaml:1:4: tags are not allowed: remove '!!int'"),
        ("a: !x 5", "a.yaml:1:4: tags are not allowed: remove '!x'"),
        ("a: 1\n<<: {b: 2}", "a.yaml:2:1: merge keys ('<<') are not allowed"),
        ("a: 1\n? [b]\n: 2", "a.yaml:2:3: a key must be a word or a text in quotes"),
        ("a: 1\n? {[b]: c}\n: 2", "a.yaml:2:3: a key must be a word or a text in quotes"),
        ("a: 1\n&x b: 2", "a.yaml:2:1: anchors ('&name') are not allowed"),
        ("a: 1\n: 2", "a.yaml:2:1: a key is missing: write a word before the ':'"),
        ("a: {b: 1, : 2}", "a.yaml:1:11: a key is missing: write a word before the ':'"),
        ("a: 1\nb: 2\na: 3", "a.yaml:3:1: key 'a' was given before, in line 1: remove one"),
        ("a: 1\n---\nb: 2", "a.yaml:2:1: a second document starts here"),
        ("%YAML 1.1\n---\na: 1", "a.yaml:1:1: remove this line: files are always read as"),
        ("%YAML 2.0\n---\na: 1", "a.yaml:1:1: remove this line: files are always read as"),
        ("%YAML 1." + "1" * 5000, "a.yaml:1:1: remove this line: files are always read as"),
        ("%TAG ! x\n---\na: 1", "a.yaml:1:1: a line cannot start with '%'"),
        ("a: {b:1}", "a.yaml:1:5: a space is missing behind the ':'"),
        ("a:\n - b\n  - c", "a.yaml:3:3: this goes on with the text above, and is no list item"),
        ("a: 0x1F", "a.yaml:1:4: numbers are decimal here: write 31, or put it in quotes"),
        ("a: -0o17", "a.yaml:1:4: numbers are decimal here: write -15, or put it in quotes"),
        ("a: 0x" + "f" * 90, "a.yaml:1:4: numbers are decimal here: write it in decimal digits"),
        ("a: 017", "a.yaml:1:4: a number cannot start with 0: write 17, or put it in quotes"),
        ("a: 00.5", "a.yaml:1:4: a number cannot start with 0: remove it"),
        ("a: 1_000", "a.yaml:1:4: a number has no '_': write 1000"),
        ("a: [.inf]", "a.yaml:1:5: every number is finite here"),
        ("a: -.INF", "a.yaml:1:4: every number is finite here"),
        ("a: .nan", "a.yaml:1:4: every number is finite here"),
        ("a: 1e400", "a.yaml:1:4: a number of this size cannot be kept"),
        ("a: 1e-400", "a.yaml:1:4: a number this close to 0 cannot be kept"),
        ("a: 0e99999", "a.yaml:1:4: a number this close to 0 cannot be kept"),
        ("a: 3.14159265358979323846", "a.yaml:1:4: a number with this many digits cannot be kept"),
        ("a: 1234567890123456789", "a.yaml:1:4: a number of more than 18 digits cannot be kept"),
        ("a: " + "1" * 100_000, "a.yaml:1:4: a number of more than 18 digits cannot be kept"),
        ('a: "\\ud800"', "a.yaml:1:4: this text has half of a character"),
        ('a: "\\0"', "a.yaml:1:4: this text has the character '\\0'"),
        ('a: "\\U00110000"', "a.yaml:1:7: this number stands for no character"),
        ('a: "\\UFFFFFFFF"', "a.yaml:1:7: this number stands for no character"),
        ("a: \x07", "a.yaml:1:4: character U+0007 (a control character) may not stand here"),
        ("a: \x00", "a.yaml:1:4: character U+0000 (a control character) may not stand here"),
        ("a: b\u2028c: d", "a.yaml:1:5: character U+2028 (a line separator) may not stand here"),
        ("a: b\x85c: d", "a.yaml:1:5: character U+0085 (a line break of another kind)"),
        ("a: b\n\ufeffc: d", "a.yaml:2:1: character U+FEFF (a byte order mark) may not stand"),
        ("a: b\r\u202ec: d", "a.yaml:2:1: character U+202E (a mark of writing direction)"),
        (b"a: 1\nb: \xff", "a.yaml:2:4: byte 0xff is not UTF-8"),
        (b"a: 1\rb: \xff", "a.yaml:2:4: byte 0xff is not UTF-8"),
        (b"\xef\xbb\xbfa: 1\r\nb: \xff", "a.yaml:2:4: byte 0xff is not UTF-8"),
        ("ä: ö\nb: ".encode() + "ü".encode("latin-1"), "a.yaml:2:4: byte 0xfc is not UTF-8"),
        ("a: 1".encode("utf-16"), "a.yaml:1:1: the file is UTF-16 or UTF-32"),
        ("a: 1".encode("utf-16-be"), "a.yaml:1:1: the file is UTF-16 or UTF-32"),
        ("a: 1".encode("utf-32"), "a.yaml:1:1: the file is UTF-16 or UTF-32"),
        ("[" * (MAX_DEPTH + 2), f"a.yaml:1:{MAX_DEPTH + 2}: nested deeper than {MAX_DEPTH} levels"),
        ("- " * 500, f"a.yaml:1:{2 * MAX_DEPTH + 3}: nested deeper than {MAX_DEPTH} levels"),
        ("[" + "1," * MAX_VALUES, "a.yaml:1:100000: the file has more than 50,000 values: split"),
    ],
)
def test_what_is_not_allowed_is_refused_at_its_place(text: str | bytes, said: str) -> None:
    assert problem(text).startswith(said)


def test_file_beyond_the_size_limit_is_not_parsed() -> None:
    assert problem(b"#" * (MAX_BYTES + 1)) == (
        "a.yaml:1:1: the file has 1,048,577 bytes; at most 1,048,576 are read"
    )


def test_every_duplicate_key_is_told() -> None:
    document = read_document(b"a: 1\na: 2\nb: 1\nb: 2", "a.yaml")

    assert [item.location.line for item in document.problems] == [2, 4]
    assert document.value is None


def test_everything_that_is_not_allowed_is_told_together() -> None:
    text = "a: &x 1\nb: *x\nc: !!int 5\n<<: {d: 1}\na: 2\n? [k]\n: v\ne: 1_0\nf: [\n"

    document = read_document(text.encode(), "a.yaml")

    assert [item.location.line for item in document.problems] == [1, 2, 3, 4, 5, 6, 8, 9]
    assert document.value is None


def test_most_problems_are_counted_only() -> None:
    document = read_document(b"a: 1\n" * 1000, "a.yaml")

    assert len(document.problems) == 101
    assert document.problems[-1].message.startswith("and 899 more problems")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_in_any_editor(end: str) -> None:
    text = end.join(["\u00e4: 1", "", "b: '\U0001f600'", "# c", "b: {\u65e5: 1, \u65e5: 2}"])

    document = read_document(text.encode(), "a.yaml")

    assert [str(item.location) for item in document.problems] == ["a.yaml:5:1", "a.yaml:5:11"]
    assert document.problems[0].excerpt == "b: {\u65e5: 1, \u65e5: 2}"


def test_escaped_pairs_of_json_are_one_character() -> None:
    assert read_document(b'a: "\\ud83d\\ude00"', "a.yaml").value == {"a": "\U0001f600"}


def test_line_of_what_is_not_utf_8_is_shown() -> None:
    [found] = read_document(b"a: 1\nname: caf\xe9\n", "a.yaml").problems

    assert found.excerpt == "name: caf\ufffd"


def test_directive_of_yaml_1_2_is_allowed() -> None:
    assert read_document(b"%YAML 1.2\n---\na: 1", "a.yaml").value == {"a": 1}


def test_reading_needs_little_of_the_stack() -> None:
    text = ("[" * MAX_DEPTH + "]" * MAX_DEPTH).encode()

    def descend(levels: int) -> object:
        return descend(levels - 1) if levels else read_document(text, "a.yaml").problems

    assert descend(sys.getrecursionlimit() - len(inspect.stack(0)) - 60) == []


def test_document_at_the_depth_limit_is_read() -> None:
    text = "[" * MAX_DEPTH + "]" * MAX_DEPTH

    assert read_document(text.encode(), "a.yaml").problems == []


@pytest.mark.parametrize(
    ("path", "at_key", "place"),
    [
        (("a", "b", 1), False, "a.yaml:2:10"),
        (("a", "b"), True, "a.yaml:2:3"),
        (("a", "b"), False, "a.yaml:2:6"),
        (("a", "missing"), True, "a.yaml:1:1"),
        (("a", "b", 7, "deeper"), False, "a.yaml:2:3"),
        (("other",), False, "a.yaml:1:1"),
        ((), False, "a.yaml:1:1"),
    ],
)
def test_problem_stands_at_its_value_or_at_the_nearest_one_around_it(
    path: tuple[str | int, ...], at_key: bool, place: str
) -> None:
    document = read_document(b"a:\n  b: [1, 2]\n", "a.yaml")

    assert str(document.create_problem(path, "wrong", at_key=at_key).location) == place
