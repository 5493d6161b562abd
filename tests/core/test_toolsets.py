from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any

import pytest

from agent_factory.core import (
    Agent,
    ConfigurationError,
    Limits,
    RunContext,
    RunOptions,
    RunTimeoutError,
    Tool,
    ToolContext,
    ToolDefinitionError,
    ToolMessage,
    Toolset,
    UserMessage,
    combine_tools,
    create_schema_tool,
    create_tools_per_run,
    create_toolset,
    tool,
    tool_method,
)
from agent_factory.core.exceptions import BlueprintError, ToolArgumentsError
from agent_factory.core.testing import ScriptedModel, create_tool_call
from tests.utils import create_test_tool

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CONTEXT: RunContext[Any] = RunContext(None, "run", "tester", "Hi.")


def create_agent(*tools: Any, answers: Sequence[Any] = ("done",), **given: Any) -> Agent[Any, str]:
    return Agent(name="tester", model=ScriptedModel(answers), tools=tools, **given)


def list_names(toolset: Toolset[Any]) -> list[str]:
    return [item.name for item in asyncio.run(toolset.list_tools(CONTEXT))]


def list_offered(agent: Agent[Any, str], **given: Any) -> list[str]:
    agent.run_sync("Hi.", **given)
    assert isinstance(agent.model, ScriptedModel)
    return [spec.name for spec in agent.model.requests[0].tools]


def call(item: Tool[Any], arguments: str = "{}", deps: object = None) -> str:
    context: ToolContext[Any] = ToolContext(deps, "run", "call")
    return asyncio.run(item.run(context, arguments))


ABC = combine_tools(*(create_test_tool(name) for name in "abc"))


def test_combined_tools_keep_their_order() -> None:
    both = combine_tools(create_test_tool("first"), ABC, create_test_tool("last"))

    assert list_names(both) == ["first", "a", "b", "c", "last"]


def test_prefix_stands_before_each_name() -> None:
    assert list_names(ABC.prefix("x_")) == ["x_a", "x_b", "x_c"]


def test_rename_changes_the_names_given() -> None:
    assert list_names(ABC.rename({"b": "beta"})) == ["a", "beta", "c"]


def test_filter_keeps_what_the_function_keeps() -> None:
    assert list_names(ABC.filter(lambda item: item.name != "b")) == ["a", "c"]


def test_only_keeps_the_names_given() -> None:
    assert list_names(ABC.only("c", "a")) == ["a", "c"]


def test_each_change_leaves_the_toolset_as_it_was() -> None:
    ABC.prefix("x_").only("x_a").require_approval()

    assert list_names(ABC) == ["a", "b", "c"]
    assert not any(item.needs_approval for item in asyncio.run(ABC.list_tools(CONTEXT)))


def test_changes_add_up() -> None:
    changed = ABC.only("a", "b").rename({"a": "z"}).prefix("x_").filter(lambda x: x.name != "x_b")

    assert list_names(changed) == ["x_z"]


def test_tools_may_all_need_approval() -> None:
    tools = asyncio.run(ABC.require_approval().list_tools(CONTEXT))

    assert all(item.needs_approval for item in tools)


@pytest.mark.parametrize(
    "changed", [ABC.only("a", "bb"), ABC.rename({"bb": "x"})], ids=["only", "rename"]
)
def test_unknown_name_is_refused_with_a_hint(changed: Toolset[Any]) -> None:
    with pytest.raises(ConfigurationError, match="no tool named 'bb': did you mean 'b'"):
        create_agent(changed).run_sync("Hi.")


def test_renamed_tool_does_what_it_did_before() -> None:
    calls: list[str] = []
    tools = combine_tools(create_test_tool("look", calls=calls)).prefix("my_")
    agent = create_agent(tools, answers=[create_tool_call("my_look", {"text": "x"}), "done"])

    assert agent.run_sync("Hi.").messages[-2] == ToolMessage("call-1", "my_look", "x")
    assert calls == ["x"]


@pytest.mark.parametrize("with_schema", [False, True])
def test_renamed_tool_speaks_of_itself_by_its_new_name(with_schema: bool) -> None:
    item: Tool[Any] = create_test_tool("look")
    if with_schema:
        item = create_schema_tool(
            lambda _, values: values, name="look", description="", parameters=item.spec.parameters
        )
    (renamed,) = asyncio.run(combine_tools(item).prefix("my_").list_tools(CONTEXT))

    checks: list[Callable[[], object]] = [
        lambda: call(renamed, '{"text": 1}'),
        lambda: renamed.normalise('{"text": 1}'),
    ]
    for check in checks:
        with pytest.raises(ToolArgumentsError, match="tool 'my_look'") as caught:
            check()
        assert "'look'" not in caught.value.message
        assert caught.value.tool == "my_look"


