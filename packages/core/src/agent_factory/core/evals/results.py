"""What came of attempts and cases."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from agent_factory.core.usage import Usage

if TYPE_CHECKING:
    from agent_factory.core.evals.gate import Verdict
    from agent_factory.core.evals.observations import Observation

__all__ = ["AttemptResult", "CaseResult", "Finding", "usage_to_dict"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one expectation said of one attempt.

    Attributes:
        expectation: Label of the expectation.
        score: How far it is met, from 0 to 1.
        passed: Whether it is met.
        reason: Why.
        usage: What the check itself used.
        error: Whether the check could not be made.
    """

    expectation: str
    score: float
    passed: bool
    reason: str
    usage: Usage = field(default_factory=Usage)
    error: bool = False


@dataclass(frozen=True, slots=True)
class AttemptResult:
    """What came of one attempt.

    Attributes:
        case: Name of the case.
        repetition: Which try of the case it was, from 1.
        seed: The seed that the target got.
        observation: What was seen.
        findings: What each expectation said, in their order; none where the run failed and no failure was expected.
    """

    case: str
    repetition: int
    seed: int
    observation: Observation
    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        """Whether every expectation is met."""
        return bool(self.findings) and all(finding.passed for finding in self.findings)

    @property
    def score(self) -> float:
        """Mean of the scores of all expectations, from 0 to 1; 0 for a run that failed against expectation."""
        if not self.findings:
            return 0.0
        return min(1.0, sum(finding.score for finding in self.findings) / len(self.findings))

    @property
    def duration(self) -> float:
        """Seconds that it took."""
        return self.observation.duration or 0.0

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it did not pass: a sentence for each expectation that is not met, or the error of the run."""
        error = self.observation.error
        if not self.findings and error is not None:
            return (f"the run failed ({error.code}): {error.message}",)
        return tuple(
            f"{item.expectation}: {item.reason}" for item in self.findings if not item.passed
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the attempt as data that JSON can hold."""
        seen = self.observation
        error = seen.error
        return {
            "repetition": self.repetition,
            "seed": self.seed,
            "passed": self.passed,
            "score": self.score,
            "duration": self.duration,
            "output": seen.output,
            "error": (
                None
                if error is None
                else {
                    "code": error.code,
                    "message": error.message,
                    "causes": list(error.causes),
                }
            ),
            "tool_calls": (
                None
                if seen.tool_calls is None
                else [
                    {"name": call.name, "arguments": call.arguments, "outcome": call.outcome}
                    for call in seen.tool_calls
                ]
            ),
            "usage": usage_to_dict(seen.usage),
            "findings": [
                {
                    "expectation": finding.expectation,
                    "passed": finding.passed,
                    "score": finding.score,
                    "reason": finding.reason,
                    "error": finding.error,
                    "usage": usage_to_dict(finding.usage),
                }
                for finding in self.findings
            ],
        }


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What came of one case.

    Attributes:
        name: Its name.
        input: What the target got.
        tags: Its tags.
        attempts: The attempts that were made, by repetition.
    """

    name: str
    input: Any
    tags: tuple[str, ...]
    attempts: tuple[AttemptResult, ...]

    @property
    def passed_attempts(self) -> int:
        """How many attempts passed."""
        return sum(item.passed for item in self.attempts)

    @property
    def verdict(self) -> Verdict | None:
        """``pass`` where every attempt passed, ``fail`` where none did, else ``flaky``; None where none was made."""
        if not self.attempts:
            return None
        passed = self.passed_attempts
        if passed == len(self.attempts):
            return "pass"
        return "flaky" if passed else "fail"

    def to_dict(self) -> dict[str, Any]:
        """Return the case as data that JSON can hold."""
        return {
            "name": self.name,
            "input": self.input,
            "tags": list(self.tags),
            "verdict": self.verdict,
            "passed_attempts": self.passed_attempts,
            "attempts": [item.to_dict() for item in self.attempts],
        }


def usage_to_dict(usage: Usage | None) -> dict[str, int | None] | None:
    """Return usage as data that JSON can hold.

    Args:
        usage: What was used; None where that is not known.
    """
    if usage is None:
        return None
    return {
        "requests": usage.requests,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cached_input_tokens": usage.cached_input_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
        "tool_calls": usage.tool_calls,
        "cost": usage.cost,
    }
