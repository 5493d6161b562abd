from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from agent_factory.core import guardrails
from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.guardrails.guardrail import Guardrail, Verdict
from agent_factory.core.testing import ScriptedModel


def make(**values: Any) -> Guardrail:
    given: dict[str, Any] = {
        "name": "mine",
        "stages": frozenset({"output"}),
        "check": lambda text, context: Verdict.allow(),
    }
    return Guardrail(**given | values)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"name": " "}, "name that is not empty"),
        ({"stages": frozenset()}, "'mine': stages must be a frozenset"),
        ({"stages": {"output"}}, "stages must be a frozenset"),
        ({"stages": frozenset({"answer"})}, "input, output, tool_call, tool_result"),
        ({"mode": "later"}, "mode must be one of before, parallel, not 'later'"),
        ({"timeout": 0}, "timeout must be a finite number of seconds above 0"),
        ({"timeout": float("inf")}, "timeout must be a finite number"),
    ],
)
def test_value_that_cannot_work_is_refused(values: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        make(**values)

    assert told in raised.value.message


def test_verdicts_say_what_is_to_happen_and_why() -> None:
    assert Verdict.allow() == Verdict("allow")
    assert Verdict.block("no") == Verdict("block", "no")
    assert Verdict.replace("other", "no") == Verdict("replace", "no", "other")
    assert Verdict.retry("no") == Verdict("retry", "no")


BUILT_IN: dict[str, Callable[..., Guardrail]] = {
    "limit_length": lambda **values: guardrails.limit_length(10, **values),
    "match_pattern": lambda **values: guardrails.match_pattern(
        "a", **{"stages": ("output",)} | values
    ),
    "require_json_schema": lambda **values: guardrails.require_json_schema({}, **values),
    "allow_hosts": lambda **values: guardrails.allow_hosts([], **values),
    "detect_personal_data": guardrails.detect_personal_data,
    "detect_secrets": guardrails.detect_secrets,
    "judge": lambda **values: guardrails.judge(
        ScriptedModel([]), criteria="good", **{"stages": ("output",)} | values
    ),
}


@pytest.mark.parametrize("kind", BUILT_IN)
def test_built_in_guardrail_has_the_name_of_its_function_or_the_one_it_is_given(kind: str) -> None:
    assert BUILT_IN[kind]().name == kind
    assert BUILT_IN[kind](name="mine").name == "mine"


@pytest.mark.parametrize("kind", BUILT_IN)
def test_built_in_guardrail_looks_at_the_stages_it_is_given(kind: str) -> None:
    assert BUILT_IN[kind](stages=["tool_result"]).stages == frozenset({"tool_result"})


@pytest.mark.parametrize("kind", BUILT_IN)
@pytest.mark.parametrize("stages", ["output", (), ("answer",), None])
def test_stages_that_are_none_are_refused(kind: str, stages: Any) -> None:
    with pytest.raises(ConfigurationError, match="stages must be"):
        BUILT_IN[kind](stages=stages)


@pytest.mark.parametrize("kind", BUILT_IN)
def test_unknown_action_is_refused_with_the_known_ones(kind: str) -> None:
    with pytest.raises(ConfigurationError, match=r"action must be one of .*block.*, not 'explode'"):
        BUILT_IN[kind](action="explode")


def test_everything_exported_is_there() -> None:
    assert [name for name in guardrails.__all__ if not hasattr(guardrails, name)] == []
    assert set(BUILT_IN) <= set(guardrails.__all__)
