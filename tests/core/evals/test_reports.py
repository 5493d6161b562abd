from __future__ import annotations

import asyncio
import json
from typing import Any
from xml.etree import ElementTree as Xml

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.core import Usage
from agent_factory.core.evals import (
    REPORT_SCHEMA,
    Attempt,
    EvalCase,
    EvalReport,
    EvalSuite,
    Exact,
    Observation,
    ObservedCall,
    Score,
    run_suite,
    write_junit,
)

RELAXED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


class Broken:
    label = "broken"

    def check(self, observation: Observation, case: EvalCase) -> Score:
        return Score(0.0, False, "nobody could look", error=True)


def create_report(*, text: str = "yes") -> EvalReport:
    """Return a report with a case that passes, a flaky one, one that breaks and one that cannot be checked."""

    async def target(case: EvalCase, attempt: Attempt) -> Observation:
        if case.name == "breaks":
            raise ValueError(f"no {text}")
        wrong = case.name == "flaky" and attempt.repetition == 2
        usage = Usage(1, 10, 5, 1, cost=100)
        calls = (ObservedCall("search", {"query": text}),)
        return Observation("no" if wrong else text, calls, usage, duration=0.5)

    exact = (Exact(text),)
    cases = (
        EvalCase("passes", text, exact, ("smoke",)),
        EvalCase("flaky", {"text": text}, exact),
        EvalCase("breaks", 3, exact),
        EvalCase("unseen", None, (*exact, Broken())),
    )
    suite = EvalSuite("suite", cases, repetitions=2, seed=5)
    return asyncio.run(run_suite(suite, target))


def test_report_as_data_has_everything_in_a_stable_form() -> None:
    report = create_report()
    data = json.loads(report.to_json())

    assert data == report.to_dict()
    assert list(data) == [
        "schema",
        "suite",
        "verdict",
        "complete",
        "repetitions",
        "seed",
        "summary",
        "gate",
        "cases",
    ]
    assert (data["schema"], data["verdict"]) == (REPORT_SCHEMA, "fail")
    assert [case["verdict"] for case in data["cases"]] == ["pass", "flaky", "fail", "fail"]
    assert data["gate"] == [
        {
            "bound": "min_pass_rate",
            "outcome": "missed",
            "required": 1.0,
            "actual": 0.375,
            "interval": data["summary"]["pass_rate_interval"],
        }
    ]
    attempt = data["cases"][0]["attempts"][0]
    assert attempt == {
        "repetition": 1,
        "seed": report.cases[0].attempts[0].seed,
        "passed": True,
        "score": 1.0,
        "duration": 0.5,
        "output": "yes",
        "error": None,
        "tool_calls": [{"name": "search", "arguments": {"query": "yes"}, "outcome": "ok"}],
        "usage": {
            "requests": 1,
            "input_tokens": 10,
            "output_tokens": 5,
            "cached_input_tokens": 0,
            "reasoning_tokens": 0,
            "tool_calls": 1,
            "cost": 100,
        },
        "findings": [
            {
                "expectation": "exact",
                "passed": True,
                "score": 1.0,
                "reason": "the answer is the expected one",
                "error": False,
                "usage": attempt["findings"][0]["usage"],
            }
        ],
    }


def test_summary_adds_up_the_attempts() -> None:
    report = create_report()
    summary = report.summary

    assert (summary.cases, summary.passed_cases, summary.flaky_cases, summary.failed_cases) == (
        4,
        1,
        1,
        2,
    )
    assert (summary.attempts, summary.passed_attempts, summary.pass_rate) == (8, 3, 0.375)
    assert summary.mean_score == (1 + 1 + 1 + 0 + 0 + 0 + 0.5 + 0.5) / 8
    assert summary.pass_power == (0.375, 0.25)
    assert summary.pass_any == (0.375, 0.5)
    assert summary.usage is None  # that of the attempts that broke is not known
    assert summary.cost is None


