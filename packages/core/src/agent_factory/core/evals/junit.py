"""A report as JUnit XML, which most CI systems can show."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as Xml

if TYPE_CHECKING:
    from agent_factory.core.evals.report import EvalReport
    from agent_factory.core.evals.results import AttemptResult

__all__ = ["write_junit"]

# Everything that XML 1.0 does not allow, and halves of characters, which no encoding has.
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_REPLACEMENT = "\ufffd"


def write_junit(report: EvalReport) -> str:
    """Return a report as JUnit XML.

    Each attempt is a ``testcase``. One that did not pass has a ``failure``; or an ``error``, where the run failed against
    expectation or an expectation could not be checked. The verdict of the suite and its numbers are properties: whether a
    failed attempt matters is up to the gate.

    Args:
        report: The report.

    Returns:
        The document. Characters that XML cannot hold are replaced by U+FFFD.
    """
    attempts = [(case, item) for case in report.cases for item in case.attempts]
    failed = [item for _, item in attempts if not item.passed]
    counts = {
        "tests": str(len(attempts)),
        "failures": str(sum(not _is_error(item) for item in failed)),
        "errors": str(sum(map(_is_error, failed))),
        "time": _write_seconds(report.summary.duration),
    }
    root = Xml.Element("testsuites", {"name": _clean(report.suite), **counts})
    suite = Xml.SubElement(
        root, "testsuite", {"name": _clean(report.suite), **counts, "skipped": "0"}
    )
    properties = Xml.SubElement(suite, "properties")
    for name, value in _list_properties(report):
        Xml.SubElement(properties, "property", {"name": name, "value": value})
    for case, item in attempts:
        name = case.name
        if report.repetitions > 1:
            name += f" ({item.repetition} of {report.repetitions})"
        element = Xml.SubElement(
            suite,
            "testcase",
            {
                "name": _clean(name),
                "classname": _clean(report.suite),
                "time": _write_seconds(item.duration),
            },
        )
        _add_outcome(element, item)
    Xml.indent(root)
    body = Xml.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _add_outcome(element: Xml.Element, item: AttemptResult) -> None:
    if not item.passed:
        kind = "error" if _is_error(item) else "failure"
        error = item.observation.error
        reasons = item.reasons
        attributes = {
            "message": _clean(reasons[0] if reasons else "there was no answer"),
            "type": _clean("expectation" if error is None else error.code),
        }
        Xml.SubElement(element, kind, attributes).text = _clean("\n".join(reasons))
    text = item.observation.text
    if text:
        Xml.SubElement(element, "system-out").text = _clean(text)


def _is_error(item: AttemptResult) -> bool:
    """Return whether an attempt broke, rather than answered wrongly."""
    return not item.findings or any(finding.error for finding in item.findings)


def _list_properties(report: EvalReport) -> list[tuple[str, str]]:
    total = report.summary
    values = {
        "verdict": report.verdict,
        "complete": report.complete,
        "seed": report.seed,
        "repetitions": report.repetitions,
        "pass_rate": total.pass_rate,
        "mean_score": total.mean_score,
        "cost": total.cost,
    }
    known = [(name, value) for name, value in values.items() if value is not None]
    gate = [(f"gate.{check.bound}", check.outcome) for check in report.checks]
    return [
        (name, value if isinstance(value, str) else json.dumps(value)) for name, value in known
    ] + gate


def _write_seconds(seconds: float) -> str:
    return f"{seconds:.3f}"


def _clean(text: str) -> str:
    return _ILLEGAL.sub(_REPLACEMENT, text)
