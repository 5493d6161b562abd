"""Checks of the workflows and of the test cases of a blueprint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_factory.core.blueprints.checks.models import check_model
from agent_factory.core.blueprints.checks.templates import list_inputs
from agent_factory.core.blueprints.checks.tool_names import list_reachable_tools
from agent_factory.core.blueprints.checks.tools import check_step_tool
from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.schemas import create_validator
from agent_factory.core.suggestions import describe_choices, find_close_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agent_factory.core.blueprints.checks.context import CheckContext
    from agent_factory.core.blueprints.document import Path as Place
    from agent_factory.core.blueprints.loading import LoadedSuite
    from agent_factory.core.blueprints.schema.eval_expectations import ExpectationSection

__all__ = ["check_suites", "check_workflows"]


def check_workflows(context: CheckContext) -> None:
    """Check the workflows, and the tools that they call.

    Args:
        context: The blueprint, and what was found in it.
    """
    blueprint = context.blueprint
    if not blueprint.workflows:
        return
    from agent_factory.core.blueprints.workflow_tools import find_tools
    from agent_factory.core.blueprints.workflows import check_workflow

    registry = context.adapters.tools
    tools = [*blueprint.tools, *(item.name for item in registry)]
    tools += [item.name for item in registry.installed]
    for name, section in blueprint.workflows.items():
        for place, message in check_workflow(
            section,
            agents=list(context.file.agents),
            tools=tools,
            inputs=list_inputs(blueprint.inputs),
        ):
            context.say(("workflows", name, *place), message)
        for place, use in find_tools(section):
            if use not in blueprint.tools and use in registry:
                check_step_tool(context, use, ("workflows", name, *place))


def check_suites(context: CheckContext) -> None:
    """Check the suites of test cases.

    Args:
        context: The blueprint, and what was found in it.
    """
    if not context.file.suites:
        return
    find = _create_input_check(context)
    for suite in context.file.suites.values():
        _check_suite(context, suite, find)


def _check_suite(
    context: CheckContext, suite: LoadedSuite, find: Callable[[Any], list[str]]
) -> None:
    section = suite.section
    known = [*context.file.agents, *context.blueprint.workflows]
    if section.target is not None and section.target not in known:
        hint = describe_choices(section.target, known)
        message = f"no agent and no workflow is named {section.target!r}: {hint}"
        context.say((*suite.place, "target"), message, document=suite.document)
    tools = _list_tools(context, section.target or context.file.entry)
    for index, case in enumerate(section.cases):
        place: Place = (*suite.place, "cases", index)
        # What another agent of the blueprint takes, the blueprint does not say.
        for problem in find(case.input) if section.target in (None, context.file.entry) else ():
            context.say((*place, "input"), problem, document=suite.document)
        for number, expectation in enumerate(case.expect):
            at = (*place, "expect", number)
            if expectation.judge is not None:
                model = expectation.judge.model
                check_model(context, model, (*at, "judge", "model"), document=suite.document)
            for path, message in _find_unknown(expectation, tools):
                context.say((*at, *path), message, document=suite.document)


def _create_input_check(context: CheckContext) -> Callable[[Any], list[str]]:
    inputs = context.blueprint.inputs
    if inputs is None:
        return lambda value: (
            []
            if isinstance(value, str)
            else [
                "the input of this blueprint is a text: write one, or describe the input under 'inputs'"
            ]
        )
    try:
        fits = create_validator(inputs, "inputs")
    except ConfigurationError:
        return lambda _: []  # said of the schema itself
    return lambda value: [
        f"does not fit 'inputs' of the blueprint: {problem}" for problem in fits(value, 3)
    ]


def _list_tools(context: CheckContext, target: str | None) -> set[str] | None:
    """Return the names of the tools that a suite can see called; None where they are not all known."""
    if target in context.file.agents:
        return list_reachable_tools(context, [target])
    if target not in context.blueprint.workflows:
        return None
    from agent_factory.core.blueprints.workflow_tools import find_tools

    names = list_reachable_tools(context, context.file.agents)
    if names is None:
        return None
    return names | {use for _, use in find_tools(context.blueprint.workflows[target])}


def _find_unknown(
    expectation: ExpectationSection, tools: set[str] | None
) -> Iterator[tuple[Place, str]]:
    """Return the names in an expectation that mean nothing."""
    if expectation.fails is not None:
        codes = _list_codes()
        close = find_close_name(expectation.fails, codes)
        if expectation.fails not in codes and close is not None:
            yield (
                "fails",
            ), f"no error has the code {expectation.fails!r}: did you mean {close!r}?"
    if tools is None:
        return
    named: list[tuple[Place, str]] = []
    if expectation.tool_called is not None:
        named.append((("tool_called",), expectation.tool_called.name))
    named += [
        (("tool_order", index), name) for index, name in enumerate(expectation.tool_order or ())
    ]
    for place, name in named:
        if name not in tools:
            yield place, f"what is tested has no tool {name!r}: {describe_choices(name, tools)}"
    absent = expectation.tool_not_called
    if absent is not None and absent not in tools:
        close = find_close_name(absent, tools)
        if close is not None:
            yield (
                "tool_not_called",
            ), f"what is tested has no tool {absent!r}: did you mean {close!r}?"


def _list_codes() -> set[str]:
    from agent_factory.core import exceptions

    return {
        item.code
        for item in vars(exceptions).values()
        if isinstance(item, type) and issubclass(item, exceptions.AgentFactoryError)
    }
