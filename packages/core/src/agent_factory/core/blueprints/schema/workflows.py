"""The workflows of a blueprint: steps in a row, and the constructs around them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from agent_factory.core.blueprints.schema.base import JsonSchema, Name, Section

__all__ = [
    "KEYS_BY_KIND",
    "ConditionSection",
    "RetrySection",
    "StepSection",
    "WorkflowSection",
]

# What a step of each kind needs, and what it may have besides, as written in the file. 'name' every step has.
KEYS_BY_KIND: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "agent": (frozenset({"input"}), frozenset({"retry", "timeout"})),
    "tool": (frozenset(), frozenset({"arguments", "retry", "timeout"})),
    "ask": (frozenset(), frozenset({"answer", "timeout"})),
    "value": (frozenset(), frozenset()),
    "for_each": (frozenset({"steps"}), frozenset({"limit", "max_items"})),
    "parallel": (frozenset(), frozenset({"limit"})),
    "switch": (frozenset({"cases"}), frozenset({"otherwise"})),
    "repeat": (frozenset({"until", "max_turns"}), frozenset({"start"})),
    "try": (frozenset({"on_error"}), frozenset()),
}
"""The keys that a step must and may have besides ``name``, by the key that says what kind of step it is."""

_Steps = Annotated[tuple["StepSection", ...], Field(strict=False, min_length=1, max_length=100)]


class RetrySection(Section):
    """How often a failed step is tried again, and how long is waited before."""

    max_attempts: int = Field(
        3, ge=2, le=20, description="How often the step may run, the first time included."
    )
    first_delay: float = Field(
        0.5, gt=0, le=3600, description="Longest wait before the second try in seconds."
    )
    max_delay: float = Field(
        30.0, gt=0, le=86_400, description="Longest wait of all in seconds; not below first_delay."
    )


class ConditionSection(Section):
    """When a loop is done: a value, and one thing that must hold of it."""

    value: str = Field(
        min_length=1,
        max_length=300,
        description="The value, as a reference.",
        examples=["{{steps.check.good}}"],
    )
    equals: Any = Field(None, description="The value is this.")
    not_equals: Any = Field(None, description="The value is something else than this.")
    at_least: float | None = Field(None, description="The value is a number, this or above.")
    at_most: float | None = Field(None, description="The value is a number, this or below.")


def _describe_kinds(schema: dict[str, Any]) -> None:
    """Let editors know which keys go together."""
    schema["oneOf"] = [
        {
            "required": sorted({kind} | needed),
            "propertyNames": {"enum": sorted({"name", kind} | needed | possible)},
        }
        for kind, (needed, possible) in KEYS_BY_KIND.items()
    ]


class StepSection(Section):
    """A step. One of agent, tool, ask, value, for_each, parallel, switch, repeat and try says what it does."""

    model_config = ConfigDict(json_schema_extra=_describe_kinds)

    name: Name = Field(
        description="Name of the step, which no other step of the workflow has; {{steps.NAME}} is its result."
    )

    agent: Name | None = Field(None, description="The agent that answers.")
    input: Any = Field(
        None,
        description="What the agent is asked: a text with references such as {{input.topic}}, or a mapping or list of such "
        "texts, which is written as JSON.",
        examples=["Plan research on {{input.topic}}"],
    )

    tool: str | None = Field(
        None,
        min_length=1,
        max_length=100,
        description="The tool that is called: a name in tools, or one of the registry.",
    )
    arguments: dict[str, Any] = Field(
        default_factory=dict,
        description="Arguments of the tool; texts in it may have references.",
    )

    ask: str | None = Field(
        None, min_length=1, max_length=20_000, description="What a person is asked."
    )
    answer: JsonSchema = Field(
        default_factory=lambda: {"type": "string"},
        description="JSON Schema of the person's answer, without $ref; a text if left out.",
        examples=[{"enum": ["publish", "discard"]}],
    )

    value: Any = Field(
        None,
        description="What the step gives, without doing anything: a text with references, or a mapping or list of such texts.",
        examples=["not published", {"title": "{{input.topic}}", "text": "{{steps.write}}"}],
    )

    for_each: Any = Field(
        None,
        description="The list of which each item goes through steps, as {{item}} with its number {{index}} from 0: a "
        "reference, or a list.",
        examples=["{{steps.plan.questions}}"],
    )
    steps: _Steps | None = Field(
        None,
        description="What runs for each item; the result is the list of the last step's results.",
    )
    max_items: int = Field(
        100, ge=1, le=10_000, description="Items at most; a longer list fails the step."
    )

    parallel: _Steps | None = Field(
        None, description="Steps that run side by side; the result has that of each under its name."
    )
    limit: int = Field(
        8, ge=1, le=100, description="How many items or parallel steps run at a time."
    )

    switch: str | None = Field(
        None, min_length=1, max_length=300, description="The value that names the case that runs."
    )
    cases: dict[str, _Steps] | None = Field(
        None,
        min_length=1,
        max_length=100,
        description="Steps by the text of the value; numbers, true, false and null are written as in JSON.",
    )
    otherwise: _Steps | None = Field(
        None, description="Steps for any other value; without them, such a value fails the step."
    )

    repeat: _Steps | None = Field(
        None,
        description="Steps that run again and again. In them, {{turn}} is the number of the turn from 0, and {{previous}} the "
        "result of the turn before.",
    )
    until: ConditionSection | None = Field(
        None, description="When the loop is done; looked at after each turn."
    )
    max_turns: int | None = Field(
        None, ge=1, le=1000, description="Turns at most; a loop that is not done then fails."
    )
    start: Any = Field(
        None, description="What {{previous}} is in the first turn; nothing if left out."
    )

    attempt: _Steps | None = Field(None, alias="try", description="Steps that may fail.")
    on_error: _Steps | None = Field(
        None,
        description="What runs where one of them fails, with {{error.code}}, {{error.message}}, {{error.type}} and "
        "{{error.step}}.",
    )

    retry: RetrySection | None = Field(
        None, description="Whether and how a failed step is tried again; not at all if left out."
    )
    timeout: float | None = Field(
        None,
        gt=0,
        le=2_592_000,
        description="Seconds that one try of the step, or a person's answer, may take. Left out: the time of the agent's limits, "
        "that of the tool, or a day for a person.",
    )

    @property
    def given(self) -> frozenset[str]:
        """The keys that the file has."""
        return frozenset(
            StepSection.model_fields[field].alias or field for field in self.model_fields_set
        )

    @property
    def kinds(self) -> tuple[str, ...]:
        """What the step does; a valid one does one thing."""
        given = self.given
        return tuple(kind for kind in KEYS_BY_KIND if kind in given)

    @property
    def blocks(self) -> tuple[tuple[tuple[str, ...], tuple[StepSection, ...]], ...]:
        """The steps within it, by the keys that lead to them."""
        found: list[tuple[tuple[str, ...], tuple[StepSection, ...] | None]] = [
            (("steps",), self.steps),
            (("parallel",), self.parallel),
            *((("cases", case), steps) for case, steps in (self.cases or {}).items()),
            (("otherwise",), self.otherwise),
            (("repeat",), self.repeat),
            (("try",), self.attempt),
            (("on_error",), self.on_error),
        ]
        return tuple((path, steps) for path, steps in found if steps is not None)


class WorkflowSection(Section):
    """A workflow: steps that run one after the other."""

    description: str = Field("", max_length=1000, description="One line for people.")
    steps: _Steps = Field(description="The steps in their order.")
    output: Any = Field(
        None,
        description="What the workflow gives: a text with references, or a mapping or list of such texts; the result of the "
        "last step if left out.",
        examples=["{{steps.write}}"],
    )
