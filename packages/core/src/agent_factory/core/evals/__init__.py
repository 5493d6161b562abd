"""Evals: cases that an agent or a workflow is tried on, and what they must reach."""

from agent_factory.core.evals.cases import EvalCase, EvalSuite
from agent_factory.core.evals.expectations import (
    Contains,
    Exact,
    Expectation,
    Fails,
    FitsSchema,
    Judge,
    Matches,
    Numeric,
    Score,
    ToolCalled,
    ToolNotCalled,
    ToolOrder,
    Within,
)
from agent_factory.core.evals.gate import (
    BoundOutcome,
    Gate,
    GateCheck,
    Verdict,
    decide_verdict,
)
from agent_factory.core.evals.junit import write_junit
from agent_factory.core.evals.observations import (
    Attempt,
    Observation,
    ObservedCall,
    ObservedError,
    derive_seed,
)
from agent_factory.core.evals.recording import RunRecorder
from agent_factory.core.evals.report import REPORT_SCHEMA, EvalReport
from agent_factory.core.evals.results import AttemptResult, CaseResult, Finding
from agent_factory.core.evals.running import Progress, SuiteRun, Target, run_suite
from agent_factory.core.evals.scrubbing import Scrub
from agent_factory.core.evals.sections import create_suite, suite_to_section
from agent_factory.core.evals.statistics import (
    Interval,
    compute_mean_interval,
    compute_pass_any,
    compute_pass_power,
    compute_wilson_interval,
)
from agent_factory.core.evals.summary import Summary
from agent_factory.core.evals.targets import create_agent_target, create_workflow_target

__all__ = [
    "REPORT_SCHEMA",
    "Attempt",
    "AttemptResult",
    "BoundOutcome",
    "CaseResult",
    "Contains",
    "EvalCase",
    "EvalReport",
    "EvalSuite",
    "Exact",
    "Expectation",
    "Fails",
    "Finding",
    "FitsSchema",
    "Gate",
    "GateCheck",
    "Interval",
    "Judge",
    "Matches",
    "Numeric",
    "Observation",
    "ObservedCall",
    "ObservedError",
    "Progress",
    "RunRecorder",
    "Score",
    "Scrub",
    "SuiteRun",
    "Summary",
    "Target",
    "ToolCalled",
    "ToolNotCalled",
    "ToolOrder",
    "Verdict",
    "Within",
    "compute_mean_interval",
    "compute_pass_any",
    "compute_pass_power",
    "compute_wilson_interval",
    "create_agent_target",
    "create_suite",
    "create_workflow_target",
    "decide_verdict",
    "derive_seed",
    "run_suite",
    "suite_to_section",
    "write_junit",
]
