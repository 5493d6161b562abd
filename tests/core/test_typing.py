"""What mypy infers for users of core, and which mistakes it finds.

The type check of this file is the test: ``assert_type`` fails it where something else is inferred, and
an ``ignore`` that is not needed, because mypy no longer finds the mistake, fails it too. Running the
file shows that the correct lines work, and what the wrong ones do at run time.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Literal, assert_type

import pytest
from typing_extensions import TypeForm

from agent_factory.core import (
    Agent,
    ConfigurationError,
    Guardrail,
    GuardrailContext,
    Model,
    RunContext,
    RunFinished,
    RunResult,
    Step,
    Tool,
    ToolContext,
    Toolset,
    Usage,
    Verdict,
    Workflow,
    WorkflowError,
    agent_step,
    branch,
    combine_tools,
    create_schema_tool,
    create_tools_per_run,
    loop,
    map_each,
    parallel,
    step,
    tool,
)
from agent_factory.core.testing import FunctionModel, ScriptedModel, create_tool_call
from agent_factory.core.workflows import Branch, Loop, Parallel

if TYPE_CHECKING:
    from collections.abc import Sequence


class Account:
    owner = "Ada"


class SavingsAccount(Account):
    pass


@tool
def add(a: int, b: int) -> int:
    return a + b


@tool(effect="read")
async def read_owner(context: ToolContext[Account]) -> str:
    return context.deps.owner


@tool(effect="read")
async def read_name(context: ToolContext[str]) -> str:
    return context.deps


async def count(text: str) -> int:
    return len(text)


async def show(number: int) -> str:
    return str(number)


MODEL = FunctionModel(lambda request: "1")


def test_tool_without_a_context_suits_any_deps() -> None:
    assert_type(add, Tool[object])


def test_tool_with_a_context_needs_its_deps() -> None:
    assert_type(read_owner, Tool[Account])


def test_agent_without_tools_has_text_output() -> None:
    agent = Agent(name="a", model=MODEL)

    assert_type(agent, Agent[None, str])
    assert_type(agent.run_sync("Hi."), RunResult[str])


def test_agent_infers_deps_from_its_tools() -> None:
    assert_type(Agent(name="a", model=MODEL, tools=[add]), Agent[object, str])
    assert_type(Agent(name="a", model=MODEL, tools=[read_owner]), Agent[Account, str])
    assert_type(Agent(name="a", model=MODEL, tools=(add, read_owner)), Agent[Account, str])


def test_list_of_tools_with_different_needs_takes_stated_deps() -> None:
    agent = Agent[Account, str](name="a", model=MODEL, tools=[add, read_owner])
    annotated: Sequence[Tool[Account]] = [add, read_owner]

    assert_type(agent, Agent[Account, str])
    assert_type(Agent(name="a", model=MODEL, tools=annotated), Agent[Account, str])


def test_tuple_of_tools_with_different_needs_takes_the_deps_of_all_where_a_list_is_refused() -> (
    None
):
    agent = Agent(name="a", model=MODEL, tools=(read_owner, add))
    listed = Agent(name="a", model=MODEL, tools=[read_owner, add])  # type: ignore[list-item]

    assert_type(agent, Agent[Account, str])
    assert agent.run_sync("Hi.", deps=Account()).output == "1"
    assert list[object](listed.tools) == [read_owner, add]


def test_agent_with_changes_has_the_same_type_unless_its_output_changes() -> None:
    agent = Agent(name="a", model=MODEL, tools=[read_owner], output_type=int)

    assert_type(agent.replace(model=MODEL, tools=[add]), Agent[Account, int])
    assert_type(agent.replace(output_type=str, name="b"), Agent[Account, str])
    assert_type(agent.replace(name="b").run_sync("Hi.", deps=Account()).output, int)
    agent.replace(tools=[read_name])  # type: ignore[list-item]
    with pytest.raises(ConfigurationError, match="needs a name"):
        agent.replace(name=3)  # type: ignore[call-overload]


def test_generic_classes_can_be_made_with_their_types_stated() -> None:
    # Python 3.11 cannot call these where the class is frozen and has slots.
    context = ToolContext[str]("Ada", "run", "call")
    guardrail = Guardrail[object]("g", frozenset({"input"}), lambda text, context: Verdict.allow())
    result = RunResult[int](4, (), Usage(), "run")
    made = Tool[None](add.spec, add.call)

    assert_type(context.deps, str)
    assert_type(guardrail, Guardrail[object])
    assert_type(result.output, int)
    assert_type(made, Tool[None])
    assert (context.deps, guardrail.name, result.output, made.name) == ("Ada", "g", 4, "add")


def test_output_type_is_the_type_of_the_output() -> None:
    agent = Agent(name="a", model=MODEL, tools=[add], output_type=int)

    assert_type(agent, Agent[object, int])
    assert_type(agent.output_type, TypeForm[int])
    assert_type(agent.run_sync("Hi.", deps=None).output, int)


def test_stream_ends_with_a_result_of_the_output_type() -> None:
    async def main() -> int | None:
        agent = Agent(name="a", model=MODEL, output_type=int)
        async for event in agent.stream("Hi."):
            if isinstance(event, RunFinished):
                assert_type(event.result, RunResult[int])
                return event.result.output
        return None

    assert asyncio.run(main()) == 1


def test_deps_of_a_subclass_are_accepted() -> None:
    model = ScriptedModel([create_tool_call("read_owner", {}), "done"])
    agent = Agent(name="a", model=model, tools=[read_owner])

    assert agent.run_sync("Hi.", deps=SavingsAccount()).output == "done"


def test_wrong_and_missing_deps_are_found() -> None:
    agent = Agent(name="a", model=MODEL, tools=[read_owner])

    agent.run_sync("Hi.", deps="Ada")  # type: ignore[arg-type]
    agent.run_sync("Hi.")  # type: ignore[call-arg]


def test_output_used_as_another_type_is_found() -> None:
    number: int = Agent(name="a", model=MODEL).run_sync("Hi.").output  # type: ignore[assignment]

    assert number == "1"  # type: ignore[comparison-overlap]


def test_agent_without_deps_does_not_stand_for_one_with() -> None:
    agent: Agent[None, str] = Agent[Account, str](name="a", model=MODEL)  # type: ignore[assignment]

    assert agent.name == "a"


def write(context: RunContext[Account]) -> str:
    return f"Serve {context.deps.owner}."


async def write_later(context: RunContext[Account]) -> str:
    return write(context)


def write_for_anybody(context: RunContext[object]) -> str:
    return f"You are {context.agent}."


def test_agent_infers_deps_from_its_computed_instructions() -> None:
    agent = Agent(name="a", model=MODEL, instructions=write)

    assert_type(agent, Agent[Account, str])
    assert_type(agent.run_sync("Hi.", deps=SavingsAccount()).output, str)
    assert_type(Agent(name="a", model=MODEL, instructions=write_later), Agent[Account, str])


def test_computed_instructions_fit_stated_deps() -> None:
    agent = Agent[Account, str](name="a", model=MODEL, instructions=write, tools=[add])
    later = Agent[SavingsAccount, str](name="a", model=MODEL, instructions=write_for_anybody)

    assert agent.run_sync("Hi.", deps=Account()).output == "1"
    assert later.run_sync("Hi.", deps=SavingsAccount()).output == "1"


def test_computed_instructions_with_other_deps_are_found() -> None:
    agent = Agent[str, str](name="a", model=MODEL, instructions=write)  # type: ignore[arg-type]

    with pytest.raises(ConfigurationError, match="AttributeError: 'str' object has no attribute"):
        agent.run_sync("Hi.", deps="Ada")


def create_tools(context: RunContext[Account]) -> list[Tool[Account]]:
    return [read_owner] if context.deps.owner else []


async def create_tools_later(context: RunContext[Account]) -> list[Tool[Account]]:
    return create_tools(context)


def test_toolsets_need_the_deps_of_their_tools() -> None:
    assert_type(combine_tools(add), Toolset[object])
    assert_type(combine_tools(add, read_owner), Toolset[Account])
    assert_type(combine_tools(read_owner).prefix("x_").only("x_read_owner"), Toolset[Account])
    assert_type(create_tools_per_run(create_tools), Toolset[Account])
    assert_type(create_tools_per_run(create_tools_later), Toolset[Account])


def test_agent_infers_deps_from_its_toolsets() -> None:
    agent = Agent(name="a", model=MODEL, tools=[create_tools_per_run(create_tools)])

    assert_type(agent, Agent[Account, str])
    assert_type(agent.run_sync("Hi.", deps=Account()).output, str)
    with pytest.raises(ConfigurationError, match="AttributeError: 'str' object has no attribute"):
        agent.run_sync("Hi.", deps="Ada")  # type: ignore[arg-type]


def test_toolset_with_other_deps_is_found() -> None:
    toolset = combine_tools(read_owner)
    agent = Agent[str, str](name="a", model=MODEL, tools=[toolset])  # type: ignore[list-item]

    assert agent.name == "a"


def test_schema_tool_needs_the_deps_of_its_function() -> None:
    def call(context: ToolContext[Account], arguments: dict[str, Any]) -> str:
        return f"{context.deps.owner}: {arguments}"

    made = create_schema_tool(call, name="x", description="", parameters={"type": "object"})

    assert_type(made, Tool[Account])


def allow(text: str, context: GuardrailContext[Account]) -> Verdict:
    return Verdict.allow()


def test_agent_infers_deps_from_its_guardrails() -> None:
    guardrail = Guardrail("g", frozenset({"input"}), allow)

    assert_type(guardrail, Guardrail[Account])
    assert_type(Agent(name="a", model=MODEL, guardrails=[guardrail]), Agent[Account, str])


def test_guardrail_with_other_deps_is_found() -> None:
    guardrail = Guardrail("g", frozenset({"input"}), allow)
    agent = Agent[str, str](name="a", model=MODEL, guardrails=[guardrail])  # type: ignore[list-item]

    assert agent.run_sync("Hi.", deps="Ada").output == "1"


def test_agents_to_hand_over_to_share_deps_and_output() -> None:
    other = Agent(name="b", model=MODEL, tools=[read_owner], output_type=int)
    agent = Agent(name="a", model=MODEL, output_type=int, handoffs=[other])

    assert_type(agent, Agent[Account, int])
    assert_type(agent.run_sync("Hi.", deps=Account()).output, int)


def test_agent_to_hand_over_to_with_other_deps_is_found() -> None:
    other = Agent(name="b", model=MODEL, tools=[read_owner])
    agent = Agent[str, str](name="a", model=MODEL, handoffs=[other])  # type: ignore[list-item]

    assert agent.handoffs == (other,)  # type: ignore[comparison-overlap]


def test_agent_to_hand_over_to_with_another_output_is_found() -> None:
    other = Agent(name="b", model=MODEL, output_type=int)

    with pytest.raises(ConfigurationError, match="same output_type"):
        Agent(name="a", model=MODEL, handoffs=[other])  # type: ignore[list-item]


def test_agent_as_a_tool_needs_the_deps_of_the_agent() -> None:
    made = Agent(name="b", model=MODEL, tools=[read_owner], output_type=int).as_tool()

    assert_type(made, Tool[Account])
    assert_type(Agent(name="a", model=MODEL, tools=[made]), Agent[Account, str])
    agent = Agent[str, str](name="a", model=MODEL, tools=[made])  # type: ignore[list-item]
    assert agent.tools == (made,)  # type: ignore[comparison-overlap]


def test_output_is_inferred_in_each_mode() -> None:
    assert_type(
        Agent(name="a", model=MODEL, output_type=list[int], output_mode="prompt").output_type,
        TypeForm[list[int]],
    )
    agent = Agent(name="a", model=MODEL, output_type=int, output_mode="prompt")

    assert_type(agent.run_sync("Hi.").output, int)


def test_output_mode_without_an_output_type_is_found() -> None:
    agent = Agent(name="a", model=MODEL, output_mode="tool")  # type: ignore[call-overload]

    assert agent.run_sync("Hi.").output == "1"


def test_scripted_model_is_a_model() -> None:
    model: Model = ScriptedModel([])

    assert model.name == "scripted"


def test_workflow_is_typed_from_its_first_to_its_last_step() -> None:
    workflow = Workflow("w", step(count)).then(step(show))

    assert_type(workflow, Workflow[str, str])
    assert asyncio.run(workflow.run("four")) == "4"


def test_step_that_does_not_fit_the_one_before_is_found() -> None:
    with pytest.raises(ConfigurationError, match="'again' takes str, but 'count' gives int"):
        Workflow("w", step(count)).then(step(count, name="again"))  # type: ignore[arg-type]


def test_wrong_input_of_a_workflow_is_found() -> None:
    with pytest.raises(WorkflowError, match="'count' raised TypeError"):
        asyncio.run(Workflow("w", step(count)).run(4))  # type: ignore[arg-type]


async def list_words(text: str) -> list[str]:
    return text.split()


async def join_counts(counts: list[int]) -> int:
    return sum(counts)


async def join_pair(pair: tuple[int, str]) -> str:
    return f"{pair[1]}{pair[0]}"


async def read_text(text: str) -> str:
    return text


def is_long(text: str) -> bool:
    return len(text) > 3


def test_nodes_are_typed_from_their_steps() -> None:
    both = parallel("both", step(count), step(read_text))
    long_or_not = branch("long", is_long, {True: step(count), False: step(count, name="again")})
    grown = loop("grow", step(read_text), until=is_long, max_turns=1)
    words = Workflow("words", step(list_words)).then(map_each("each", step(count)))

    assert_type(both, Parallel[str, tuple[int, str]])
    assert_type(long_or_not, Branch[str, int])
    assert_type(grown, Loop[str, str])
    assert_type(words, Workflow[str, list[int]])
    assert_type(words.then(step(join_counts)), Workflow[str, int])
    assert asyncio.run(Workflow("w", both).then(step(join_pair)).run("four")) == "four4"


def test_agent_as_a_step_has_the_agents_output() -> None:
    agent = Agent(name="a", model=MODEL, output_type=int)

    assert_type(agent_step(agent), Step[str, int])
    assert_type(Workflow("w", agent_step(agent)).then(step(show)), Workflow[str, str])


def test_output_of_an_agent_may_be_a_union_or_a_literal() -> None:
    number_or_text = Agent(
        name="a", model=ScriptedModel(['{"value": 3}']), output_type=int | str
    ).run_sync("Hi.")
    yes_or_no = Agent(
        name="a", model=ScriptedModel(['{"value": "yes"}']), output_type=Literal["yes", "no"]
    ).run_sync("Hi.")
    maybe = Agent(
        name="a", model=ScriptedModel(['{"value": null}']), output_type=int | None
    ).run_sync("Hi.")

    assert_type(number_or_text, RunResult[int | str])
    assert_type(yes_or_no.output, Literal["yes", "no"])
    assert_type(maybe.output, int | None)
    assert (number_or_text.output, yes_or_no.output, maybe.output) == (3, "yes", None)


def test_agent_step_with_wrong_or_missing_deps_is_found() -> None:
    agent = Agent(name="a", model=MODEL, tools=[read_owner])

    assert agent_step(agent, deps=Account()).name == "a"
    assert agent_step(agent).name == "a"  # type: ignore[arg-type]
    assert agent_step(agent, deps="Ada").name == "a"  # type: ignore[misc]


def test_map_over_the_wrong_items_is_found() -> None:
    with pytest.raises(ConfigurationError, match="'each' takes"):
        Workflow("w", step(list_words)).then(map_each("each", step(show)))  # type: ignore[arg-type]
