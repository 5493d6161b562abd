from __future__ import annotations

import pytest

from agent_factory.core.blueprints.document import read_document


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a:\n\tb: 1", "2:1: a tab cannot indent YAML: use spaces"),
        ("a:\tb", "1:3: a tab cannot stand between words and signs"),
        ("name:value\nversion: 1", "1:6: a space is missing behind the ':': write 'name: value'"),
        ("a:\n  b: 1\n  tools:x\n", "3:9: a space is missing behind the ':': write 'tools: x'"),
        ('"a":1', "1:4: a space is missing behind the ':'"),
        ("a: b: c", "1:5: a ':' too many: put a text that contains ': ' in quotes"),
        ("a: see http://x: y", "1:16: a ':' too many: put a text that contains ': ' in quotes"),
        ("x" * 2000 + ": 1", "1:2001: a key has at most 1,024 characters"),
        ("a: 1\n  b: 2", "2:3: this line is indented too far, as the key above has a value"),
        ("a:\n    b: 1\n  c: 2", "3:3: this line is indented by 2 spaces, which fits no line above:"
         " indent it by 0 or 4"),
        ("a: |\n     \n  text\n", "3:3: the blank line above has more spaces than this line"),
        ("a: 1\nb", "2:1: this line has no ': ': write 'key: value'"),
        ("a:\n- x\nb: 1\n- y", "4:1: a list item stands among the keys of the mapping of line 1"),
        ("a:\n  - x\n  b: 1", "3:3: this line is indented like the list of line 2, column 3"),
        ("a: - b", "1:4: a list starts in a line of its own"),
        ("a: ? b", "1:4: a text that starts with '? ' needs quotes"),
        ('a: "x', "1:4: this quote is never closed"),
        ("a: 'x\n---\n", "1:4: this quote is never closed"),
        ('a: "x\nb: "y"\nc: 3', "2:5: the quote opened in line 1, column 4 is closed in this line"),
        ("a: 'it's'", "1:8: a ' within single quotes must be written ''"),
        ('a: "x" y', "1:8: more text behind the end of the value: put the whole text in quotes"),
        ('a: "\\d"', r"1:6: '\d' means nothing within double quotes: write '\\d'"),
        ('a: "\\x4"', r"1:7: '\x' needs 2 hexadecimal digits behind it"),
        ("a: [1, 2", "1:4: this '[' is never closed: write ']' where it ends"),
        ("a: {b: [1], c: 1", "1:4: this '{' is never closed: write '}' where it ends"),
        ("a: [1, 2}", "1:9: '}' closes nothing: the '[' of line 1, column 4 needs ']'"),
        ("a: {b: 1]", "1:9: ']' closes nothing: the '{' of line 1, column 4 needs '}'"),
        ("a: ]", "1:4: ']' closes nothing"),
        ("[1]\n]", "2:1: ']' closes nothing"),
        ('a: ["x" "y"]', "1:9: a ',' is missing here, or ']' before it: the '[' of line 1"),
        ("a: {\nb: 1\nc: 2\n}", "2:5: a ',' is missing at the end of this line"),
        ("a: [1,,2]", "1:7: a value is missing before ','"),
        ("a: [why?, b]", "1:8: a text with '?' between brackets needs quotes"),
        ("a: {{ name }}", "1:4: a text that starts with '{{' needs quotes"),
        ("a: [*.md]", "1:5: a text that starts with '*' needs quotes"),
        ("a: **/*.md", "1:4: a text that starts with '*' needs quotes"),
        ("a: & b", "1:4: a text that starts with '&' needs quotes"),
        ("a: !<b", "1:4: tags ('!name') are not allowed"),
        ("a: %b", "1:4: a text cannot start with '%': put it in quotes"),
        ("a: @b", "1:4: a text cannot start with '@': put it in quotes"),
        ("a: `b`", "1:4: a text cannot start with '`': put it in quotes"),
        ("a: | text\n  b", "1:6: behind '|' or '>' the text starts in the next line"),
        ("a: |0\n  b", "1:5: the number behind '|' or '>' counts spaces of indentation"),
        ("a: 1\n...\nb: 2", "3:1: nothing may stand behind the end of the document"),
    ],
)  # fmt: skip
def test_common_mistake_is_told_in_words_that_help(text: str, said: str) -> None:
    [found] = read_document(text.encode(), "a.yaml").problems

    assert str(found).startswith(f"a.yaml:{said}")


def test_mistake_in_a_line_of_any_length_is_told() -> None:
    for line in ("x\n " + "- " * 100_000 + "a#: b", "y: x\n " + "a " * 100_000 + ": b"):
        assert read_document(line.encode(), "a.yaml").problems


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: {b: one, two.}", "1:13"),
        ("a: {b: 1, c}", "1:11"),
        ("a: {b}", "1:5"),
        ('a: {b: 1, "c"}', "1:11"),
        ("a: [{b: 1, c}]", "1:12"),
    ],
)
def test_rest_of_a_text_behind_a_comma_is_no_key(text: str, place: str) -> None:
    [problem] = read_document(text.encode(), "a.yaml").problems

    assert str(problem).startswith(f"a.yaml:{place}: this is a key without a value: put a text")


@pytest.mark.parametrize(
    "text", ["a: {b: , c: 1}", "a: {b: }", "a:\nb: 1", "a: {b : , c: 1}", 'a: {"b":, c: 1}']
)
def test_key_with_a_colon_may_have_no_value(text: str) -> None:
    assert read_document(text.encode(), "a.yaml").problems == []
