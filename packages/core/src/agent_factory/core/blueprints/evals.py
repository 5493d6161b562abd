"""The suites of a blueprint, and its agents and workflows as what they test."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from agent_factory.core.blueprints.running import BlueprintEngine
from agent_factory.core.evals.sections import create_suite
from agent_factory.core.evals.targets import create_agent_target, create_workflow_target
from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.options import DEFAULT_OPTIONS, RunOptions
from agent_factory.core.suggestions import describe_choices

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent_factory.core.approvals import Approval, ApprovalRequest
    from agent_factory.core.blueprints.assembly import Assembly
    from agent_factory.core.evals.cases import EvalSuite
    from agent_factory.core.evals.observations import Attempt
    from agent_factory.core.evals.recording import RunRecorder
    from agent_factory.core.evals.running import Target
    from agent_factory.core.prices import PriceTable
    from agent_factory.core.workflows import Workflow
    from agent_factory.core.workflows.people import Question

__all__ = ["SuiteApprover", "SuitePerson", "create_blueprint_suite", "create_blueprint_target"]


@dataclass(frozen=True, slots=True)
class SuiteApprover:
    """Decides about tool calls as a suite says.

    Attributes:
        granted: Whether calls are approved.
    """

    granted: bool

    async def decide(self, request: ApprovalRequest) -> Approval:
        """Return the decision.

        Args:
            request: What is to be approved.
        """
        if self.granted:
            return request.approve("eval", reason="the suite approves every call")
        return request.deny("eval", reason="the suite approves no call")


@dataclass(frozen=True, slots=True)
class SuitePerson:
    """Answers the questions of workflows as a suite says.

    Attributes:
        answers: The answers by the path of the question.
    """

    answers: Mapping[str, Any] = field(default_factory=dict)

    async def ask(self, question: Question) -> Any:
        """Return the answer.

        Args:
            question: The question.

        Raises:
            ConfigurationError: The suite has none.
        """
        if question.path not in self.answers:
            raise ConfigurationError(
                f"the suite has no answer to the question {question.path!r}: add it to 'answers'; "
                f"{describe_choices(question.path, self.answers)}"
            )
        return self.answers[question.path]


def create_blueprint_suite(
    assembly: Assembly, name: str, *, prices: PriceTable | None = None
) -> EvalSuite:
    """Return a suite of a blueprint.

    Args:
        assembly: The blueprint.
        name: Name of the suite.
        prices: What judges cost; the table that comes with this version if None.

    Raises:
        ConfigurationError: There is no such suite, or no such judge.
        PermissionDeniedError: The permissions do not name the model of a judge.
    """
    suites = assembly.file.suites
    if name not in suites:
        raise ConfigurationError(
            f"the blueprint has no suite {name!r}: {describe_choices(name, suites)}"
        )
    return create_suite(name, suites[name].section, create_judge=assembly.get_model, prices=prices)


def create_blueprint_target(
    assembly: Assembly, name: str, options: RunOptions = DEFAULT_OPTIONS
) -> Target:
    """Return what a suite of a blueprint tests: one of its agents or workflows.

    Args:
        assembly: The blueprint.
        name: Name of the suite.
        options: What every run brings along, such as prices; the suite itself decides about approvals.

    Raises:
        ConfigurationError: It is not clear what is tested.
    """
    section = assembly.file.suites[name].section
    target = section.target or assembly.entry
    options = replace(options, approver=SuiteApprover(section.approve))
    if target in assembly.agents:

        def create_prompt(value: Any) -> str:
            if target == assembly.entry:
                assembly.check_input(value)
            return assembly.create_prompt(target, value)

        return create_agent_target(
            assembly.agents[target], deps=None, options=options, create_prompt=create_prompt
        )
    if target not in assembly.file.blueprint.workflows:
        raise ConfigurationError(
            f"it is not clear what the suite {name!r} tests: add 'target' to it, or 'entry' to the blueprint"
        )

    def create_workflow(attempt: Attempt, recorder: RunRecorder) -> Workflow[Any, Any]:
        watched = replace(options, observers=(*options.observers, recorder), seed=attempt.seed)
        return assembly.get_workflow(target, assembly.create_options(watched))

    engine = BlueprintEngine(assembly, person=SuitePerson(section.answers))
    return create_workflow_target(create_workflow, engine=engine)
