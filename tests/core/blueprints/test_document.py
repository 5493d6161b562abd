from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.core.blueprints.document import MAX_BYTES, MAX_DEPTH, read_document


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
        ("a: 0o17", "0o17"),
        ("a: 12:30", "12:30"),
        ("a: 2026-11-22", "2026-11-22"),
        ("a: .inf", ".inf"),
        ("a: 99999999999999999999", "99999999999999999999"),
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
        ("a: &x 1\nb: *x", "a.yaml:1:4: anchors ('&name') are not allowed"),
        ("a: *x", "a.yaml:1:4: aliases ('*name') are not allowed"),
        ("a: !!int 5", "a.yaml:1:4: tags are not allowed"),
        ("a: !x 5", "a.yaml:1:4: tags are not allowed: remove '!x'"),
        ("a: 1\n<<: {b: 2}", "a.yaml:2:1: merge keys ('<<') are not allowed"),
        ("a: 1\n? [b]\n: 2", "a.yaml:2:3: a key must be a plain word or a string"),
        ("a: 1\n&x b: 2", "a.yaml:2:1: a key must be a plain word or a string"),
        ("a: 1\nb: 2\na: 3", "a.yaml:3:1: key 'a' was given before, in line 1: remove one"),
        ("a: 1\n---\nb: 2", "a.yaml:2:1: a second document starts here"),
        ("a:\n\tb: 1", "a.yaml:2:1: a tab cannot indent YAML: use spaces"),
        ("a: b: c", "a.yaml:1:5: a ':' too many, or wrong indentation"),
        ("a: [1", "a.yaml:1:6: not YAML: while parsing a flow sequence"),
        ("%YAML 2.0\n---\na: 1", "a.yaml:1:1: not YAML: found incompatible YAML document"),
        ("a: \x07", "a.yaml:1:4: character U+0007 may not stand in YAML"),
        (b"a: 1\nb: \xff", "a.yaml:2:4: byte 0xff is not UTF-8"),
        ("ä: ö\nb: ".encode() + "ü".encode("latin-1"), "a.yaml:2:4: byte 0xfc is not UTF-8"),
        ("[" * (MAX_DEPTH + 2), f"a.yaml:1:{MAX_DEPTH + 2}: nested deeper than {MAX_DEPTH} levels"),
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


fragments = st.sampled_from(
    [
        *"a1:~[]{},!'\"|#?%",
        "\n",
        " ",
        "\t",
        "- ",
        "---",
        "\x00",
        "\u2028",
        "\ufeff",
        "\\ud800",
        "<<",
        "&x",
        "*x",
        "true",
    ]
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.binary(max_size=40)
    | st.lists(fragments, max_size=20).map(lambda all_: "".join(all_).encode())
)
def test_any_bytes_give_a_value_or_problems_inside_the_file(content: bytes) -> None:
    document = read_document(content, "a.yaml")

    if document.problems:
        assert document.value is None
    for item in document.problems:
        assert item.location.line >= 1
        assert item.location.column >= 1
        assert str(item)
