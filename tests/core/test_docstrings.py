from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.core.docstrings import parse_docstring


def test_description_ends_at_the_first_section() -> None:
    text = """Find it.

    In more words,
    on two lines.

    Returns:
        Where it is.
    """

    assert parse_docstring(text) == ("Find it.\n\nIn more words,\non two lines.", {})


def test_arguments_are_read_with_types_stars_and_continuation_lines() -> None:
    text = """Find it.

    Args:
        what (str | None): What to find,
            however: long it takes.

            Really.
        *where: Places.
        **how: Ways.

    Raises:
        what: not an argument
    """

    assert parse_docstring(text)[1] == {
        "what": "What to find, however: long it takes. Really.",
        "where": "Places.",
        "how": "Ways.",
    }


def test_argument_described_only_on_the_next_line_is_read() -> None:
    assert parse_docstring("X.\n\nArguments:\n    what:\n        The thing.")[1] == {
        "what": "The thing."
    }


def test_arguments_after_another_section_are_read() -> None:
    assert parse_docstring("X.\n\nReturns:\n    y: no\n\nArgs:\n    what: yes")[1] == {
        "what": "yes"
    }


def test_text_or_unknown_section_after_the_arguments_is_not_part_of_them() -> None:
    text = "X.\n\nArgs:\n    what: The thing.\n\nWarning:\n    Hot: do not touch.\n"

    assert parse_docstring(text) == ("X.", {"what": "The thing."})


def test_lines_before_the_first_argument_are_passed_over() -> None:
    assert parse_docstring("X.\n\nArgs:\n    nothing of the kind\n    what: yes")[1] == {
        "what": "yes"
    }


def test_missing_docstring_is_empty() -> None:
    assert parse_docstring(None) == parse_docstring("") == ("", {})


lines = st.sampled_from(["Args:", "    a: x", "  b", "\tc (d): e", "", "Raises:", "text", "  *: y"])


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text() | st.lists(lines).map("\n".join))
def test_any_text_can_be_read(text: str) -> None:
    description, arguments = parse_docstring(text)

    assert description == description.strip()
    assert all(value == value.strip() for value in arguments.values())
