from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_factory.integrations.tools.passages import Passage, split_passages

MARKDOWN = """\
---
title: Handbook
---
# Handbook

## Setup ##

Install it.

```sh
# not a heading
make
```

### On Windows

Use WSL.

Usage
-----

Run it.

Reference
=========
- a list

---
end
"""


def split(text: str, style: str = "md") -> list[Passage]:
    return split_passages(text.split("\n"), style=style)


def test_markdown_is_split_at_its_headings() -> None:
    assert [(passage.line, passage.end_line, passage.heading) for passage in split(MARKDOWN)] == [
        (1, 3, ""),
        (4, 14, "Handbook > Setup"),
        (15, 18, "Handbook > Setup > On Windows"),
        (19, 23, "Handbook > Usage"),
        (24, 30, "Reference"),
    ]


def test_a_heading_without_text_goes_with_what_follows() -> None:
    passages = split("# A\n\n## B\n\nwords")
    assert [(passage.heading, passage.text) for passage in passages] == [
        ("A > B", "# A\n\n## B\n\nwords")
    ]


def test_a_heading_at_the_end_is_kept() -> None:
    assert [passage.heading for passage in split("words\n\n# End")] == ["", "End"]


def test_restructured_text_ranks_its_underlines_by_appearance() -> None:
    text = "Title\n=====\n\none\n\nPart\n~~~~\n\ntwo\n\nOther\n=====\n\nthree"
    assert [passage.heading for passage in split(text, "rst")] == ["Title", "Title > Part", "Other"]


def test_plain_text_has_no_headings() -> None:
    assert [passage.heading for passage in split("# no heading\n\nwords", "txt")] == [""]


@pytest.mark.parametrize(
    "text",
    [
        "| a | b |\n---------\n| c |",
        "two lines\nof text\n---",
        "- item\n---",
        "    code\n---",
        "\n---\n",
    ],
)
def test_what_only_looks_like_an_underline_is_no_heading(text: str) -> None:
    assert {passage.heading for passage in split(text)} == {""}


def test_a_long_section_is_split_between_paragraphs() -> None:
    paragraph = "\n".join(["word " * 12] * 8)
    passages = split("# Long\n\n" + "\n\n".join([paragraph] * 6))
    assert len(passages) > 1
    assert all(passage.heading == "Long" for passage in passages)
    assert all(passage.end_line - passage.line < 40 for passage in passages)
    assert all(not passage.text.startswith("\n") for passage in passages)


def test_a_long_paragraph_is_split_between_lines() -> None:
    passages = split("\n".join(["x" * 100] * 100))
    assert max(len(passage.text) for passage in passages) <= 1500


def test_a_line_is_never_split() -> None:
    assert [len(passage.text) for passage in split("x" * 5000)] == [5000]


@pytest.mark.parametrize("text", ["", "\n\n", " \n\t"])
def test_a_document_without_words_has_no_passages(text: str) -> None:
    assert split(text) == []


def test_code_is_kept_whole_with_the_sentence_that_announces_it() -> None:
    code = "```\n" + "call()\n\n" * 20 + "```"
    text = "\n".join(["word " * 12] * 20) + f"\n\nDo this:\n\n{code}\n\nEnd."
    passages = split(text)
    assert [passage.text.strip()[:8] for passage in passages[:2]] == ["word wor", "Do this:"]
    assert code in passages[1].text


@pytest.mark.parametrize(
    "line",
    ["# " + " " * 200_000 + "x", "#" * 200_000, "# #" * 100_000, "`" * 200_000, "-" * 200_000],
)
def test_a_hostile_line_does_not_hang_the_split(line: str) -> None:
    assert split(f"title\n{line}\n")[0].line == 1


LINES = st.lists(
    st.sampled_from(
        [
            "",
            " ",
            "words",
            "# A",
            "## B",
            "###",
            "===",
            "---",
            "```",
            "~~~sh",
            "- x",
            "1. y",
            "    z",
            "x" * 700,
        ]
    )
    | st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=30),
    max_size=120,
)


@given(LINES, st.sampled_from(["md", "rst", "txt"]))
def test_passages_cover_every_line_with_words_once_and_word_for_word(
    lines: list[str], style: str
) -> None:
    covered: list[int] = []
    for passage in split_passages(lines, style=style):
        assert passage.text == "\n".join(lines[passage.line - 1 : passage.end_line])
        covered += range(passage.line, passage.end_line + 1)
    assert covered == sorted(set(covered))
    left_out = set(range(1, len(lines) + 1)) - set(covered)
    assert not any(lines[number - 1].strip() for number in left_out)
