from __future__ import annotations

import json
import random
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from agent_factory.core.blueprints.document import read_document
from agent_factory.core.blueprints.problems import create_problems
from agent_factory.core.blueprints.schema.blueprint import Blueprint
from tests.core.blueprints.hostile import check_document, create_mutations


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class KeepLast(Section):
    keep_last: int


class Summarise(Section):
    summarise: str
    model: str = "default"


class Circle(Section):
    kind: Literal["circle"]
    radius: float = Field(gt=0, le=10)


class Square(Section):
    kind: Literal["square"]
    side: float


class Colour(Enum):
    RED = "red"
    GREEN = "green"


def expand(value: object) -> object:
    return {"use": value} if isinstance(value, str) else value


class Tool(Section):
    use: str = Field(min_length=1, examples=["calculate"])
    options: dict[str, Any] = Field(default_factory=dict, alias="with")


Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}$")]


class Root(Section):
    text: str = Field("", max_length=5)
    whole: int = Field(1, ge=1, le=1000)
    number: float = Field(1.0, gt=0)
    truth: bool = False
    words: tuple[str, ...] = Field((), strict=False, max_length=2)
    colour: Annotated[Colour, Field(strict=False)] = Colour.RED
    mode: Literal["native", "tool"] = "native"
    many: Literal["aa", "bb", "cc", "dd", "ee", "ff", "limit"] = "aa"
    code: str = Field("a1", pattern="^[a-z][0-9]$", examples=["b7"])
    tool: Annotated[Tool, BeforeValidator(expand, json_schema_input_type=Tool | str)] | None = None
    memory: KeepLast | Summarise | None = None
    memories: list[KeepLast | Summarise | Literal["none", "all"]] = Field(
        default_factory=list, min_length=1
    )
    shape: Annotated[Circle | Square, Field(discriminator="kind")] | None = None
    either: Circle | str | None = None
    scalar: int | float | bool | None = None
    named: dict[Name, str | list[str]] = Field(default_factory=dict)
    inner: Root | None = None
    even: int = 0

    @field_validator("even")
    @classmethod
    def _check_even(cls, value: int) -> int:
        if value % 2:
            raise ValueError("must be even")
        return value


class Needy(Section):
    schema_version: Literal["agent-factory/blueprint@1"] = Field(alias="schema")
    tools: dict[str, Tool] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check(self) -> Needy:
        if not self.tools:
            raise ValueError("Something is amiss")
        return self


