from __future__ import annotations

import copy
import json
import pickle
from typing import TYPE_CHECKING, cast

import pytest

from agent_factory import core
from agent_factory.core import (
    AgentFactoryError,
    BlueprintError,
    BudgetExceededError,
    ConfigurationError,
    GuardrailError,
    LimitExceededError,
    Location,
    ModelError,
    ModelRateLimitError,
    Problem,
    ToolError,
    ToolExecutionError,
    WorkflowError,
    blueprints,
    exceptions,
    records,
    testing,
)

if TYPE_CHECKING:
    from collections.abc import Callable

CODES = {
    "ApprovalError": ("approval", False),
    "ModelContentFilterError": ("model_content_filter", False),
    "ModelContextLengthError": ("model_context_length", False),
    "RefusalError": ("refusal", False),
    "PermissionDeniedError": ("permission_denied", False),
    "ToolDeniedError": ("tool_denied", False),
    "ToolOutcomeUnknownError": ("tool_outcome_unknown", False),
    "AgentFactoryError": ("agent_factory_error", False),
    "BlueprintError": ("blueprint", False),
    "ConfigurationError": ("configuration", False),
    "CoreError": ("core_error", False),
    "HistoryError": ("history", False),
    "LimitExceededError": ("limit_exceeded", False),
    "ModelAuthenticationError": ("model_authentication", False),
    "ModelConnectionError": ("model_connection", True),
    "ModelError": ("model", False),
    "ModelRateLimitError": ("model_rate_limit", True),
    "ModelRequestError": ("model_request", False),
    "ModelResponseError": ("model_response", False),
    "ModelServerError": ("model_server", True),
    "OutputError": ("output", False),
    "RunTimeoutError": ("run_timeout", True),
    "ToolArgumentsError": ("tool_arguments", False),
    "ToolDefinitionError": ("tool_definition", False),
    "ToolError": ("tool", False),
    "ToolExecutionError": ("tool_execution", False),
    "ToolNotFoundError": ("tool_not_found", False),
    "ToolTimeoutError": ("tool_timeout", False),
    "WorkflowError": ("workflow", False),
    "BudgetExceededError": ("budget_exceeded", False),
    "GuardrailError": ("guardrail", False),
    "MemoryConflictError": ("memory_conflict", True),
    "RunCancelledError": ("run_cancelled", False),
    "RecordError": ("record", False),
    "RecordedError": ("recorded", False),
    "CassetteError": ("cassette", False),
    "CassetteMissError": ("cassette_miss", False),
    "CassetteUnusedError": ("cassette_unused", False),
    "CassetteFormatError": ("cassette_format", False),
    "DeadlockError": ("deadlock", False),
    "ExportError": ("export", False),
}

# Their own packages export them.
ELSEWHERE = {
    "RecordError",
    "RecordedError",
    "CassetteError",
    "CassetteMissError",
    "CassetteUnusedError",
    "CassetteFormatError",
    "DeadlockError",
    "ExportError",
}

PROBLEM = Problem(Location("a.yaml", 2, 3), "wrong", "  oops")

EXAMPLES = [
    AgentFactoryError("m", details={"n": 1}),
    BlueprintError("a.yaml has 1 problem", problems=[PROBLEM]),
    ConfigurationError("m"),
    ModelRateLimitError("m", model="x", status=429, retry_after=1.5, details={"n": [1]}),
    ToolError("m", tool="t"),
    ToolExecutionError("m", tool="t"),
    LimitExceededError("m", limit="max_requests", allowed=3),
    BudgetExceededError("m", budget="b", limit="cost", allowed=3, wanted=None, left=1),
    GuardrailError("m", guardrail="g", stage="tool_call", tool="t"),
    WorkflowError("m", workflow="w", step="s"),
]


def classes() -> dict[str, type[AgentFactoryError]]:
    """Return every error class of the distribution by name."""
    found: dict[str, type[AgentFactoryError]] = {}
    todo: list[type[AgentFactoryError]] = [AgentFactoryError]
    while todo:
        cls = todo.pop()
        if cls.__module__.startswith("agent_factory.core"):
            found[cls.__name__] = cls
        todo += cls.__subclasses__()
    return found


