from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.core import (
    Agent,
    ConfigurationError,
    Tool,
    ToolArgumentsError,
    ToolContext,
    ToolDefinitionError,
    ToolError,
    ToolMessage,
    create_schema_tool,
)
from agent_factory.core.testing import ScriptedModel, create_tool_call

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "minLength": 1},
        "days": {"type": "integer", "minimum": 1, "maximum": 14},
        "tags": {"type": "array", "items": {"$ref": "#/$defs/tag"}},
    },
    "required": ["city"],
    "additionalProperties": False,
    "$defs": {"tag": {"enum": ["sun", "rain"]}},
}


def echo(_: ToolContext[Any], arguments: dict[str, Any]) -> dict[str, Any]:
    return arguments


def create(function: Any = echo, parameters: Any = SCHEMA, **given: Any) -> Tool[Any]:
    return create_schema_tool(
        function, name="forecast", description="The weather.", parameters=parameters, **given
    )


def call(item: Tool[Any], arguments: str, deps: object = None) -> str:
    context: ToolContext[Any] = ToolContext(deps, "run", "call")
    return asyncio.run(item.run(context, arguments))


def test_model_is_told_the_schema_as_it_is() -> None:
    item = create(effect="read", timeout=5, retries=2, max_result_chars=10, needs_approval=True)

    assert (item.name, item.spec.description) == ("forecast", "The weather.")
    assert item.spec.parameters == SCHEMA
    assert (item.effect, item.timeout, item.retries) == ("read", 5, 2)
    assert (item.max_result_chars, item.needs_approval) == (10, True)


def test_function_gets_the_context_and_the_arguments() -> None:
    def plain(context: ToolContext[str], arguments: dict[str, Any]) -> str:
        return f"{context.deps} in {arguments['city']}"

    async def later(context: ToolContext[str], arguments: dict[str, Any]) -> str:
        await asyncio.sleep(0)
        return plain(context, arguments)

    class Callable:
        async def __call__(self, context: ToolContext[str], arguments: dict[str, Any]) -> str:
            return plain(context, arguments)

    for function in (plain, later, Callable()):
        assert call(create(function), '{"city": "Rome"}', "Ada") == "Ada in Rome"


@pytest.mark.parametrize(
    "arguments",
    ['{"city": "Rome"}', '{"city": "Rome", "days": 14, "tags": ["sun", "rain"]}'],
)
def test_arguments_that_fit_arrive_as_they_are(arguments: str) -> None:
    assert json.loads(call(create(), arguments)) == json.loads(arguments)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("{}", '/: "city" is a required property'),
        ("", '"city" is a required property'),
        ('{"city": 7}', '/city: 7 is not of type "string"'),
        ('{"city": "Rome", "days": "3"}', '/days: "3" is not of type "integer"'),
        ('{"city": "Rome", "days": true}', '/days: true is not of type "integer"'),
        ('{"city": "Rome", "days": 0}', "/days: 0 is less than the minimum of 1"),
        ('{"city": "Rome", "tags": ["sun", "snow"]}', '/tags/1: "snow" is not one of'),
        ('{"city": "Rome", "a/b~": 1}', "'a/b~' was unexpected"),
        ('["Rome"]', 'is not of type "object"'),
        ("null", 'is not of type "object"'),
        ('{"city": "Rome"', "are not JSON"),
        ('{"city": NaN}', "are not JSON"),
        ('{"city": "\\ud800"}', "are not JSON"),
        ("[" * 5_000, "are not JSON"),
        (f'{{"city": "Rome", "days": 1{"0" * 5_000}}}', "are not JSON"),
        (f'{{"city": "Rome", "days": 1{"0" * 100}}}', "greater than the maximum"),
    ],
)
def test_arguments_that_do_not_fit_are_told_with_the_place_and_never_arrive(
    arguments: str, said: str
) -> None:
    arrived: list[object] = []
    item = create(lambda _, values: arrived.append(values))

    checks: list[Callable[[], object]] = [
        lambda: call(item, arguments),
        lambda: item.normalise(arguments),
    ]
    for check in checks:
        with pytest.raises(ToolArgumentsError) as caught:
            check()
        assert "tool 'forecast'" in caught.value.message
        assert said in caught.value.message
        assert caught.value.tool == "forecast"
    assert arrived == []


def test_place_of_a_problem_is_a_json_pointer() -> None:
    item = create(
        parameters={"type": "object", "additionalProperties": {"type": "integer"}},
    )

    with pytest.raises(ToolArgumentsError, match='/a~1b~0: "x" is not of type "integer"'):
        call(item, '{"a/b~": "x"}')


