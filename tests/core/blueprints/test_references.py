from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.core.blueprints.references import (
    MAX_CHARS,
    MAX_REFERENCES,
    DataTemplate,
    Template,
    to_text,
)
from agent_factory.core.exceptions import ConfigurationError

SCOPE: dict[str, Any] = {
    "input": {"topic": "bees", "tags": ["a", "b"], "deep": {"x": None}},
    "steps": {"plan": {"kind": "bug", "good": True, "score": 7.5}},
    "item": "one",
}


def render(text: str, scope: Any = None) -> Any:
    return Template.parse(text).render(SCOPE if scope is None else scope)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("", ""),
        ("About {{input.topic}}.", "About bees."),
        ("{{item}}{{item}}", "oneone"),
        ("{{ input.topic }}", "bees"),
        ("{{input.tags.1}}", "b"),
        ("tags: {{input.tags}}", 'tags: ["a","b"]'),
        ("{{steps.plan.good}}/{{input.deep.x}}/{{steps.plan.score}}", "true/null/7.5"),
        ("{{{{item}}", "{{item}}"),
        ("{{{{{{item}}", "{{one"),
        ("a }} b", "a }} b"),
        ('{"a": {"b": 1}}', '{"a": {"b": 1}}'),
    ],
)
def test_values_take_the_places_of_references(text: str, value: str) -> None:
    assert render(text) == value


@pytest.mark.parametrize("name", ["input", "input.tags", "input.deep.x", "steps.plan.good"])
def test_text_that_is_one_reference_keeps_the_kind_of_its_value(name: str) -> None:
    value: Any = SCOPE
    for part in name.split("."):
        value = value[part]

    assert render("{{" + name + "}}") is value


@pytest.mark.parametrize(
    "text",
    [
        "{{",
        "{{input.topic",
        "{{}}",
        "{{ }}",
        "{{input topic}}",
        "{{input.}}",
        "{{.input}}",
        "{{input..topic}}",
        "{{input.topic.upper()}}",
        "{{input['topic']}}",
        "{{1 + 1}}",
        "{{input | length}}",
        "{{{input}}}",
        "{{0}}",
        "{{" + "a" * 300 + "}}",
        "{{input.\u00e4}}",
    ],
)
def test_what_is_no_reference_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"character 3.*names joined by dots"):
        Template.parse("\u00df " + text)


