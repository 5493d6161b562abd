from __future__ import annotations

import importlib
import os
import pkgutil
import subprocess
import sys
import textwrap

import pytest

from agent_factory import core
from agent_factory.core import blueprints, testing

PUBLIC = """
    PRICES Agent AgentFactoryError Approval ApprovalDecided ApprovalError ApprovalRequest
    ApprovalRequested Approver Ask AskPerson AssistantMessage BlueprintError Budget BudgetExceededError Clock
    ConfigurationError CoreError Effect Failure FallbackModel FinishReason Guardrail GuardrailChecked
    GuardrailContext GuardrailDecision GuardrailError GuardrailMode GuardrailStage HandedOff History
    HistoryError Image ImageDetail InMemoryBudget InMemoryJournal InMemoryLongTermMemory InMemoryPerson
    InMemoryStore Instructions Journal JournalEntry LimitExceededError Limits LocalEngine Location
    LongTermMemory MemoryConflictError MemoryContext MemoryItem MemoryPolicy MemoryScope MemoryStore
    Message Model ModelAnswered ModelAuthenticationError ModelConnectionError ModelContentFilterError
    ModelContextLengthError ModelDelta ModelError ModelRateLimitError ModelRequest ModelRequestError
    ModelRequested ModelResponse ModelResponseError ModelRetried ModelRetry ModelServerError Node
    OutputError OutputMode OutputRejected OutputSchema PermissionDeniedError Person Price PriceTable Problem Question Reasoning
    ReasoningDelta ReasoningReceived RefusalError Reservation Retry RunCancelledError RunContext RunEvent
    RunFailed RunFinished RunOptions RunResult RunStarted RunTimeoutError Session Step StepContext
    SystemClock SystemMessage TextDelta TextReceived TokenLogprob Tool ToolArgumentsError ToolCall
    ToolContext ToolDefinitionError ToolDeniedError ToolEntry ToolEnvironment ToolError ToolExecutionError ToolFinished
    ToolMessage ToolNotFoundError ToolOrigin ToolOutcome ToolOutcomeUnknownError ToolRegistry ToolRetried ToolSpec
    ToolStarted ToolTimeoutError Toolset Usage UserMessage Verdict Workflow WorkflowEngine WorkflowError
    agent_step ask_person branch check_history combine_tools create_memory_tools create_schema_tool
    create_tools_per_run create_toolset keep_last keep_window loop map_each parallel recover step
    create_output_type summarise tool tool_method
"""

PUBLIC_BLUEPRINTS = """
    Adapters AgentSection Assembly Blueprint BlueprintFile ExportError LimitsSection LoadedSuite ModelFactory ModelSection
    ModelSettings PermissionsSection SCHEMA_VERSION ToolSection ToolUseSection ToolsetFactory ToolsetSection
    assemble check_blueprint create_agent create_blueprint find_problems load_blueprint parse_blueprint
    write_blueprint
"""

PUBLIC_TESTING = """
    Answer Cassette CassetteError CassetteFormatError CassetteMissError CassetteMode CassetteModel
    CassetteUnusedError DeadlockError FunctionModel ScriptedModel ScriptedStream VirtualClock create_tool_call
    run_virtual
"""

# The one module that needs pytest is the plugin for it.
PLUGIN = "agent_factory.core.testing.plugin"

MODULES = sorted(
    module.name for module in pkgutil.walk_packages(core.__path__, "agent_factory.core.")
)


def test_public_names_of_core_are_what_users_rely_on() -> None:
    assert sorted(core.__all__) == sorted(PUBLIC.split())


def test_public_names_of_blueprints_are_what_users_rely_on() -> None:
    assert sorted(blueprints.__all__) == sorted(PUBLIC_BLUEPRINTS.split())


def test_public_names_of_testing_are_what_users_rely_on() -> None:
    assert sorted(testing.__all__) == sorted(PUBLIC_TESTING.split())


@pytest.mark.parametrize("name", ["agent_factory.core", *MODULES])
def test_every_module_states_its_public_names_and_describes_itself(name: str) -> None:
    module = importlib.import_module(name)

    assert module.__doc__
    assert [item for item in module.__all__ if not hasattr(module, item)] == []


def test_import_brings_no_third_party_but_pydantic_and_yaml() -> None:
    program = f"""
        import importlib, sys
        before = set(sys.modules)
        for name in {["agent_factory.core", *(name for name in MODULES if name != PLUGIN)]!r}:
            importlib.import_module(name)
        new = {{name.split(".")[0] for name in set(sys.modules) - before}}
        print(*sorted(new - set(sys.stdlib_module_names)))
    """

    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    # Compiled modules register helpers of their own beside themselves.
    packages = {name for name in done.stdout.split() if not name.startswith(("_", "cython"))}
    assert packages <= {
        "agent_factory",
        "annotated_types",
        "jsonschema_rs",
        "pydantic",
        "pydantic_core",
        "typing_extensions",
        "typing_inspection",
        "yaml",
    }
