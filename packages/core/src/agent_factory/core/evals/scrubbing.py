"""Taking secrets out of every text of a report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from agent_factory.core.evals.observations import Observation
    from agent_factory.core.evals.report import EvalReport
    from agent_factory.core.evals.results import AttemptResult, CaseResult

__all__ = ["Scrub", "scrub_attempt", "scrub_report"]

Scrub: TypeAlias = Callable[[str], str]
"""Returns a text without the secrets in it, such as `Grant.scrub`."""


def scrub_report(report: EvalReport, scrub: Scrub) -> EvalReport:
    """Return a report whose texts are scrubbed.

    Args:
        report: The report.
        scrub: Takes the secrets out of a text.
    """
    return replace(
        report,
        suite=scrub(report.suite),
        cases=tuple(_scrub_case(case, scrub) for case in report.cases),
    )


def scrub_attempt(attempt: AttemptResult, scrub: Scrub) -> AttemptResult:
    """Return an attempt whose texts are scrubbed.

    Args:
        attempt: The attempt.
        scrub: Takes the secrets out of a text.
    """
    return replace(
        attempt,
        case=scrub(attempt.case),
        observation=_scrub_observation(attempt.observation, scrub),
        findings=tuple(
            replace(finding, expectation=scrub(finding.expectation), reason=scrub(finding.reason))
            for finding in attempt.findings
        ),
    )


def _scrub_case(case: CaseResult, scrub: Scrub) -> CaseResult:
    return replace(
        case,
        name=scrub(case.name),
        input=_scrub_data(case.input, scrub),
        tags=tuple(map(scrub, case.tags)),
        attempts=tuple(scrub_attempt(item, scrub) for item in case.attempts),
    )


def _scrub_observation(seen: Observation, scrub: Scrub) -> Observation:
    calls = seen.tool_calls
    error = seen.error
    return replace(
        seen,
        output=_scrub_data(seen.output, scrub),
        tool_calls=(
            None
            if calls is None
            else tuple(
                replace(call, name=scrub(call.name), arguments=_scrub_data(call.arguments, scrub))
                for call in calls
            )
        ),
        error=None if error is None else replace(error, message=scrub(error.message)),
    )


def _scrub_data(value: Any, scrub: Scrub) -> Any:
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, dict):
        return {scrub(key): _scrub_data(item, scrub) for key, item in value.items()}
    if isinstance(value, list):
        return [_scrub_data(item, scrub) for item in value]
    return value