def test_name_that_no_tool_may_have_is_refused() -> None:
    with pytest.raises(ToolDefinitionError, match="'my look'"):
        create_agent(combine_tools(create_test_tool("look")).prefix("my ")).run_sync("Hi.")


def test_two_tools_of_one_name_are_refused_at_once() -> None:
    with pytest.raises(ConfigurationError, match=r"'tester'.*more than one tool named 'a'"):
        create_agent(create_test_tool("a"), create_test_tool("a"))


@pytest.mark.parametrize(
    "tools",
    [
        (create_test_tool("a"), ABC),
        (ABC, ABC.only("a")),
        (combine_tools(ABC, create_test_tool("a")),),
        (ABC.rename({"b": "a"}),),
    ],
)
def test_two_tools_of_one_name_in_toolsets_are_refused_when_a_run_begins(tools: Any) -> None:
    agent = create_agent(*tools)

    with pytest.raises(ConfigurationError, match=r"'a'.*prefix\(\) or rename\(\)"):
        agent.run_sync("Hi.")
    assert isinstance(agent.model, ScriptedModel)
    assert agent.model.requests == []


def test_tools_of_the_run_come_after_those_of_the_agent() -> None:
    options = RunOptions(tools=(create_test_tool("more"), ABC))

    assert list_offered(create_agent(create_test_tool("own")), options=options) == [
        "own",
        "more",
        "a",
        "b",
        "c",
    ]


def test_tool_of_the_run_that_is_named_like_one_of_the_agent_is_refused() -> None:
    options = RunOptions(tools=(create_test_tool("a"),))

    with pytest.raises(ConfigurationError, match="more than one tool named 'a'"):
        create_agent(create_test_tool("a")).run_sync("Hi.", options=options)


def test_tools_of_the_run_are_gone_in_the_next_one() -> None:
    agent = create_agent(create_test_tool("own"), answers=["done", "done"])
    agent.run_sync("Hi.", options=RunOptions(tools=(create_test_tool("more"),)))
    agent.run_sync("Hi.")

    assert isinstance(agent.model, ScriptedModel)
    assert [spec.name for spec in agent.model.requests[1].tools] == ["own"]


def create_tools(context: RunContext[str]) -> list[Tool[Any]]:
    return [create_test_tool(f"{context.deps}_{context.agent}_{len(context.prompt)}")]


async def create_tools_later(context: RunContext[str]) -> tuple[Tool[Any], ...]:
    await asyncio.sleep(0)
    return tuple(create_tools(context))


@pytest.mark.parametrize("create", [create_tools, create_tools_later])
def test_tools_can_be_made_for_each_run(create: Any) -> None:
    agent = create_agent(create_tools_per_run(create), answers=["done", "done"])

    assert list_offered(agent, deps="ada") == ["ada_tester_3"]
    agent.run_sync("Hello!", deps="bob")
    assert isinstance(agent.model, ScriptedModel)
    assert [spec.name for spec in agent.model.requests[1].tools] == ["bob_tester_6"]


def test_tools_made_for_a_run_can_be_called_in_it() -> None:
    agent = create_agent(
        create_tools_per_run(create_tools).prefix("x_"),
        answers=[create_tool_call("x_ada_tester_3", {"text": "here"}), "done"],
    )

    assert agent.run_sync("Hi.", deps="ada").messages[-2] == ToolMessage(
        "call-1", "x_ada_tester_3", "here"
    )


def test_object_with_state_can_be_made_for_each_run() -> None:
    made: list[Notebook] = []

    def create(_: RunContext[Any]) -> list[Tool[Any] | Toolset[Any]]:
        made.append(Notebook())
        return [create_toolset(made[-1]).prefix("my_"), create_test_tool("own")]

    note = create_tool_call("my_note", {"text": "x"})
    agent = create_agent(create_tools_per_run(create), answers=[note, "done"] * 2)

    assert list_offered(agent) == ["my_note", "my_read", "own"]
    agent.run_sync("Hi.")
    assert [notebook.notes for notebook in made] == [["x"], ["x"]]


