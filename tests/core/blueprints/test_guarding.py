from __future__ import annotations

import asyncio
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from agent_factory.core.blueprints.guarding import guard_tool, guard_toolset
from agent_factory.core.exceptions import (
    AgentFactoryError,
    LimitExceededError,
    ToolDeniedError,
    ToolError,
    ToolExecutionError,
)
from agent_factory.core.tools import ToolContext, tool
from agent_factory.core.toolsets import Toolset
from tests.core.permissions.granting import create_grant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent_factory.core.permissions import Grant
    from agent_factory.core.tools import Tool

SECRET = "hunter2-hunter2"


class Found(BaseModel):
    key: str


@dataclass
class Record:
    key: str


class Written:
    """Shows a secret only where it is turned into a text."""

    def __str__(self) -> str:
        return SECRET


def create_used() -> Grant:
    """Return a grant that has handed out its secret, and one that is a number."""
    grant = create_grant(secrets={"TOKEN": SECRET, "PIN": "81736455"})
    grant.get_secret("TOKEN")
    grant.get_secret("PIN")
    return grant


def call(made: Tool[Any]) -> str:
    """Return what a tool returns to the model."""
    context = ToolContext(deps=None, run_id="run", call_id="call")
    return asyncio.run(made.run(context, "{}"))


def create_returning(result: object) -> Tool[object]:
    """Return a tool with a result."""

    @tool(effect="read")
    async def look() -> object:
        """Look."""
        return result

    return guard_tool(look, create_used())


def create_raising(error: BaseException, cause: BaseException | None = None) -> Tool[object]:
    """Return a tool with an error."""

    @tool(effect="read")
    async def look() -> object:
        """Look."""
        raise error from cause

    return guard_tool(look, create_used())


@pytest.mark.parametrize(
    "result",
    [
        SECRET,
        [SECRET],
        (SECRET, {"a": [SECRET]}),
        {SECRET: 1},
        {"key": SECRET},
        Found(key=SECRET),
        [Found(key=SECRET)],
        Record(SECRET),
        {"a": Record(SECRET)},
        SECRET.encode(),
        {SECRET},
        frozenset({SECRET}),
        81736455,
        {"pin": 81736455},
        81736455.0,
    ],
)
def test_secret_is_in_no_result_of_any_kind(result: object) -> None:
    shown = call(create_returning(result))

    assert SECRET not in shown
    assert "81736455" not in shown
    assert "[secret]" in shown


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-1000, 1000) | st.floats() | st.text("abc"),
        lambda inner: st.lists(inner) | st.dictionaries(st.text("abc"), inner),
    )
)
def test_result_without_a_secret_is_told_as_without_a_guard(result: object) -> None:
    @tool(effect="read")
    async def look() -> object:
        """Look."""
        return result

    assert call(guard_tool(look, create_used())) == call(look)


def test_result_whose_items_are_still_to_be_made_is_refused() -> None:
    def count() -> Iterator[str]:
        yield SECRET

    with pytest.raises(ToolExecutionError, match="items would be made outside"):
        call(create_returning(count()))


@pytest.mark.parametrize(
    "error",
    [
        ToolError(f"no: {SECRET}", details={"a": [SECRET]}),
        ToolDeniedError(f"no: {SECRET}"),
        LimitExceededError(f"no: {SECRET}", limit="max_requests", allowed=1),
        ValueError(SECRET),
        KeyError(SECRET),
        OSError(2, SECRET),
        ValueError(Written()),
        SystemExit(SECRET),
    ],
)
def test_secret_is_in_no_error(error: BaseException) -> None:
    with pytest.raises(AgentFactoryError) as caught:
        call(create_raising(error))

    shown = "".join(traceback.format_exception(caught.value))
    assert SECRET not in f"{caught.value!r} {caught.value} {vars(caught.value)} {shown}"
    assert "[secret]" in caught.value.message


def test_secret_in_the_cause_of_an_error_is_not_shown() -> None:
    with pytest.raises(ToolError) as caught:
        call(create_raising(ToolError("no"), ValueError(f"https://x/?key={SECRET}")))

    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_secret_in_a_note_of_an_error_is_not_shown() -> None:
    error = ToolError("no")
    error.add_note(f"with {SECRET}")

    with pytest.raises(ToolError) as caught:
        call(create_raising(error))

    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_error_without_a_secret_keeps_its_cause() -> None:
    cause = ValueError("why")

    with pytest.raises(ToolError) as caught:
        call(create_raising(ToolError("no"), cause))

    assert caught.value.__cause__ is cause


def test_another_error_without_a_secret_stays_what_it_is() -> None:
    error = ValueError("why")

    with pytest.raises(ToolExecutionError, match="raised ValueError: why") as caught:
        call(create_raising(error))

    assert caught.value.__cause__ is error


class Offering(Toolset[Any]):
    """A toolset with one tool, or an error."""

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error

    async def list_tools(self, context: object) -> tuple[Tool[Any], ...]:
        """Return the tool."""
        del context
        if self._error is not None:
            raise self._error

        @tool(effect="read")
        async def look() -> str:
            """Look."""
            return SECRET

        return (look,)


def test_tools_of_a_toolset_are_guarded_and_wrapped() -> None:
    wrapped: list[str] = []

    def wrap(use: str, made: Tool[object]) -> Tool[object]:
        wrapped.append(use)
        return made

    guarded = guard_toolset(Offering(), create_used(), "set", wrap)
    [made] = asyncio.run(guarded.list_tools(None))  # type: ignore[arg-type]

    assert call(made) == "[secret]"
    assert wrapped == ["set/look"]


def test_secret_is_in_no_error_of_a_toolset() -> None:
    guarded = guard_toolset(Offering(ToolError(f"no: {SECRET}")), create_used(), "set")

    with pytest.raises(ToolError) as caught:
        asyncio.run(guarded.list_tools(None))  # type: ignore[arg-type]

    assert caught.value.message == "no: [secret]"
