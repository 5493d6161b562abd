from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from agent_factory.core.events import (
    ApprovalDecided,
    ApprovalRequested,
    GuardrailChecked,
    HandedOff,
    ModelRetried,
    OutputRejected,
    ToolFinished,
    ToolRetried,
)
from agent_factory.core.messages import (
    AssistantMessage,
    ToolCall,
)
from agent_factory.core.usage import Usage
from tests.core.records.run_events import create_run
from tests.core.telemetry.watching import (
    ANSWERING,
    ASKING,
    AT,
    BEGIN,
    BEGUN,
    CALL,
    CALLING,
    DONE,
    ENDED,
    FAILED,
    OTHER,
    REQUEST,
    SECOND,
    SECRET,
    STARTED,
    WHOLE,
    Watcher,
)

if TYPE_CHECKING:
    from agent_factory.core.messages import ToolOutcome


def test_run_is_a_tree_of_spans() -> None:
    watcher = Watcher().watch(create_run(*WHOLE))

    assert watcher.tracer.draw().splitlines() == [
        "invoke_agent clerk",
        "  chat gpt-5-mini",
        "  execute_tool look",
        "  chat gpt-5-mini",
    ]
    times = [
        (span.start_time - BEGIN, (span.end_time or 0) - BEGIN) for span in watcher.tracer.spans
    ]
    assert times == [
        (0, 7 * SECOND),
        (SECOND, 2 * SECOND),
        (3 * SECOND, 4 * SECOND),
        (5 * SECOND, 6 * SECOND),
    ]
    assert [span.kind for span in watcher.tracer.spans] == [
        "internal",
        "client",
        "internal",
        "client",
    ]
    assert [span.error for span in watcher.tracer.spans] == [None] * 4


def test_span_of_an_agent_has_the_attributes_of_the_conventions() -> None:
    watcher = Watcher().watch(create_run(*WHOLE))

    assert watcher.find("invoke_agent clerk").attributes == {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.provider.name": "openai",
        "gen_ai.agent.name": "clerk",
        "gen_ai.request.model": "gpt-5-mini",
        "agent_factory.run.id": "run-1",
        "gen_ai.usage.input_tokens": 112,
        "gen_ai.usage.output_tokens": 52,
        "agent_factory.usage.cost": 15,
    }


def test_span_of_a_model_call_has_the_attributes_of_the_conventions() -> None:
    watcher = Watcher().watch(create_run(STARTED, ASKING, CALLING))

    assert watcher.find("chat gpt-5-mini").attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-5-mini",
        "gen_ai.agent.name": "clerk",
        "agent_factory.attempt": 1,
        "gen_ai.response.model": "gpt-5-mini-2026-01-01",
        "gen_ai.response.finish_reasons": ("tool_calls",),
        "gen_ai.usage.input_tokens": 52,
        "gen_ai.usage.output_tokens": 47,
        "gen_ai.usage.cache_read.input_tokens": 20,
        "gen_ai.usage.reasoning.output_tokens": 7,
        "agent_factory.usage.cost": 12,
    }


def test_span_of_a_tool_call_has_the_attributes_of_the_conventions() -> None:
    watcher = Watcher().watch(create_run(STARTED, ASKING, CALLING, BEGUN, ENDED))

    assert watcher.find("execute_tool look").attributes == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "look",
        "gen_ai.tool.type": "function",
        "gen_ai.tool.call.id": "c1",
        "gen_ai.agent.name": "clerk",
    }


@pytest.mark.parametrize(
    ("model", "provider", "asked"),
    [
        ("openai:gpt-5", "openai", "gpt-5"),
        ("mistral:large", "mistral_ai", "large"),
        ("local:qwen:4b", "local", "qwen:4b"),
        ("extractive", "extractive", "extractive"),
        ("gateway:gpt-5", "azure.ai.openai", "gpt-5"),
    ],
)
def test_provider_is_what_the_name_of_the_model_begins_with(
    model: str, provider: str, asked: str
) -> None:
    watcher = Watcher(providers={"gateway": "azure.ai.openai"})

    watcher.watch(create_run(replace(STARTED, model=model), replace(ASKING, model="")))

    for span in watcher.tracer.spans:
        assert span.attributes["gen_ai.provider.name"] == provider
        assert span.attributes["gen_ai.request.model"] == asked
    assert watcher.tracer.spans[1].name == f"chat {asked}"


