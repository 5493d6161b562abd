from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agent_factory.core.blueprints.evals import create_blueprint_suite, create_blueprint_target
from agent_factory.core.evals import run_suite
from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.testing import create_tool_call
from tests.core.blueprints.making import PERMITTED, create_adapters, create_assembly

AGENT = "agent: {instructions: A, tools: [{use: echo, approval: true}]}\n"
FLOW = "agents: {a: {instructions: A}}\nworkflows:\n  main: {steps: [{name: ok, ask: 'Good?'}]}\n"
CASE = "evals: {s: {%s, cases: [{name: n, input: hi, expect: [{%s}]}]}}\n"


def run(text: str, answers: list[Any]) -> str:
    """Return the verdict of the suite of a blueprint."""
    made = create_assembly(PERMITTED + text, create_adapters({"default": answers}))
    suite = create_blueprint_suite(made, "s")
    report = asyncio.run(run_suite(suite, create_blueprint_target(made, "s")))
    return str(report.verdict)


@pytest.mark.parametrize(("approve", "outcome"), [("true", "ok"), ("false", "denied")])
def test_suite_decides_about_approvals(approve: str, outcome: str) -> None:
    expected = f"tool_called: {{name: echo, outcome: {outcome}}}"
    answers = [create_tool_call("echo", {}), "done"]

    assert run(AGENT + CASE % (f"approve: {approve}", expected), answers) == "pass"


@pytest.mark.parametrize(("kind", "verdict"), [("string", "pass"), ("integer", "fail")])
def test_result_of_a_workflow_has_to_fit_the_outputs(kind: str, verdict: str) -> None:
    text = f"outputs: {{type: {kind}}}\n" + FLOW + CASE % ("answers: {ok: yes}", "exact: 'yes'")

    assert run(text, []) == verdict


def test_unknown_suite_is_refused_with_those_that_there_are() -> None:
    made = create_assembly(PERMITTED + AGENT + CASE % ("seed: 1", "contains: x"))

    with pytest.raises(ConfigurationError, match="no suite 't': there are: s"):
        create_blueprint_suite(made, "t")