def test_place_of_a_malformed_reference_counts_lines() -> None:
    with pytest.raises(ConfigurationError, match=r"'\{\{x y\}\}' in line 2, column 4"):
        Template.parse("one\ntwo{{x y}}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{input.topik}}", "there is no 'topik' in 'input': did you mean 'topic'?"),
        ("{{inputs}}", "there is no 'inputs': did you mean 'input'?"),
        ("{{input.tags.2}}", "'input.tags' has 2 items, counted from 0"),
        ("{{input.tags.first}}", "'input.tags' is a list: name a position such as 'input.tags.0'"),
        ("{{item.x}}", "'item' is a text, which has no 'x'"),
        ("{{input.deep.x.y}}", "'input.deep.x' is nothing, which has no 'y'"),
        ("{{item.__class__}}", "'item' is a text, which has no '__class__'"),
        ("{{input.keys}}", "there is no 'keys' in 'input'"),
    ],
)
def test_missing_value_is_told_with_what_is_there_instead(text: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        render(text)

    assert said in caught.value.message
    assert caught.value.message.startswith(text)


def test_attributes_of_objects_cannot_be_reached() -> None:
    with pytest.raises(ConfigurationError, match="is complex, which has no 'real'"):
        render("{{x.real}}", {"x": 1j})


def test_value_that_json_cannot_hold_is_refused_in_a_text() -> None:
    with pytest.raises(ConfigurationError, match=r"\{\{x\}\} cannot be written as JSON"):
        render("a {{x}}", {"x": object()})


def test_references_are_listed_once_in_their_order() -> None:
    template = Template.parse("{{b}} {{a.x}} {{b}}")

    assert list(map(str, template.references)) == ["{{b}}", "{{a.x}}"]


def test_text_has_a_bounded_number_of_references() -> None:
    Template.parse("{{a}}" * MAX_REFERENCES)

    with pytest.raises(ConfigurationError, match="more than 200 references"):
        Template.parse("{{a}}" * (MAX_REFERENCES + 1))


@pytest.mark.parametrize("value", ["x" * 10_001, ["x" * 99] * 101, {"x" * 10_001: 1}])
def test_text_that_would_grow_without_bound_is_refused(value: Any) -> None:
    with pytest.raises(ConfigurationError, match="more than 1,000,000 characters"):
        render("{{a}}" * 100, {"a": value})


def test_value_with_many_more_characters_than_allowed_is_not_even_written() -> None:
    value: Any = ["x"]
    for _ in range(60):  # 2 ** 60 texts, could they be written
        value = [value, value]

    with pytest.raises(ConfigurationError, match="more than 1,000,000 characters"):
        to_text(value)


def test_data_has_values_in_place_of_its_references() -> None:
    template = DataTemplate.parse(
        {"a": "{{input.tags}}", "b": [1, None, "to {{item}}"], "{{c}}": "{{{{x}}"}
    )

    assert template.render(SCOPE) == {"a": ["a", "b"], "b": [1, None, "to one"], "{{c}}": "{{x}}"}
    assert [path for path, _ in template.references] == [("a",), ("b", 2)]


def test_malformed_reference_in_data_is_told_with_its_path() -> None:
    with pytest.raises(ConfigurationError) as caught:
        DataTemplate.parse({"a": ["ok", "{{"]})

    assert caught.value.details["path"] == ["a", 1]


def test_data_nested_without_end_is_refused() -> None:
    value: Any = []
    value.append(value)

    with pytest.raises(ConfigurationError, match="nested deeper than 32 levels"):
        DataTemplate.parse(value)


def test_values_in_data_are_bounded_together() -> None:
    template = DataTemplate.parse(["{{a}}"] * 3)

    with pytest.raises(ConfigurationError, match="more than 1,000,000 characters"):
        template.render({"a": "x" * (MAX_CHARS // 2)})


class CountedText(str):
    """A text that counts what is searched in it."""

    searched = 0

    def find(self, sub: str, start: Any = 0, end: Any = None) -> int:
        found = super().find(sub, start, len(self) if end is None else end)
        last = min(len(self), len(self) if end is None else end)
        type(self).searched += (last if found < 0 else found + len(sub)) - start
        return found


@pytest.mark.parametrize("piece", ["{{", "{", "}}", "{{a", "{{a}}", "{{{{", "{{{", "{{a.", "}}{{"])
def test_work_for_a_hostile_text_is_linear_in_its_length(piece: str) -> None:
    text = CountedText(piece * 50_000)
    CountedText.searched = 0
    with suppress(ConfigurationError):
        Template.parse(text)

    assert CountedText.searched <= 3 * len(text)


NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_-]{0,8}", fullmatch=True)
DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=st.text(alphabet=st.sampled_from(list("{}a.0 \n_-(|\"'\u00e9"))))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        template = Template.parse(text)
    except ConfigurationError:
        assert "{{" in text
        return
    if "{{" not in text:
        assert template.render({}) == text


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(pieces=st.lists(st.text(alphabet="ab{ }\n") | st.tuples(NAMES, DATA), max_size=6))
def test_any_text_is_written_with_its_values(pieces: list[Any]) -> None:
    scope: dict[str, Any] = {}
    text = expected = ""
    for index, piece in enumerate(pieces):
        if isinstance(piece, str):
            plain = piece.replace("{", "(")
            text, expected = text + plain + "{{{{.", expected + plain + "{{."
        else:
            name, value = f"{piece[0]}{index}", piece[1]
            scope[name] = value
            text += "{{" + name + "}}"
            shown = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
            expected += value if isinstance(value, str) else shown
    made = Template.parse(text)

    if made.is_reference:
        assert to_text(made.render(scope)) == expected
    else:
        assert made.render(scope) == expected