def test_failed_run_has_the_code_of_its_error_on_all_that_was_under_way() -> None:
    watcher = Watcher().watch(create_run(STARTED, ASKING, CALLING, BEGUN, ASKING, FAILED))

    for span in (watcher.tracer.spans[0], *watcher.tracer.spans[2:]):
        assert span.attributes["error.type"] == "model_rate_limit"
        assert span.error == ""
        assert span.end_time == BEGIN + 5 * SECOND
    assert watcher.tracer.spans[0].attributes["gen_ai.usage.input_tokens"] == 52
    for name in ("invoke_agent", "execute_tool", "client.operation"):
        last = watcher.measured(f"gen_ai.{name}.duration")[-1]
        assert last.attributes["error.type"] == "model_rate_limit"
    assert watcher.logged()[-1] == ("agent_factory.run.failed", "error")
    assert watcher.records[-1].attributes["agent_factory.retryable"] is True


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [("error", "tool"), ("denied", "tool_denied"), ("unknown", "tool_outcome_unknown")],
)
def test_failed_tool_call_has_the_kind_of_its_error(outcome: Any, kind: str) -> None:
    watcher = Watcher().watch(create_run(STARTED, BEGUN, replace(ENDED, outcome=outcome)))

    span = watcher.find("execute_tool look")
    assert (span.attributes["error.type"], span.error) == (kind, "")
    assert watcher.logged()[-1] == ("agent_factory.tool.failed", "warning")
    assert watcher.records[-1].span is span


def test_call_that_never_began_has_no_span_and_its_name_is_not_told() -> None:
    invented = ToolFinished(**AT, call=ToolCall("c9", SECRET, "{}"), content="", outcome="error")

    watcher = Watcher().watch(create_run(STARTED, invented, DONE))

    assert watcher.tracer.draw().splitlines() == [
        "invoke_agent clerk",
        "  * agent_factory.tool.not_run",
    ]
    assert watcher.tracer.spans[0].events[0].attributes == {
        "gen_ai.tool.name": "_OTHER",
        "gen_ai.tool.call.id": "c9",
        "error.type": "tool",
    }


@pytest.mark.parametrize("content", [False, True])
@pytest.mark.parametrize("outcome", ["error", "denied"])
def test_name_that_a_model_made_up_is_no_name_of_a_tool(
    outcome: ToolOutcome, content: bool
) -> None:
    invented = ToolCall("c9", SECRET, "{}")
    answer = replace(CALLING, message=AssistantMessage("", (invented,)))
    refused = ToolFinished(**AT, call=invented, content="no", outcome=outcome)

    watcher = Watcher(content=content).watch(create_run(STARTED, ASKING, answer, refused))

    noted = watcher.tracer.spans[0].events[0].attributes
    logged = watcher.records[-1].attributes
    assert noted["gen_ai.tool.name"] == logged["gen_ai.tool.name"] == "_OTHER"
    assert SECRET not in repr([noted, logged])


def test_call_that_was_answered_without_a_tool_is_told_by_its_name() -> None:
    handoff = ToolCall("c9", "transfer_to_boss", "{}")

    watcher = Watcher().watch(create_run(STARTED, ToolFinished(**AT, call=handoff, content="")))

    noted = watcher.tracer.spans[0].events[0].attributes
    assert noted["gen_ai.tool.name"] == "transfer_to_boss"


def test_model_calls_beside_each_other_have_their_own_spans() -> None:
    judge = replace(ASKING, attempt=1, model="openai:judge", aside=True)
    judged = replace(ANSWERING, attempt=1, usage=Usage(1, 7, 1), aside=True)

    watcher = Watcher().watch(
        create_run(
            STARTED,
            judge,
            replace(ASKING, attempt=2),
            ModelRetried(**AT, model="openai:judge", attempt=1, reason="", delay=0),
            judged,
            replace(CALLING, attempt=2),
            DONE,
        )
    )

    assert watcher.tracer.draw().splitlines() == [
        "invoke_agent clerk",
        "  chat judge",
        "    * agent_factory.model.retried",
        "  chat gpt-5-mini",
    ]
    judging, asking = watcher.find("chat judge"), watcher.find("chat gpt-5-mini")
    assert judging.attributes["gen_ai.usage.input_tokens"] == 7
    assert asking.attributes["gen_ai.usage.input_tokens"] == 52
    assert (judging.error, asking.error) == (None, None)
    assert [(span.end_time or 0) - BEGIN for span in (judging, asking)] == [4 * SECOND, 5 * SECOND]
    assert len(watcher.measured("gen_ai.client.token.usage")) == 4


