"""Reports of suites on a terminal."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING

from agent_factory.cli.denials import describe_denial, render_denial
from agent_factory.cli.files import write_output
from agent_factory.cli.invocation import print_json, print_text
from agent_factory.cli.text import clean, count, format_cost, format_seconds, shorten
from agent_factory.core.evals import write_junit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from agent_factory.cli.invocation import Invocation
    from agent_factory.core.evals import CaseResult, EvalReport, Progress
    from agent_factory.core.permissions import Denial

__all__ = ["ProgressLine", "show_report", "write_reports"]

_STYLES = {"pass": "1;32", "fail": "1;31", "flaky": "1;33"}
_MAX_REASONS = 5


class ProgressLine:
    """Tells how far a suite is: one line that changes on a terminal, nothing elsewhere. Refusals get lines of their own.

    Args:
        invocation: How the command was called.
        name: Name of the suite.
    """

    def __init__(self, invocation: Invocation, name: str) -> None:
        self._shows = sys.stderr.isatty() and not invocation.quiet and not invocation.json
        self._name = name
        self._open = False
        self._invocation = invocation
        self._denied: set[tuple[str, str]] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __call__(self, progress: Progress) -> None:
        """Show that an attempt ended.

        Args:
            progress: How far the suite is.
        """
        if self._shows:
            sys.stderr.write(
                f"\r\x1b[K{clean(self._name)}: {progress.done} of {progress.total} attempts"
            )
            sys.stderr.flush()
            self._open = True

    def show_denied(self, denial: Denial) -> None:
        """Show what a case was refused, each thing once.

        Args:
            denial: What was refused.
        """
        if (denial.kind, denial.target) in self._denied:
            return
        self._denied.add((denial.kind, denial.target))
        if self._invocation.json:
            print_json(describe_denial(denial))
        elif not self._invocation.quiet:
            self.close()
            mark = self._invocation.emphasize("!", "33", sys.stderr)
            print_text(f"{mark} {render_denial(denial)}", sys.stderr)

    def close(self) -> None:
        """Take the line away."""
        if self._open:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._open = False


def show_report(report: EvalReport, invocation: Invocation, *, currency: str) -> None:
    """Show a report to a person.

    Args:
        report: The report.
        invocation: How the command was called.
        currency: The unit of what the attempts cost.
    """
    total = report.summary
    verdict = invocation.emphasize(report.verdict, _STYLES[report.verdict], sys.stdout)
    print_text(
        f"{clean(report.suite)}: {verdict}, {total.passed_attempts} of {count(total.attempts, 'attempt')} passed"
    )
    if not report.complete:
        print_text("  not complete: it was stopped before every attempt was made")
    for case in report.cases:
        _show_case(case, invocation)
    if total.pass_rate is not None and total.pass_rate_interval is not None:
        low, high = total.pass_rate_interval.low, total.pass_rate_interval.high
        print_text(f"  pass rate {total.pass_rate:.0%} (95 %: {low:.0%} to {high:.0%})")
    if len(total.pass_power) > 1:
        print_text(f"  pass^{len(total.pass_power)} {total.pass_power[-1]:.0%}")
    for check in report.checks:
        if check.outcome != "met":
            print_text(
                clean(
                    f"  {check.bound}: {check.outcome}: {check.actual} where {check.required} is asked for"
                )
            )
    print_text(
        f"  {format_cost(total.cost, currency)}, {format_seconds(total.duration)} in all attempts together"
    )


def write_reports(
    reports: Sequence[EvalReport], *, junit: Path | None, output: Path | None
) -> None:
    """Write the reports of the suites of a blueprint to files.

    Args:
        reports: The reports.
        junit: The file for JUnit XML; None for none.
        output: The file for JSON; None for none.

    Raises:
        OutputError: A file cannot be written.
    """
    if output is not None:
        records = [report.to_dict() for report in reports]
        write_output(output, json.dumps({"reports": records}, indent=2) + "\n")
    if junit is not None:
        write_output(junit, _join_junit([write_junit(report) for report in reports]))


def _join_junit(texts: list[str]) -> str:
    """Return one document with the suites of several; in each the second line opens the root, and the last closes it."""
    if len(texts) == 1:
        return texts[0]
    lines = [text.rstrip("\n").split("\n") for text in texts]
    roots = [item[1] for item in lines]
    total = " ".join(
        f'{name}="{sum(_read_count(root, name) for root in roots):{form}}"'
        for name, form in (
            ("tests", ".0f"),
            ("failures", ".0f"),
            ("errors", ".0f"),
            ("time", ".3f"),
        )
    )
    suites = [line for item in lines for line in item[2:-1]]
    return "\n".join([lines[0][0], f"<testsuites {total}>", *suites, "</testsuites>", ""])


def _read_count(root: str, name: str) -> float:
    # Quotation marks in the name of a suite are escaped, so that this is the attribute.
    match = re.search(rf' {name}="([\d.]+)"', root)
    return 0.0 if match is None else float(match[1])


def _show_case(case: CaseResult, invocation: Invocation) -> None:
    if case.verdict == "pass":
        if not invocation.quiet:
            mark = invocation.emphasize("pass", "32", sys.stdout)
            print_text(f"  {mark}  {clean(case.name)}")
        return
    verdict = case.verdict or "-"  # not tried before it was stopped
    mark = invocation.emphasize(f"{verdict:5}", _STYLES.get(verdict, "2"), sys.stdout)
    print_text(f"  {mark} {clean(case.name)}")
    reasons: list[str] = []
    for attempt in case.attempts:
        reasons += attempt.reasons
    for reason in list(dict.fromkeys(reasons))[:_MAX_REASONS]:
        print_text(f"        {shorten(reason, 300)}")
