"""Suites as they stand in a blueprint, made into objects, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_factory.core.evals.cases import EvalCase, EvalSuite
from agent_factory.core.evals.expectations.data import FitsSchema, Numeric
from agent_factory.core.evals.expectations.judge import Judge
from agent_factory.core.evals.expectations.texts import Contains, Exact, Matches
from agent_factory.core.evals.expectations.tools import ToolCalled, ToolNotCalled, ToolOrder
from agent_factory.core.evals.expectations.usage import Fails, Within
from agent_factory.core.evals.gate import Gate
from agent_factory.core.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agent_factory.core.blueprints.schema.eval_expectations import (
        ExpectationSection,
        JudgeSection,
    )
    from agent_factory.core.blueprints.schema.evals import CaseSection, GateSection, SuiteSection
    from agent_factory.core.evals.expectations.port import Expectation
    from agent_factory.core.models import Model
    from agent_factory.core.prices import PriceTable

__all__ = ["create_suite", "suite_to_section"]

_MILLION = 1_000_000


def create_suite(
    name: str,
    section: SuiteSection,
    *,
    create_judge: Callable[[str], Model],
    prices: PriceTable | None = None,
) -> EvalSuite:
    """Return the suite that a section of a blueprint describes.

    What it says of the target, of people and of a cassette is up to whoever makes the target.

    Args:
        name: Name of the suite.
        section: What the blueprint says of it.
        create_judge: Makes the model of a judge by its name. It is called once for each name.
        prices: What judges cost; the table that comes with this version if None.

    Raises:
        ConfigurationError: There is no such judge.
    """
    judges: dict[str, Model] = {}

    def judge(given: JudgeSection) -> Judge:
        if given.model not in judges:
            judges[given.model] = create_judge(given.model)
        return Judge(judges[given.model], given.criteria, given.min_score, prices=prices)

    return EvalSuite(
        name=name,
        cases=tuple(_create_case(case, judge) for case in section.cases),
        repetitions=section.repetitions,
        seed=section.seed,
        gate=_create_gate(section.gate),
        concurrency=section.concurrency,
        timeout=section.timeout,
    )


def suite_to_section(suite: EvalSuite, *, target: str | None = None) -> SuiteSection:
    """Return a suite as a section of a blueprint.

    Args:
        suite: The suite.
        target: Name of the agent or workflow that is tested; the entry of the blueprint if None.

    Raises:
        ConfigurationError: An expectation has no form in a blueprint, such as one of your own, or a value is beyond what a
            blueprint allows.
    """
    from pydantic import ValidationError

    from agent_factory.core.blueprints.schema.evals import SuiteSection
    from agent_factory.core.problems import explain

    gate = {
        "min_pass_rate": suite.gate.min_pass_rate,
        "min_mean_score": suite.gate.min_mean_score,
        "min_pass_power": suite.gate.min_pass_power,
        "max_cost": None if suite.gate.max_cost is None else _write_money(suite.gate.max_cost),
        "max_flaky": suite.gate.max_flaky,
    }
    data: dict[str, Any] = {
        "repetitions": suite.repetitions,
        "seed": suite.seed,
        "concurrency": suite.concurrency,
        "timeout": suite.timeout,
        "gate": {key: value for key, value in gate.items() if value is not None},
        "cases": [
            {
                "name": case.name,
                "input": case.input,
                "expect": [
                    form for item in case.expectations for form in _write_expectation(item, case)
                ],
                "tags": list(case.tags),
            }
            for case in suite.cases
        ],
    }
    if target is not None:
        data["target"] = target
    try:
        return SuiteSection.model_validate(data)
    except ValidationError as error:
        raise ConfigurationError(
            f"suite {suite.name!r} cannot stand in a blueprint: {explain(error, 'suite')}"
        ) from None


def _create_case(section: CaseSection, judge: Callable[[JudgeSection], Judge]) -> EvalCase:
    expectations = tuple(_create_expectation(item, judge) for item in section.expect)
    return EvalCase(section.name, section.input, expectations, section.tags)


def _create_gate(section: GateSection) -> Gate:
    return Gate(
        section.min_pass_rate,
        section.min_mean_score,
        section.min_pass_power,
        None if section.max_cost is None else _parse_money(section.max_cost),
        section.max_flaky,
    )


def _create_expectation(
    section: ExpectationSection, judge: Callable[[JudgeSection], Judge]
) -> Expectation:
    kind = section.kind
    given: Any = getattr(section, kind)
    if kind == "contains":
        return Contains(*given.all_of, none_of=given.none_of, ignore_case=given.ignore_case)
    if kind == "number":
        return Numeric(given.value, given.absolute, given.relative, given.at)
    if kind == "tool_called":
        return ToolCalled(
            given.name, given.min_times, given.max_times, given.arguments or None, given.outcome
        )
    if kind == "tool_order":
        return ToolOrder(*given)
    if kind == "judge":
        return judge(given)
    if kind == "max_cost":
        return Within(max_cost=_parse_money(given))
    if kind in ("max_requests", "max_tool_calls"):
        return Within(**{kind: given})
    simple: dict[str, Callable[[Any], Expectation]] = {
        "exact": Exact,
        "matches": Matches,
        "json_schema": FitsSchema,
        "tool_not_called": ToolNotCalled,
        "fails": Fails,
    }
    return simple[kind](given)


def _write_expectation(item: Expectation, case: EvalCase) -> Iterator[dict[str, Any]]:
    if isinstance(item, Exact):
        yield {"exact": item.value}
    elif isinstance(item, Contains):
        yield {
            "contains": {
                "all_of": list(item.texts),
                "none_of": list(item.none_of),
                "ignore_case": item.ignore_case,
            }
        }
    elif isinstance(item, Matches):
        yield {"matches": item.pattern}
    elif isinstance(item, FitsSchema):
        yield {"json_schema": item.schema}
    elif isinstance(item, Numeric):
        tolerances = {"absolute": item.absolute, "relative": item.relative}
        at = {} if item.at is None else {"at": item.at}
        yield {"number": {"value": item.value, **tolerances, **at}}
    elif isinstance(item, ToolCalled):
        called: dict[str, Any] = {"name": item.name, "min_times": item.min_times}
        for key in ("max_times", "arguments", "outcome"):
            if getattr(item, key) is not None:
                called[key] = getattr(item, key)
        yield {"tool_called": called}
    elif isinstance(item, ToolNotCalled):
        yield {"tool_not_called": item.name}
    elif isinstance(item, ToolOrder):
        yield {"tool_order": list(item.names)}
    elif isinstance(item, Judge):
        score = {} if item.min_score is None else {"min_score": item.min_score}
        yield {"judge": {"criteria": item.criteria, "model": item.model.name, **score}}
    elif isinstance(item, Fails):
        yield {"fails": item.code}
    elif isinstance(item, Within):
        if item.max_cost is not None:
            yield {"max_cost": _write_money(item.max_cost)}
        for key in ("max_requests", "max_tool_calls"):
            if getattr(item, key) is not None:
                yield {key: getattr(item, key)}
    else:
        raise ConfigurationError(
            f"case {case.name!r}: an expectation of type {type(item).__name__} has no form in a blueprint"
        )


def _parse_money(text: str) -> int:
    from agent_factory.core.blueprints.schema.base import parse_money

    return parse_money(text)


def _write_money(amount: int) -> str:
    return f"{amount // _MILLION}.{amount % _MILLION:06d} USD"