def test_answer_to_a_model_call_that_is_not_known_is_that_of_the_oldest() -> None:
    watcher = Watcher().watch(
        create_run(
            STARTED,
            replace(ASKING, attempt=1, model="openai:first", aside=True),
            replace(ASKING, attempt=2),
            replace(CALLING, attempt=0),
            DONE,
        )
    )

    assert watcher.find("chat first").attributes["gen_ai.usage.input_tokens"] == 52
    assert watcher.find("chat gpt-5-mini").attributes["error.type"] == "abandoned"


def test_model_call_that_failed_ends_where_the_conversation_asks_again() -> None:
    watcher = Watcher().watch(
        create_run(
            STARTED,
            ASKING,
            replace(ASKING, attempt=2, model="openai:b"),
            replace(CALLING, attempt=2),
        )
    )

    failed = watcher.find("chat gpt-5-mini")
    assert failed.attributes["error.type"] == "abandoned"
    assert (failed.end_time or 0) - BEGIN == 2 * SECOND
    assert watcher.find("chat b").error is None


def test_what_happens_between_is_noted_where_it_happens() -> None:
    watcher = Watcher().watch(
        create_run(
            STARTED,
            GuardrailChecked(**AT, guardrail="length", stage="input", decision="allow"),
            ASKING,
            ModelRetried(**AT, model="openai:gpt-5-mini", attempt=1, reason=SECRET, delay=0.5),
            CALLING,
            ApprovalRequested(**AT, request=REQUEST),
            ApprovalDecided(**AT, request=REQUEST, approval=REQUEST.approve("Ada")),
            BEGUN,
            ToolRetried(**AT, call=CALL, attempt=1, reason=SECRET),
            ENDED,
            OutputRejected(**AT, reason=SECRET),
            GuardrailChecked(**AT, guardrail="pii", stage="output", decision="block"),
            HandedOff(**AT, agent="clerk", to="boss", model="openai:gpt-5"),
            replace(ASKING, model=""),
        )
    )

    assert watcher.tracer.draw().splitlines() == [
        "invoke_agent clerk",
        "  * agent_factory.guardrail.checked",
        "  * agent_factory.approval.requested",
        "  * agent_factory.approval.decided",
        "  * agent_factory.output.rejected",
        "  * agent_factory.guardrail.checked",
        "  * agent_factory.handed_off",
        "  chat gpt-5-mini",
        "    * agent_factory.model.retried",
        "  execute_tool look",
        "    * agent_factory.tool.retried",
        "  chat gpt-5",
    ]
    assert watcher.find("chat gpt-5").attributes["gen_ai.agent.name"] == "boss"
    assert watcher.logged() == [
        ("agent_factory.run.started", "info"),
        ("agent_factory.model.retried", "warning"),
        ("agent_factory.approval.requested", "info"),
        ("agent_factory.approval.decided", "info"),
        ("agent_factory.tool.retried", "warning"),
        ("agent_factory.output.rejected", "warning"),
        ("agent_factory.guardrail.checked", "warning"),
        ("agent_factory.handed_off", "info"),
    ]
    decided = watcher.records[3]
    assert decided.attributes["agent_factory.approval.decision"] == "granted"


def test_what_happens_to_a_tool_call_is_noted_in_its_span() -> None:
    checked = GuardrailChecked(
        **AT, guardrail="hosts", stage="tool_call", decision="allow", tool="look"
    )
    watcher = Watcher().watch(
        create_run(
            STARTED,
            BEGUN,
            replace(BEGUN, call=OTHER),
            checked,
            ApprovalRequested(**AT, request=REQUEST),
            ApprovalDecided(**AT, request=REQUEST, approval=None),
            replace(BEGUN, call=replace(OTHER, id="c3", name="look")),
            checked,
        )
    )

    assert watcher.tracer.draw().splitlines() == [
        "invoke_agent clerk",
        "  * agent_factory.guardrail.checked",
        "  execute_tool look",
        "    * agent_factory.guardrail.checked",
        "    * agent_factory.approval.requested",
        "    * agent_factory.approval.decided",
        "  execute_tool list",
        "  execute_tool look",
    ]
    assert watcher.records[-1].attributes["agent_factory.approval.decision"] == "none"


def test_conversation_is_on_every_span_of_its_runs_and_on_no_other() -> None:
    watcher = Watcher()
    observe = watcher.telemetry.for_conversation("talk-7")

    for event in create_run(*WHOLE):
        observe(event)
    watcher.watch(create_run(STARTED, DONE, run_id="run-2"))

    *inside, other = watcher.tracer.spans
    assert {span.attributes["gen_ai.conversation.id"] for span in inside} == {"talk-7"}
    assert "gen_ai.conversation.id" not in other.attributes
