"""An agent tried on cases, several times each, with a verdict against a gate, and a report for continuous integration."""

from __future__ import annotations

import asyncio

from agent_factory.core import Agent, tool
from agent_factory.core.evals import (
    Attempt,
    Contains,
    EvalCase,
    EvalSuite,
    Gate,
    ToolCalled,
    create_agent_target,
    run_suite,
    write_junit,
)
from agent_factory.core.testing import ScriptedModel, create_tool_call

__all__ = ["create_clerk", "get_stock", "main"]


@tool(effect="read")
def get_stock(article: str) -> int:
    """Look up how many pieces of an article are there.

    Args:
        article: Number of the article.
    """
    return {"A-17": 12}.get(article, 0)


def create_clerk(attempt: Attempt) -> Agent[None, str]:
    """Return the agent of an attempt; its model guesses at the third try, as models do.

    Args:
        attempt: The case and the number of the repetition.
    """
    look_up = create_tool_call("get_stock", {"article": "A-17"})
    guesses = attempt.repetition == 3
    model = ScriptedModel(["About 12."] if guesses else [look_up, "There are 12 pieces."])
    return Agent(name="clerk", model=model, tools=[get_stock])


def main() -> None:
    """Try the agent ten times, against a gate that it reaches and one that it does not."""
    case = EvalCase(
        name="stock",
        input="How many A-17 are there?",
        expectations=(Contains("12"), ToolCalled("get_stock", arguments={"article": "A-17"})),
    )
    target = create_agent_target(create_clerk)
    for gate in (Gate(min_pass_rate=0.9), Gate(min_pass_rate=1)):
        suite = EvalSuite(name="clerk", cases=(case,), repetitions=10, gate=gate)
        report = asyncio.run(run_suite(suite, target))
        passed, attempts = report.summary.passed_attempts, report.summary.attempts
        failures = write_junit(report).count("<failure")
        print(f"{report.verdict}: {passed} of {attempts} attempts passed, {failures} failed")
        for attempt in report.cases[0].attempts:
            for finding in attempt.findings:
                if not finding.passed:
                    print(f"  try {attempt.repetition}: {finding.expectation}: {finding.reason}")


if __name__ == "__main__":
    main()
