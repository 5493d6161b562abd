"""The suites of test cases of a blueprint."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from agent_factory.core.blueprints.schema.base import Money, Name, RelativePath, Section
from agent_factory.core.blueprints.schema.eval_expectations import (
    ExpectationSection,
    check_not_empty,
)

__all__ = ["CaseSection", "GateSection", "SuiteSection"]


class CaseSection(Section):
    """A test case."""

    name: str = Field(
        min_length=1,
        max_length=200,
        pattern=r"^\S(.*\S)?$",
        description="Name of the case in reports; no other case of the suite has it.",
        examples=["refund in time"],
    )
    input: Any = Field(
        description="What the target gets: a text, or the data that its inputs ask for."
    )
    expect: Annotated[
        tuple[ExpectationSection, ...],
        Field(max_length=100, json_schema_extra={"minItems": 1}),
        AfterValidator(check_not_empty),
    ] = Field(
        strict=False, description="What must hold of an attempt, each expectation with one key."
    )
    tags: tuple[Name, ...] = Field(
        (), strict=False, max_length=20, description="Words to choose cases by."
    )


class GateSection(Section):
    """What a suite must reach. Without any bound every attempt has to pass."""

    min_pass_rate: float | None = Field(
        None, ge=0, le=1, description="The part of all attempts that has to pass, from 0 to 1."
    )
    min_mean_score: float | None = Field(
        None, ge=0, le=1, description="The mean score that all attempts have to reach, from 0 to 1."
    )
    min_pass_power: float | None = Field(
        None,
        ge=0,
        le=1,
        description="The part of the cases of which every repetition has to pass (pass^n), from 0 to 1.",
    )
    max_cost: Money | None = Field(None, description="What all attempts together may cost.")
    max_flaky: int | None = Field(
        None, ge=0, description="How many cases may pass in some of their repetitions only."
    )


def _check_names(cases: tuple[CaseSection, ...]) -> tuple[CaseSection, ...]:
    seen: set[str] = set()
    problems: list[InitErrorDetails] = []
    for index, case in enumerate(cases):
        if case.name in seen:
            problem = PydanticCustomError(
                "duplicate",
                "must not be the name of an earlier case, {name}: reports tell cases apart by name",
                {"name": repr(case.name)},
            )
            problems.append(InitErrorDetails(type=problem, loc=(index, "name"), input=case.name))
        seen.add(case.name)
    if problems:
        # With a place of its own for each, which a plain error of a validator does not have.
        raise ValidationError.from_exception_data("cases", problems)
    return cases


class SuiteSection(Section):
    """A suite of test cases."""

    description: str = Field(
        "", max_length=1000, description="What the suite is about, for people."
    )
    target: Name | None = Field(
        None, description="Name of the agent or workflow that is tested; the entry if left out."
    )
    repetitions: int = Field(
        1,
        ge=1,
        le=100,
        description="How often each case is tried, since models do not always answer the same.",
    )
    seed: int = Field(
        0, ge=0, le=2**63 - 1, description="Number that the seeds of all attempts are derived from."
    )
    concurrency: int = Field(4, ge=1, le=64, description="Attempts that run at the same time.")
    timeout: float = Field(600.0, gt=0, le=86_400, description="Seconds that one attempt may take.")
    gate: GateSection = Field(
        default_factory=lambda: GateSection.model_validate({}),
        description="What the suite must reach.",
    )
    cassette: RelativePath | None = Field(
        None,
        description="File with recorded answers of the models, below the folder of the blueprint; what it has is not asked "
        "again.",
        examples=["cassettes/answers.json"],
    )
    approve: bool = Field(
        False,
        description="Whether tool calls that need a person's approval are approved; they are denied if not.",
    )
    answers: dict[str, Any] = Field(
        default_factory=dict,
        description="What people answer to the questions of a workflow, by the path of the question.",
        examples=[{"review": "publish"}],
    )
    cases: Annotated[
        tuple[CaseSection, ...],
        Field(max_length=1000, json_schema_extra={"minItems": 1}),
        AfterValidator(check_not_empty),
        AfterValidator(_check_names),
    ] = Field(strict=False, description="The test cases.")
