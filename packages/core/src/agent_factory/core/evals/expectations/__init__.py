"""What must hold of an attempt: of its answer, its tool calls, its cost, and its end."""

from agent_factory.core.evals.expectations.data import FitsSchema, Numeric
from agent_factory.core.evals.expectations.judge import Judge
from agent_factory.core.evals.expectations.port import Expectation, Score
from agent_factory.core.evals.expectations.texts import Contains, Exact, Matches
from agent_factory.core.evals.expectations.tools import ToolCalled, ToolNotCalled, ToolOrder
from agent_factory.core.evals.expectations.usage import Fails, Within

__all__ = [
    "Contains",
    "Exact",
    "Expectation",
    "Fails",
    "FitsSchema",
    "Judge",
    "Matches",
    "Numeric",
    "Score",
    "ToolCalled",
    "ToolNotCalled",
    "ToolOrder",
    "Within",
]