def test_cost_has_that_of_the_checks_in_it() -> None:
    class Dear:
        label = "dear"

        def check(self, observation: Observation, case: EvalCase) -> Score:
            return Score(1.0, True, "fine", Usage(requests=1, cost=7))

    async def target(case: EvalCase, attempt: Attempt) -> Observation:
        return Observation("yes", usage=Usage(1, 10, 5, cost=100))

    suite = EvalSuite("suite", (EvalCase("a", 1, (Dear(),)),), repetitions=3)
    summary = asyncio.run(run_suite(suite, target)).summary

    assert summary.cost == 321
    assert summary.usage is not None
    assert (summary.usage.tokens, summary.check_usage.requests) == (45, 3)


def test_junit_has_a_testcase_for_each_attempt() -> None:
    root = Xml.fromstring(write_junit(create_report()).encode())  # noqa: S314 - our own document

    (suite,) = root
    assert (root.tag, suite.tag) == ("testsuites", "testsuite")
    for element in (root, suite):
        assert [element.get(key) for key in ("tests", "failures", "errors")] == ["8", "1", "4"]
    cases = suite.findall("testcase")
    assert [case.get("name") for case in cases[:3]] == [
        "passes (1 of 2)",
        "passes (2 of 2)",
        "flaky (1 of 2)",
    ]
    assert {case.get("classname") for case in cases} == {"suite"}
    assert cases[0].get("time") == "0.500"
    outcomes = [[item.tag for item in case if item.tag != "system-out"] for case in cases]
    assert outcomes == [[], [], [], ["failure"], ["error"], ["error"], ["error"], ["error"]]
    failure = cases[3].find("failure")
    assert failure is not None
    assert failure.get("message") == "exact: expected 'yes', not 'no'"
    error = cases[4].find("error")
    assert error is not None
    assert error.get("type") == "unexpected"
    properties = {item.get("name"): item.get("value") for item in suite.iter("property")}
    assert (properties["verdict"], properties["gate.min_pass_rate"]) == ("fail", "missed")
    assert properties["seed"] == "5"


def test_single_repetition_has_the_name_of_its_case() -> None:
    async def target(case: EvalCase, attempt: Attempt) -> Observation:
        return Observation("yes")

    suite = EvalSuite("suite", (EvalCase("a", 1, (Exact("yes"),)),))
    document = write_junit(asyncio.run(run_suite(suite, target)))

    assert '<testcase name="a" ' in document


def test_junit_replaces_what_xml_cannot_hold_and_escapes_the_rest() -> None:
    document = write_junit(create_report(text="a\x00\x1b\ud800\ufffe<b>&\"'\tend ]]>"))

    root = Xml.fromstring(document.encode())  # noqa: S314 - our own document
    output, *_ = root.iter("system-out")
    assert output.text == "a\ufffd\ufffd\ufffd\ufffd<b>&\"'\tend ]]>"


@given(st.text(st.characters(codec=None), max_size=20))
@RELAXED
def test_any_text_gives_valid_documents(text: str) -> None:
    report = create_report(text=text)

    Xml.fromstring(write_junit(report).encode())  # noqa: S314 - our own document
    assert json.loads(report.to_json())["cases"][0]["input"] == text


@given(
    st.recursive(
        st.none() | st.floats() | st.binary(max_size=3) | st.text(max_size=3),
        lambda inner: st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3),
        max_leaves=6,
    )
)
@RELAXED
def test_any_output_gives_json_without_nan(value: Any) -> None:
    async def target(case: EvalCase, attempt: Attempt) -> Observation:
        return Observation(value, (ObservedCall("a", value),))

    suite = EvalSuite("suite", (EvalCase("a", 1, (Exact("yes"),)),))
    report = asyncio.run(run_suite(suite, target))

    def refuse(name: str) -> None:
        raise AssertionError(name)

    json.loads(report.to_json(), parse_constant=refuse)