def tell(text: str, model: type[BaseModel] = Root) -> list[str]:
    """Return what is wrong with a text, without the excerpts."""
    document = read_document(text.encode(), "a.yaml")
    assert document.problems == []
    with pytest.raises(ValidationError) as caught:
        model.model_validate(document.value)
    problems = create_problems(document, caught.value, model)
    return [str(problem).splitlines()[0].removeprefix("a.yaml:") for problem in problems]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("text: 5", "1:7: text must be text, not 5: put it in quotes"),
        ("text: 1.10", "1:7: text must be text, not 1.10: put it in quotes"),
        ("text: true", "1:7: text must be text, not true: put it in quotes"),
        ("text:", "1:6: text must be text, not nothing: write one, or remove the key"),
        ("text: abcdef", "1:7: text must have at most 5 characters, not 6"),
        ("whole: 0", "1:8: whole must be from 1 to 1,000, not 0"),
        ("whole: '5'", "1:8: whole must be a whole number, not '5': remove the quotes"),
        ("whole: 5.0", "1:8: whole must be a whole number, not 5.0: write 5"),
        ("whole: true", "1:8: whole must be a whole number, not true"),
        ("number: 0", "1:9: number must be above 0, not 0"),
        ("number: 30s", "1:9: number must be a number, not '30s': write the number alone"),
        ("truth: yes", "1:8: truth must be true or false, not 'yes': write true"),
        ("truth: Off", "1:8: truth must be true or false, not 'Off': write false"),
        ("truth: 'true'", "1:8: truth must be true or false, not 'true': write true, without"),
        ("truth: 0", "1:8: truth must be true or false, not 0: write false"),
        ("words: a", "1:8: words must be a list, not 'a': write [a], or put it behind '- '"),
        ("words: a b", "1:8: words must be a list, not 'a b': put it behind '- ' in a line"),
        ("words: 3", "1:8: words must be a list, not 3: write [3]"),
        ("words: {a: 1}", "1:8: words must be a list, not a mapping: put '- ' before its first"),
        ("words: [a, 5]", "1:12: words.1 must be text, not 5: put it in quotes"),
        ("words: [a, b, c]", "1:8: words must have at most 2 items, not 3"),
        ("colour: gren", "1:9: colour must be one of 'red' or 'green', not 'gren': did you mean"),
        ("mode: Tool", "1:7: mode must be one of 'native' or 'tool', not 'Tool': did you mean 't"),
        ("mode: 5", "1:7: mode must be one of 'native' or 'tool', not 5"),
        ("many: limt", "1:7: many cannot be 'limt': did you mean 'limit'?"),
        ("code: xx", "1:7: code must be written like 'b7', not 'xx'"),
        ("tool: 5", "1:7: tool must be text or a mapping with keys such as 'use', 'with', not 5"),
        ("tool: ''", "1:7: tool must not be empty"),
        ("tool: {use: ''}", "1:13: tool.use must not be empty"),
        ("tool: {with: {}}", "1:1: the key 'use' is missing: add 'use: calculate' below 'tool'"),
        ("tool: {use: a, wth: {}}", "1:16: unknown key 'wth': did you mean 'with'?"),
        ("tool: {use: a, options: {}}", "1:16: unknown key 'options': there are: use, with"),
        ("memory: {keep_lst: 1}", "1:10: unknown key 'keep_lst': did you mean 'keep_last'?"),
        ("memory: {}", "1:9: memory must have one of the keys 'keep_last', 'summarise'"),
        ("memory: {keep_last: x}", "1:21: memory.keep_last must be a whole number, not 'x'"),
        ("memory: {keep_last: 1, summarise: x}", "1:9: memory has keys that do not go together:"),
        ("memory: {summarise: a, modl: b}", "1:24: unknown key 'modl': did you mean 'model'?"),
        ("memory: 5", "1:9: memory must be a mapping of keys to values, not 5"),
        ("memories: [nne]", "1:12: memories.0 must be one of 'none' or 'all', not 'nne': did you"),
        ("memories: [{}]", "1:12: memories.0 must have one of the keys 'keep_last', 'summarise'"),
        ("memories: [[]]", "1:12: memories.0 must be one of 'none' or 'all' or a mapping with"),
        ("memories: []", "1:11: memories must not be empty"),
        ("shape: {kind: circl}", "1:15: shape.kind must be one of 'circle', 'square', not 'cir"),
        ("shape: {radius: 1}", "1:8: the key 'kind' is missing: it says which kind shape is"),
        ("shape: {kind: circle, radius: 0}", "1:31: shape.radius must be above 0 and at most 10"),
        ("shape: {kind: square}", "1:1: the key 'side' is missing: add 'side: ...' below 'shape'"),
        ("either: {kind: circle, radius: 11}", "1:32: either.radius must be above 0 and at most"),
        ("either: 5", "1:9: either must be text or a mapping with keys such as 'kind', 'radius'"),
        ("scalar: x", "1:9: scalar must be a number or true or false, not 'x'"),
        ("named: {a b: x}", "1:9: this name must be letters, digits, '_' and '-', a letter first"),
        ("named: {a: 5}", "1:12: named.a must be text or a list, not 5: put it in quotes"),
        ("named: {str: [5]}", "1:15: named.str.0 must be text, not 5: put it in quotes"),
        ("inner:\n  - text: a", "2:3: inner must be a mapping of keys to values, not a list: "
         "remove the '- ' before its keys"),
        ("inner: text:a", "1:8: inner must be a mapping of keys to values, not 'text:a': a space"),
        ("named:", "1:7: named must be a mapping of keys to values, not nothing: indent its keys"),
        ("inner: {inner: {inner: {txt: a}}}", "1:25: unknown key 'txt': did you mean 'text'?"),
        ("even: 3", "1:7: even must be even"),
        ("5", "1:1: the file must be a mapping of keys to values, not 5"),
    ],
)  # fmt: skip
def test_mistake_is_told_once_with_what_would_be_right(text: str, said: str) -> None:
    [found] = tell(text)

    assert found.startswith(said)