def test_codes_and_retryable_flags_are_what_programs_rely_on() -> None:
    assert {name: (cls.code, cls.retryable) for name, cls in classes().items()} == CODES


def test_codes_are_unique() -> None:
    codes = [cls.code for cls in classes().values()]

    assert len(set(codes)) == len(codes)


def test_every_class_is_exported() -> None:
    assert set(classes()) - ELSEWHERE == set(exceptions.__all__)
    assert set(exceptions.__all__) <= set(core.__all__)
    assert set(records.__all__) | set(testing.__all__) | set(blueprints.__all__) >= ELSEWHERE


def test_tree_in_the_docstring_is_the_tree_of_classes() -> None:
    drawn: list[tuple[str, str]] = []
    above: list[tuple[int, str]] = []
    assert exceptions.__doc__ is not None
    for line in exceptions.__doc__.split("```")[1].strip().splitlines():
        depth = len(line) - len(line.lstrip(" │└├─"))
        name = line.lstrip(" │└├─").split()[0]
        above = [(level, parent) for level, parent in above if level < depth]
        drawn.append((name, above[-1][1] if above else "Exception"))
        above.append((depth, name))

    assert sorted(drawn) == sorted(
        (name, cls.__bases__[0].__name__) for name, cls in classes().items()
    )


def test_retryable_classes_are_marked_in_the_docstring() -> None:
    assert exceptions.__doc__ is not None
    marked = {
        line.lstrip(" │└├─").split()[0]
        for line in exceptions.__doc__.splitlines()
        if line.endswith("(retryable)")
    }

    assert marked == {name for name, cls in classes().items() if cls.retryable}


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: str(type(error).__name__))
def test_error_becomes_plain_json(error: AgentFactoryError) -> None:
    told = error.to_dict()

    assert json.loads(json.dumps(told)) == told
    assert told == {
        "code": error.code,
        "message": error.message,
        "retryable": error.retryable,
        "details": error.details,
    }


def send_to_another_process(error: AgentFactoryError) -> AgentFactoryError:
    """Return an error as `concurrent.futures` hands it from a worker process to its caller."""
    return cast("AgentFactoryError", pickle.loads(pickle.dumps(error)))  # noqa: S301 - ours


@pytest.mark.parametrize(
    "duplicate",
    [copy.copy, copy.deepcopy, send_to_another_process],
    ids=["copy", "deepcopy", "pickle"],
)
@pytest.mark.parametrize(
    "error",
    [
        *EXAMPLES,
        records.RecordedError("m", code="tool", retryable=True, details={"n": 1}),
        testing.CassetteMissError("m", cassette="a.json", number=2, difference="-x"),
    ],
    ids=lambda error: str(type(error).__name__),
)
def test_error_can_be_copied_and_sent_to_another_process(
    error: AgentFactoryError, duplicate: Callable[[AgentFactoryError], AgentFactoryError]
) -> None:
    other = duplicate(error)

    assert type(other) is type(error)
    assert (str(other), other.args, vars(other)) == (str(error), error.args, vars(error))
    assert other.to_dict() == error.to_dict()


def test_fields_of_a_model_error_that_are_not_known_are_left_out() -> None:
    assert ModelError("m", model="x").details == {"model": "x"}
    assert EXAMPLES[3].details == {"model": "x", "status": 429, "retry_after": 1.5, "n": [1]}


def test_details_are_copied() -> None:
    given: dict[str, object] = {"n": 1}
    error = AgentFactoryError("m", details=given)

    given["n"] = 2

    assert error.details == {"n": 1}


def test_blueprint_error_shows_every_problem_with_its_place() -> None:
    error = EXAMPLES[1]

    assert str(error) == "a.yaml has 1 problem\na.yaml:2:3: wrong\n      oops\n      ^"
    assert error.details == {
        "problems": [{"file": "a.yaml", "line": 2, "column": 3, "message": "wrong"}]
    }
