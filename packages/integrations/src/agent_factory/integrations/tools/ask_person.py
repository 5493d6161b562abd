"""The tool `ask_person`: a question to whoever runs the agent."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from agent_factory.core.exceptions import ConfigurationError, CoreError, ToolError
from agent_factory.core.registry import ToolEntry
from agent_factory.core.tools import Tool, ToolContext, tool
from agent_factory.core.waiting import is_duration

if TYPE_CHECKING:
    from agent_factory.core.workflows.people import Person

__all__ = ["AskPersonOptions", "create_ask_person", "create_ask_person_entry"]

DEFAULT_TIMEOUT = 600.0
MAX_QUESTION = 4000
MAX_ANSWER = 20_000


class AskPersonOptions(BaseModel):
    """Options of `ask_person` in a blueprint.

    Attributes:
        timeout: Seconds to wait for the answer, up to 86,400.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    timeout: float = Field(default=DEFAULT_TIMEOUT, gt=0, le=86_400)


def create_ask_person(person: Person | None, *, timeout: float = DEFAULT_TIMEOUT) -> Tool[object]:
    """Make the tool `ask_person`.

    Args:
        person: Who is asked. If None, every question is refused, so that a run without anybody goes on.
        timeout: Seconds to wait for the answer.

    Returns:
        The tool; its result has ``answer``.

    Raises:
        ConfigurationError: The timeout is no number of seconds above 0.
    """
    if not is_duration(timeout):
        raise ConfigurationError(
            f"tool 'ask_person': timeout must be a finite number of seconds above 0, not {timeout!r}"
        )

    # A call that is made again asks the same question, by its key.
    @tool(effect="idempotent", timeout=timeout + 10)
    async def ask_person(  # noqa: D417 - the model does not see the context
        context: ToolContext[object],
        question: Annotated[str, Field(min_length=1, max_length=MAX_QUESTION)],
        choices: Annotated[list[str], Field(max_length=20)] = [],  # noqa: B006 - never changed
    ) -> dict[str, object]:
        """Ask the person who runs this a question, and wait for the answer.

        Ask only what you cannot find out yourself, and one thing at a time.

        Args:
            question: The question, complete in itself.
            choices: The answers to choose from; leave it out for an answer in the person's own words.
        """
        if person is None:
            raise ToolError(
                "nobody can be asked in this run: go on with what you know, and say what you assumed"
            )
        return {"answer": await _ask(person, context, question, choices, timeout)}

    return ask_person


def create_ask_person_entry(person: Person | None) -> ToolEntry[AskPersonOptions]:
    """Return the entry through which blueprints use `ask_person`.

    Args:
        person: Who is asked; nobody if None.
    """
    return ToolEntry(
        "ask_person",
        "asks the person who runs the agent",
        AskPersonOptions,
        lambda options, _environment: create_ask_person(person, timeout=options.timeout),
    )


async def _ask(
    person: Person, context: ToolContext[object], text: str, choices: list[str], seconds: float
) -> str:
    from agent_factory.core.workflows.people import Question

    schema: dict[str, Any] = {"type": "string"}
    if choices:
        schema["enum"] = list(dict.fromkeys(choices))
    question = Question(
        id=f"{context.run_id}:{context.idempotency_key or context.call_id}",
        workflow=context.agent,
        run_id=context.run_id,
        path="ask_person",
        text=text,
        value=None,
        answer_schema=schema,
        timeout=seconds,
    )
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            answer = await person.ask(question)
    except TimeoutError:
        if not limit.expired():
            raise
        raise ToolError(
            f"nobody answered within {seconds:g} s: go on with what you know, and say what you assumed"
        ) from None
    except ToolError:
        raise
    except CoreError as error:
        raise ToolError(f"no answer could be had: {error.message}") from error
    if not isinstance(answer, str):
        raise ToolError("the answer is no text: ask again")
    if choices and answer not in choices:
        raise ToolError(
            f"the person answered {answer[:200]!r}, which is none of the choices: ask without choices, or go on with that"
        )
    if len(answer) > MAX_ANSWER:
        return f"{answer[:MAX_ANSWER]} [cut: the answer has {len(answer)} characters]"
    return answer