def test_missing_key_is_told_with_what_to_write() -> None:
    assert tell("tools: {}", Needy) == [
        "1:1: the key 'schema' is missing: add 'schema: agent-factory/blueprint@1' at the top level"
    ]


def test_words_of_a_validator_are_kept() -> None:
    assert tell("schema: agent-factory/blueprint@1", Needy) == ["1:1: the file: something is amiss"]


def test_problems_stand_in_the_order_of_the_file() -> None:
    told = tell("truth: 1\nwords: [1, 2]\ntext: 5\nwhole: x\ntool: {}")

    assert [item.partition(":")[0] for item in told] == ["1", "2", "2", "3", "4", "5"]


def test_many_problems_are_counted_only() -> None:
    items = "\n".join("- 5" for _ in range(1000))

    told = tell(f"named:\n  a:\n{items.replace('-', '  -')}")

    assert len(told) == 101
    assert told[100].endswith("and 900 more problems: correct the ones above first")


def test_prefix_leads_to_the_place_in_the_file() -> None:
    document = read_document(b"a:\n  - with: {usse: 1}\n", "a.yaml")
    with pytest.raises(ValidationError) as caught:
        Tool.model_validate(document.value["a"][0]["with"])

    problems = create_problems(document, caught.value, Tool, ("a", 0, "with"))

    assert [str(item).splitlines()[0] for item in problems] == [
        "a.yaml:2:5: the key 'use' is missing: add 'use: calculate' below 'a.0.with'",
        "a.yaml:2:12: unknown key 'usse': did you mean 'use'?",
    ]


def test_model_without_json_schema_is_told_without_hints() -> None:
    class Odd(Section):
        model_config = ConfigDict(arbitrary_types_allowed=True)

        thing: object = Field(default_factory=object)
        when: Annotated[Any, BeforeValidator(lambda value: value)] = None
        hook: type[int] | None = None

    assert tell("hok: 1", Odd)[0].startswith("1:1: unknown key 'hok'")


@pytest.mark.parametrize("seed", range(4))
def test_damaged_blueprint_is_told_at_places_of_the_file(seed: int) -> None:
    generator = random.Random(seed)  # noqa: S311 - a repeatable one
    for content in create_mutations(generator, 40):
        document = read_document(content, "a.yaml")
        if document.problems:
            continue
        try:
            Blueprint.model_validate(document.value)
        except ValidationError as error:
            document.problems = create_problems(document, error, Blueprint)
            document.value = None
            check_document(document)


values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "a", "none", "circle"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["use", "with", "kind", "radius", "keep_last", "summarise", "str", "0"]),
        inner,
        max_size=3,
    ),
    max_leaves=6,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from([*Root.model_fields, "x"]), values, max_size=4))
def test_anything_wrong_is_told_at_a_place_of_the_file(value: dict[str, object]) -> None:
    document = read_document(json.dumps(value).encode(), "a.yaml")
    try:
        Root.model_validate(document.value)
    except ValidationError as error:
        problems = create_problems(document, error, Root)
        assert problems
        for item in problems:
            assert 1 <= item.location.column <= len(document.lines[0])
            assert len(item.message) < 600
