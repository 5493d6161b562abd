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
    Agent AgentFactoryError AssistantMessage BlueprintError ConfigurationError CoreError Effect FinishReason
    HistoryError LimitExceededError Limits Location Message Model ModelAnswered ModelAuthenticationError
    ModelConnectionError ModelError ModelRateLimitError ModelRequest ModelRequestError ModelRequested
    ModelResponse ModelResponseError ModelServerError OutputError OutputRejected OutputSchema Problem RunEvent
    RunFinished RunResult RunStarted RunTimeoutError Step SystemMessage TextDelta TextReceived Tool
    ToolArgumentsError ToolCall ToolContext ToolDefinitionError ToolEntry ToolError ToolExecutionError
    ToolFinished ToolMessage ToolNotFoundError ToolRegistry ToolSpec ToolStarted ToolTimeoutError Usage
    UserMessage Workflow WorkflowError check_history step tool
    ApprovalError ModelContentFilterError ModelContextLengthError RefusalError ToolDeniedError
    ToolOutcomeUnknownError History Image ImageDetail Reasoning ToolOutcome ModelDelta ModelRetry ReasoningDelta
    TokenLogprob
    Failure LocalEngine Node Retry WorkflowEngine agent_step branch loop map_each parallel recover
"""

PUBLIC_BLUEPRINTS = """
    AgentSection Blueprint BlueprintFile LimitsSection SCHEMA_VERSION ToolSection create_agent
    load_blueprint parse_blueprint
"""

MODULES = sorted(
    module.name for module in pkgutil.walk_packages(core.__path__, "agent_factory.core.")
)


def test_public_names_of_core_are_what_users_rely_on() -> None:
    assert sorted(core.__all__) == sorted(PUBLIC.split())


def test_public_names_of_blueprints_are_what_users_rely_on() -> None:
    assert sorted(blueprints.__all__) == sorted(PUBLIC_BLUEPRINTS.split())


def test_public_names_of_testing_are_what_users_rely_on() -> None:
    assert sorted(testing.__all__) == ["FunctionModel", "ScriptedModel", "create_tool_call"]


@pytest.mark.parametrize("name", ["agent_factory.core", *MODULES])
def test_every_module_states_its_public_names_and_describes_itself(name: str) -> None:
    module = importlib.import_module(name)

    assert module.__doc__
    assert [item for item in module.__all__ if not hasattr(module, item)] == []


def test_import_brings_no_third_party_but_pydantic_and_yaml() -> None:
    program = f"""
        import importlib, sys
        before = set(sys.modules)
        for name in {["agent_factory.core", *MODULES]!r}:
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
        "pydantic",
        "pydantic_core",
        "typing_extensions",
        "typing_inspection",
        "yaml",
    }
