"""Finding everything that is wrong with a workflow of a blueprint, without making anything of it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from agent_factory.core.blueprints.references import DataTemplate, Path, Template
from agent_factory.core.blueprints.schema.workflows import KEYS_BY_KIND
from agent_factory.core.blueprints.workflows.answers import check_answer
from agent_factory.core.blueprints.workflows.conditions import TESTS
from agent_factory.core.blueprints.workflows.known import Known, list_known, list_names
from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.suggestions import describe_choices

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from agent_factory.core.blueprints.schema.workflows import (
        ConditionSection,
        StepSection,
        WorkflowSection,
    )

__all__ = ["MAX_PROBLEMS", "MAX_STEPS", "check_workflow"]

MAX_STEPS = 500
"""Steps that one workflow may have, those within others included."""

MAX_DEPTH = 8
"""How deep steps may be within steps."""

MAX_PROBLEMS = 100
"""Problems that are told; looking for more of them would only take time."""


def check_workflow(
    section: WorkflowSection,
    *,
    agents: Collection[str],
    tools: Collection[str] | None = None,
    inputs: Collection[str] | None = None,
) -> list[tuple[Path, str]]:
    """Find what is wrong with a workflow: kinds of steps, names, references, schemas. Nothing is made or run.

    Args:
        section: The workflow.
        agents: Names of the agents that there are.
        tools: Names of the tools that there are, those of the registry included; None where somebody else checks them.
        inputs: Names that the input has; None if it may have any, or is no mapping.

    Returns:
        The problems, at most `MAX_PROBLEMS`: the keys and positions that lead to the place, from the workflow on, and what is
        wrong there. None if the workflow can be made.
    """
    checker = _Checker(agents, tools)
    with suppress(_EnoughError):
        checker.check(section, inputs)
    return checker.problems


class _EnoughError(Exception):
    """Further problems are not told."""


class _Checker:
    def __init__(self, agents: Collection[str], tools: Collection[str] | None) -> None:
        self.problems: list[tuple[Path, str]] = []
        self._agents = agents
        self._tools = tools

    def check(self, section: WorkflowSection, inputs: Collection[str] | None) -> None:
        names = list_names(section.steps)
        if len(names) > MAX_STEPS:
            self._add(("steps",), f"{len(names):,} steps: a workflow has at most {MAX_STEPS}")
            return
        self._names: set[str] = set()
        known = Known(frozenset(names), inputs)
        known = self._row(section.steps, ("steps",), known, 1)
        if "output" in section.model_fields_set:
            self._data(section.output, ("output",), known)

    def _add(self, path: Path, message: str) -> None:
        self.problems.append((path, message))
        if len(self.problems) == MAX_PROBLEMS:
            raise _EnoughError

    def _row(self, steps: Sequence[StepSection], path: Path, known: Known, depth: int) -> Known:
        """Check steps in a row, and return what is known after them."""
        if depth > MAX_DEPTH:
            self._add(path, f"steps are nested deeper than {MAX_DEPTH} levels")
            return known
        for index, step in enumerate(steps):
            known = self._step(step, (*path, index), known, depth)
        return known

    def _step(self, step: StepSection, path: Path, known: Known, depth: int) -> Known:
        if step.name in self._names:
            self._add((*path, "name"), f"a step is named {step.name!r} already: names differ")
        self._names.add(step.name)
        inner = known.hide([step.name], "has no result yet: this step is, or is a part of, it")
        if self._keys(step, path):
            known = self._kind(step, path, known, inner, depth)
        return known.see([step.name])

    def _keys(self, step: StepSection, path: Path) -> bool:
        """Check which keys a step has, and return whether it is of one kind with all that it needs."""
        kinds, given = step.kinds, step.given
        if len(kinds) != 1:
            choices = ", ".join(KEYS_BY_KIND)
            wrong = (
                f"has {' and '.join(map(repr, kinds))}, but a step does one thing: make several"
                if kinds
                else f"says nothing to do: give it one of {choices}"
            )
            self._add(path, f"step {step.name!r} {wrong}")
            return False
        kind = kinds[0]
        needed, possible = KEYS_BY_KIND[kind]
        for key in sorted(given - needed - possible - {"name", kind}):
            takes = ", ".join(sorted(needed | possible)) or "nothing else"
            self._add(
                (*path, key), f"{key!r} does not go with {kind!r}, which takes {takes}: take it out"
            )
        good = True
        for key in (kind, *sorted(needed)):
            if key == "value":  # nothing is a value too
                continue
            if getattr(step, "attempt" if key == "try" else key) is None:
                wrong = "must not be empty" if key in given else "is missing"
                self._add((*path, key), f"step {step.name!r}: the key {key!r} {wrong}")
                good = False
        return good

    def _kind(self, step: StepSection, path: Path, known: Known, inner: Known, depth: int) -> Known:
        """Check what a step does, and return what is known after it, but for its own result."""
        match step.kinds[0]:
            case "agent":
                self._name(step.agent, "agent", self._agents, (*path, "agent"))
                self._data(step.input, (*path, "input"), inner)
            case "tool":
                self._name(step.tool, "tool", self._tools, (*path, "tool"))
                self._data(step.arguments, (*path, "arguments"), inner)
            case "ask":
                self._text(step.ask, (*path, "ask"), inner)
                self._answer(step, (*path, "answer"))
            case "value":
                self._data(step.value, (*path, "value"), inner)
            case "for_each":
                self._items(step.for_each, (*path, "for_each"), inner)
                self._row(
                    step.steps or (), (*path, "steps"), inner.enter("item", "index"), depth + 1
                )
                reason = f"runs once for each item: use '{{{{steps.{step.name}}}}}', the list of the results"
                known = known.hide(list_names(step.steps or ()), reason)
            case "parallel":
                known = self._parallel(step, path, known, inner, depth)
            case "switch":
                known = self._switch(step, path, known, inner, depth)
            case "repeat":
                known = self._repeat(step, path, known, inner, depth)
            case _:
                steps, handler = step.attempt or (), step.on_error or ()
                reason = f"may not have run: use '{{{{steps.{step.name}}}}}'"
                self._row(steps, (*path, "try"), inner, depth + 1)
                inner = inner.enter("error").hide(list_names(steps), "may not have run")
                self._row(handler, (*path, "on_error"), inner, depth + 1)
                known = known.hide(list_names((*steps, *handler)), reason)
        self._retry(step, path)
        return known

    def _parallel(
        self, step: StepSection, path: Path, known: Known, inner: Known, depth: int
    ) -> Known:
        branches = step.parallel or ()
        for index, branch in enumerate(branches):
            others = [item for item in branches if item is not branch]
            beside = inner.hide(list_names(others), "runs at the same time")
            if depth >= MAX_DEPTH:
                self._add((*path, "parallel"), f"steps are nested deeper than {MAX_DEPTH} levels")
                break
            self._step(branch, (*path, "parallel", index), beside, depth + 1)
        within = list_names(branches)
        known = known.hide(
            within, f"is a part of a step of {step.name!r}: use the result of that one"
        )
        return known.see(branch.name for branch in branches)

    def _switch(
        self, step: StepSection, path: Path, known: Known, inner: Known, depth: int
    ) -> Known:
        self._text(step.switch, (*path, "switch"), inner)
        reason = f"is in a case of {step.name!r}, which may not have run: use '{{{{steps.{step.name}}}}}'"
        cases = [(("cases", case), steps) for case, steps in (step.cases or {}).items()]
        for keys, steps in (*cases, (("otherwise",), step.otherwise or ())):
            self._row(steps, (*path, *keys), inner, depth + 1)
            inner = inner.hide(list_names(steps), "is in another case")
            known = known.hide(list_names(steps), reason)
        return known

    def _repeat(
        self, step: StepSection, path: Path, known: Known, inner: Known, depth: int
    ) -> Known:
        steps = step.repeat or ()
        if "start" in step.given:
            self._data(step.start, (*path, "start"), inner)
        inner = inner.hide(
            [step.name], "has no result yet: '{{previous}}' is that of the turn before"
        )
        inner = self._row(steps, (*path, "repeat"), inner.enter("turn", "previous"), depth + 1)
        if step.until is not None:
            self._condition(step.until, (*path, "until"), inner)
        return known.hide(list_names(steps), "may not have run").see(list_known(steps))

    def _condition(self, section: ConditionSection, path: Path, known: Known) -> None:
        tests = [test for test in TESTS if test in section.model_fields_set]
        if len(tests) != 1:
            self._add(path, f"until needs one of {', '.join(TESTS)}, and has {len(tests)}")
        elif getattr(section, tests[0]) is None and tests[0].startswith("at_"):
            self._add((*path, tests[0]), f"{tests[0]} needs a number")
        template = self._text(section.value, (*path, "value"), known)
        if template is not None and not template.is_reference:
            self._add(
                (*path, "value"),
                "until looks at one value: write one reference, as in '{{steps.NAME}}'",
            )

    def _items(self, value: Any, path: Path, known: Known) -> None:
        if isinstance(value, list):
            self._data(value, path, known)
            return
        template = self._text(value, path, known) if isinstance(value, str) else None
        if not isinstance(value, str) or (template is not None and not template.is_reference):
            self._add(path, "for_each needs a list, or one reference to a list")

    def _retry(self, step: StepSection, path: Path) -> None:
        retry = step.retry
        if retry is not None and retry.max_delay < retry.first_delay:
            self._add((*path, "retry", "max_delay"), "max_delay must not be below first_delay")

    def _name(self, name: str | None, kind: str, names: Collection[str] | None, path: Path) -> None:
        if name is not None and names is not None and name not in names:
            self._add(path, f"there is no {kind} {name!r}: {describe_choices(name, names)}")

    def _answer(self, step: StepSection, path: Path) -> None:
        try:
            check_answer(step.answer, f"answer of step {step.name!r}")
        except ConfigurationError as error:
            self._add(path, error.message)

    def _text(self, text: str | None, path: Path, known: Known) -> Template | None:
        try:
            template = Template.parse(text or "")
        except ConfigurationError as error:
            self._add(path, error.message)
            return None
        for reference in template.references:
            if problem := known.find_problem(reference):
                self._add(path, problem)
        return template

    def _data(self, value: Any, path: Path, known: Known) -> None:
        try:
            found = DataTemplate.parse(value)
        except ConfigurationError as error:
            within: Any = error.details.get("path", ())
            self._add((*path, *within), error.message)
            return
        for within, reference in found.references:
            if problem := known.find_problem(reference):
                self._add((*path, *within), problem)