def test_changes_apply_to_what_is_made_for_each_run() -> None:
    kept = {"a"}

    def create(context: RunContext[str]) -> list[Tool[Any]]:
        return [create_test_tool(name) for name in context.deps]

    toolset = create_tools_per_run(create).filter(lambda item: item.name in kept).prefix("x_")

    def list_for(deps: str) -> list[str]:
        context = RunContext(deps, "run", "tester", "Hi.")
        return [item.name for item in asyncio.run(toolset.list_tools(context))]

    assert list_for("ab") == ["x_a"]
    assert list_for("b") == []
    kept.add("b")
    assert list_for("ab") == ["x_a", "x_b"]


def test_unknown_name_is_refused_where_there_are_no_tools_at_all() -> None:
    with pytest.raises(ConfigurationError, match="no tool named 'a': there are none"):
        list_names(combine_tools().only("a"))


def plain(text: str) -> str:
    return text


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (None, "NoneType in place of a list"),
        (create_test_tool("a"), "Tool in place of a list"),
        ([create_test_tool("a"), plain], "the function plain among its tools: make a tool of it"),
        (["look"], "str among its tools"),
    ],
)
def test_function_that_makes_no_tools_is_refused(made: Any, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        create_agent(create_tools_per_run(lambda _: made)).run_sync("Hi.")


def test_function_in_place_of_a_tool_is_refused_with_what_to_do() -> None:
    with pytest.raises(ConfigurationError, match=r"'tester'.*function plain.*@tool"):
        create_agent(plain).run_sync("Hi.")


def test_agent_in_place_of_a_tool_is_refused_with_what_to_do() -> None:
    with pytest.raises(ConfigurationError, match=r"'tester' got Agent .*as_tool\(\)"):
        create_agent(create_agent()).run_sync("Hi.")


def test_toolset_that_fails_ends_the_run_before_the_model_is_asked() -> None:
    def fail(_: RunContext[Any]) -> list[Tool[Any]]:
        raise ConnectionError("no server")

    agent = create_agent(create_tools_per_run(fail))

    with pytest.raises(ConfigurationError, match=r"'tester'.*ConnectionError: no server") as caught:
        agent.run_sync("Hi.")
    assert isinstance(caught.value.__cause__, ConnectionError)
    assert isinstance(agent.model, ScriptedModel)
    assert agent.model.requests == []


def test_toolset_that_fails_on_purpose_keeps_its_error() -> None:
    error = BlueprintError("no", problems=())

    class Failing(Toolset[Any]):
        async def list_tools(self, context: RunContext[Any]) -> tuple[Tool[Any], ...]:
            raise error

    with pytest.raises(BlueprintError) as caught:
        create_agent(Failing()).run_sync("Hi.")
    assert caught.value is error


def test_toolset_that_never_answers_ends_with_the_time_of_the_run() -> None:
    async def wait(_: RunContext[Any]) -> list[Tool[Any]]:
        await asyncio.sleep(math.inf)
        return []

    agent = create_agent(create_tools_per_run(wait), limits=Limits(timeout=0.05))

    with pytest.raises(RunTimeoutError):
        agent.run_sync("Hi.")


class Notebook:
    def __init__(self, title: str = "") -> None:
        self.title = title
        self.notes: list[str] = []

    @tool_method(effect="idempotent", timeout=5)
    def note(self, text: str) -> int:
        """Keep a note.

        Args:
            text: What to keep.
        """
        self.notes.append(text)
        return len(self.notes)

    @tool_method
    async def read(self, context: ToolContext[str]) -> str:
        """Read all notes."""
        return f"{context.deps}: {', '.join(self.notes)}"

    def burn(self) -> None:
        self.notes.clear()


def get_tools(instance: object) -> dict[str, Tool[Any]]:
    tools = asyncio.run(create_toolset(instance).list_tools(CONTEXT))
    return {item.name: item for item in tools}


def test_marked_methods_are_tools_with_their_options() -> None:
    tools = get_tools(Notebook())

    assert list(tools) == ["note", "read"]
    assert (tools["note"].effect, tools["note"].timeout) == ("idempotent", 5)
    assert tools["note"].spec.description == "Keep a note."
    properties = tools["note"].spec.parameters["properties"]
    assert properties == {"text": {"description": "What to keep.", "type": "string"}}
    assert (tools["read"].effect, tools["read"].spec.parameters["properties"]) == ("once", {})


def test_marked_method_can_still_be_called() -> None:
    assert Notebook().note("x") == 1


def test_tools_of_an_object_share_its_state_and_two_objects_do_not() -> None:
    first, second = Notebook(), Notebook()
    tools, others = get_tools(first), get_tools(second)

    assert call(tools["note"], '{"text": "a"}') == "1"
    assert call(tools["note"], '{"text": "b"}') == "2"
    assert call(others["note"], '{"text": "c"}') == "1"
    assert call(tools["read"], deps="Ada") == "Ada: a, b"
    assert (first.notes, second.notes) == (["a", "b"], ["c"])


def test_two_objects_of_a_class_serve_one_agent_with_prefixes() -> None:
    work, home = Notebook(), Notebook()
    agent = create_agent(
        create_toolset(work).prefix("work_"),
        create_toolset(home).prefix("home_"),
        answers=[create_tool_call("home_note", {"text": "x"}), "done"],
    )

    agent.run_sync("Hi.", deps="Ada")

    assert (work.notes, home.notes) == ([], ["x"])


class Diary(Notebook):
    @tool_method(name="add")
    def note(self, text: str) -> int:
        return super().note(f"dear diary, {text}")

    @tool_method
    def count(self) -> int:
        return len(self.notes)

    def read(self, context: ToolContext[str]) -> str:  # type: ignore[override]
        return "private"


def test_methods_of_base_classes_are_tools_and_overrides_where_they_are_marked() -> None:
    diary = Diary()
    tools = get_tools(diary)

    assert sorted(tools) == ["add", "count"]
    assert tools["add"].effect == "once"
    assert call(tools["add"], '{"text": "x"}') == "1"
    assert diary.notes == ["dear diary, x"]

    class Plain(Notebook):
        pass

    assert sorted(get_tools(Plain())) == ["note", "read"]


def test_static_and_class_methods_can_be_marked_in_either_order() -> None:
    class Clock:
        zone = "UTC"

        @staticmethod
        @tool_method
        def tick() -> str:
            return "tick"

        @tool_method
        @staticmethod
        def tock() -> str:
            return "tock"

        @classmethod
        @tool_method(effect="read")
        def show(cls) -> str:
            return cls.zone

    tools = get_tools(Clock())

    assert {name: call(item) for name, item in tools.items()} == {
        "tick": "tick",
        "tock": "tock",
        "show": "UTC",
    }


def test_object_without_a_marked_method_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="no method of object is a tool: put @tool_method"):
        create_toolset(object())


