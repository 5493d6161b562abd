from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.integrations.http.readable import extract_text

quick = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def read(page: str, most: int = 10_000) -> str:
    return extract_text(page, "https://example.com/docs/", most)[0]


def test_scripts_styles_and_comments_are_left_out() -> None:
    page = "<style>p{}</style><p>a</p><script>x('<p>no</p>')</script><!-- <p>no</p> --><svg><text>no</text></svg>b"
    assert read(page) == "a\n\nb"


def test_headings_lists_and_lines_stay_apart() -> None:
    page = "<title>T</title><h2>Head</h2><p>one\n  two<br>three<ul><li>x<li>y</ul><pre>a\n  b</pre>"
    assert read(page) == "T\n\n## Head\n\none two\nthree\n\n- x\n- y\n\na\n  b"


def test_cells_of_a_row_stay_apart() -> None:
    assert (
        read("<table><tr><th>a<th>b</tr><tr><td>1</td><td>2</td></tr></table>") == "a | b\n\n1 | 2"
    )


def test_links_keep_their_addresses() -> None:
    page = "<a href='../x?a=1&amp;b=2'>here</a> <a href=\"https://e.org/\">there</a> <a href='#a'>up</a>"
    assert read(page) == "here (https://example.com/x?a=1&b=2) there (https://e.org/) up"


@pytest.mark.parametrize(
    "target", ["javascript:alert(1)", "data:text/html,x", "http://[", "x" * 600]
)
def test_other_links_are_only_their_text(target: str) -> None:
    assert read(f"<a href='{target}'>text</a>") == "text"


def test_entities_are_read_and_images_described() -> None:
    assert (
        read("5 &lt; 6 &amp; 7 < 8 <img src=x alt='a &quot;b&quot;'>")
        == '5 < 6 & 7 < 8 [image: a "b"]'
    )


def test_a_number_of_thousands_of_digits_is_left_as_it_is() -> None:
    assert read(f"&#{'9' * 5000};").startswith("&#999")


def test_quoted_signs_end_no_tag() -> None:
    assert read("<b title='a > b' id=\"<p>\">bold</b>") == "bold"


@pytest.mark.parametrize(
    "page", ["<p>a<!-- b", "<p>a<script>b", "<p>a<b c='", "<p>a</", "<p>a<!x", "<p>a<svg>b"]
)
def test_what_never_ends_is_left_out(page: str) -> None:
    assert read(page) == "a"


def test_the_text_is_bounded_and_says_so() -> None:
    assert extract_text("<p>abcdef", "https://e.org/", 3) == ("abc", True)
    assert extract_text("<p>abc", "https://e.org/", 3) == ("abc", False)
    long = extract_text("<a href=x>y</a>" * 100_000, "https://example.com/" + "z" * 400 + "/", 1000)
    assert (len(long[0]), long[1]) == (1000, True)


@quick
@given(
    st.lists(
        st.sampled_from(
            [
                "<",
                ">",
                "</",
                "<a ",
                "<!--",
                "-->",
                '"',
                "'",
                "<script>",
                "</script",
                "<svg>",
                "href=",
                "&#",
                "x",
                " ",
                "=",
            ]
        )
    )
)
def test_any_page_can_be_read(parts: list[str]) -> None:
    text, _ = extract_text("".join(parts), "https://e.org/", 50)
    assert len(text) <= 50