def test_no_more_than_five_problems_are_told() -> None:
    item = create(parameters={"type": "object", "additionalProperties": {"type": "integer"}})

    with pytest.raises(ToolArgumentsError) as caught:
        call(item, json.dumps({f"key{number}": "x" * 10_000 for number in range(50)}))
    assert caught.value.message.count("; ") == 4
    assert len(caught.value.message) < 2_000


def test_model_is_told_what_is_wrong_and_may_correct_it() -> None:
    agent = Agent(
        name="tester",
        model=ScriptedModel(
            [
                create_tool_call("forecast", {"city": ""}, call_id="1"),
                create_tool_call("forecast", {"city": "Rome"}, call_id="2"),
                "Sun.",
            ]
        ),
        tools=[create()],
    )

    told = [item for item in agent.run_sync("Hi.").messages if isinstance(item, ToolMessage)]

    assert told[0].outcome == "error"
    assert "/city: " in told[0].content
    assert told[1] == ToolMessage("2", "forecast", '{"city":"Rome"}')


def test_error_that_the_function_raises_for_the_model_reaches_it() -> None:
    def fail(_: ToolContext[Any], values: dict[str, Any]) -> str:
        raise ToolError(f"there is no city {values['city']}")

    with pytest.raises(ToolError, match="there is no city Rome") as caught:
        call(create(fail), '{"city": "Rome"}')
    assert caught.value.tool == "forecast"


@pytest.mark.parametrize(
    "reference",
    [
        "https://example.com/schema.json",
        "http://127.0.0.1:9/schema.json",
        "file:///etc/hostname",
        "other.json",
        "urn:example:other",
    ],
)
def test_reference_that_leads_outside_is_refused_and_nothing_is_fetched(reference: str) -> None:
    parameters = {"type": "object", "properties": {"city": {"$ref": reference}}}

    with pytest.raises(ConfigurationError, match=r"'forecast'.*nothing is fetched.*'\$defs'"):
        create(parameters=parameters)


@pytest.mark.parametrize(
    "parameters",
    [{}, {"type": "string"}, {"type": ["object", "null"]}, {"properties": {}}, None, True],
)
def test_schema_that_is_not_one_of_an_object_is_refused(parameters: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"'forecast'.*type 'object'"):
        create(parameters=parameters)


@pytest.mark.parametrize(
    "more",
    [
        {"properties": 5},
        {"properties": {"a": {"type": "text"}}},
        {"properties": {"a": {"pattern": "("}}},
        {"properties": {"a": {"$ref": "#/$defs/none"}}},
        {"required": "a"},
        {"properties": {"a": {1, 2}}},
    ],
)
def test_schema_that_is_not_valid_is_refused_at_once(more: dict[str, Any]) -> None:
    with pytest.raises(
        ConfigurationError, match="tool 'forecast': parameters: not a valid JSON Schema"
    ):
        create(parameters={"type": "object", **more})


def test_options_that_no_tool_may_have_are_refused() -> None:
    with pytest.raises(ToolDefinitionError, match="timeout"):
        create(timeout=-1)
    with pytest.raises(ToolDefinitionError, match="retries"):
        create(retries=1)


def test_schema_that_is_changed_later_changes_nothing() -> None:
    parameters = {"type": "object", "properties": {"a": {"type": "integer"}}}
    item = create(parameters=parameters)
    parameters["properties"]["a"]["type"] = "string"  # type: ignore[index]

    assert item.spec.parameters["properties"]["a"] == {"type": "integer"}


def test_normal_form_is_the_same_for_all_texts_of_one_meaning() -> None:
    item = create()

    assert item.normalise('{ "days":3,  "city":"Rome"}') == '{"city":"Rome","days":3}'


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(VALUES)
def test_any_value_either_fits_and_arrives_or_is_told_to_the_model(value: object) -> None:
    arrived: list[object] = []
    item = create(lambda _, values: arrived.append(values))

    try:
        call(item, json.dumps(value))
    except ToolArgumentsError:
        assert arrived == []
    else:
        assert arrived == [value]


def test_place_of_a_problem_is_told_in_brief() -> None:
    item = create(parameters={"type": "object", "additionalProperties": {"type": "integer"}})

    with pytest.raises(ToolArgumentsError) as caught:
        call(item, json.dumps({"k" * 100_000: "x"}))

    assert len(caught.value.message) < 1_000


def test_function_that_yields_is_refused() -> None:
    def rows(_: ToolContext[Any], arguments: dict[str, Any]) -> Iterator[str]:
        yield from arguments

    with pytest.raises(ToolDefinitionError, match="'forecast': a function that yields"):
        create(rows)