def test_class_in_place_of_an_object_is_refused() -> None:
    with pytest.raises(
        ConfigurationError, match=r"not the class Notebook: pass Notebook\(\.\.\.\)"
    ):
        create_toolset(Notebook)


def test_method_that_cannot_be_a_tool_is_refused_at_once() -> None:
    class Wrong:
        @tool_method
        def look(self, text) -> str:  # type: ignore[no-untyped-def]
            return str(text)

    with pytest.raises(ToolDefinitionError, match=r"'look'.*'text' needs a type annotation"):
        create_toolset(Wrong())


def test_own_toolset_is_asked_once_a_run_with_its_context() -> None:
    asked: list[RunContext[Any]] = []

    class Own(Toolset[Any]):
        async def list_tools(self, context: RunContext[Any]) -> tuple[Tool[Any], ...]:
            asked.append(context)
            return (create_test_tool("own"),)

    agent = create_agent(
        Own(), answers=[create_tool_call("own", {}), create_tool_call("own", {}), "done"]
    )

    result = agent.run_sync(UserMessage("Hi."), deps="Ada")

    assert asked == [RunContext("Ada", result.run_id, "tester", "Hi.")]


def test_toolset_stands_beside_tools_of_functions() -> None:
    @tool
    def own() -> str:
        return "own"

    assert list_offered(create_agent(own, ABC.only("b"))) == ["own", "b"]


@pytest.mark.parametrize("listed", [None, 5, [len], ["look"], len], ids=repr)
def test_toolset_that_gives_something_else_than_tools_is_refused(listed: Any) -> None:
    class Odd(Toolset[Any]):
        async def list_tools(self, context: RunContext[Any]) -> Any:
            return listed

    agent = create_agent(Odd())

    with pytest.raises(ConfigurationError, match="toolset of agent 'tester'"):
        agent.run_sync("Hi.")
