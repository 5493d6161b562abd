from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from agent_factory.core.events import GuardrailChecked, ToolRetried
from agent_factory.core.messages import (
    AssistantMessage,
    Image,
    Reasoning,
    SystemMessage,
    ToolCall,
    UserMessage,
)
from tests.core.records.run_events import create_run
from tests.core.telemetry.watching import (
    ANSWERING,
    ASKING,
    AT,
    BEGUN,
    CALL,
    CALLING,
    DONE,
    ENDED,
    FAILED,
    SECRET,
    STARTED,
    Watcher,
    every_event,
    show,
)


def test_nothing_that_was_said_is_recorded_by_default() -> None:
    whole = every_event(SECRET)

    finished, failed = Watcher().watch(whole), Watcher().watch(create_run(*whole[:-1], FAILED))

    for watcher in (finished, failed):
        assert len(watcher.tracer.spans) == 4
        assert SECRET not in show(watcher)


def test_name_that_no_tool_can_have_is_not_told() -> None:
    invented = ToolCall("c9", f"say {SECRET}!", "{}")
    watcher = Watcher().watch(
        create_run(
            STARTED,
            replace(BEGUN, call=invented),
            ToolRetried(**AT, call=invented, attempt=1, reason=""),
            replace(ENDED, call=invented, outcome="error"),
            GuardrailChecked(
                **AT, guardrail="g", stage="tool_call", decision="block", tool=invented.name
            ),
        )
    )

    assert watcher.find("execute_tool _OTHER").attributes["gen_ai.tool.name"] == "_OTHER"
    assert SECRET not in show(watcher)


def test_canary_would_be_seen_if_it_were_recorded() -> None:
    shown = show(Watcher(content=True).watch(every_event(SECRET)))

    assert shown.count(SECRET) > 20


def test_content_has_the_shape_of_the_conventions() -> None:
    asked = UserMessage(
        "What is this?", (Image("data:image/png;base64,AA=="), Image("https://example.org/a.png"))
    )
    thinking = AssistantMessage(
        "Look.", (replace(CALL, arguments='{"x": 1}'),), (Reasoning("Hm."),)
    )
    watcher = Watcher(content=True).watch(
        create_run(
            replace(STARTED, messages=(SystemMessage("Be brief."), asked)),
            ASKING,
            replace(CALLING, message=thinking),
            replace(BEGUN, call=thinking.tool_calls[0]),
            replace(ENDED, call=thinking.tool_calls[0], content="a cat"),
            replace(ASKING, model="openai:gpt-5"),
            replace(ANSWERING, message=AssistantMessage("A cat.")),
            DONE,
        )
    )

    start: list[dict[str, Any]] = [
        {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
        {
            "role": "user",
            "parts": [
                {"type": "text", "content": "What is this?"},
                {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "AA=="},
                {"type": "uri", "modality": "image", "uri": "https://example.org/a.png"},
            ],
        },
    ]
    parts = [
        {"type": "reasoning", "content": "Hm."},
        {"type": "text", "content": "Look."},
        {"type": "tool_call", "id": "c1", "name": "look", "arguments": {"x": 1}},
    ]
    result = {"type": "tool_call_response", "id": "c1", "response": "a cat"}
    answer = [
        {
            "role": "assistant",
            "parts": [{"type": "text", "content": "A cat."}],
            "finish_reason": "stop",
        }
    ]

    def read(name: str, attribute: str) -> Any:
        return json.loads(str(watcher.find(name).attributes[attribute]))

    assert read("invoke_agent clerk", "gen_ai.input.messages") == start
    assert read("chat gpt-5-mini", "gen_ai.input.messages") == start
    assert read("chat gpt-5-mini", "gen_ai.output.messages") == [
        {"role": "assistant", "parts": parts, "finish_reason": "tool_call"}
    ]
    assert read("chat gpt-5", "gen_ai.input.messages") == [
        *start,
        {"role": "assistant", "parts": parts},
        {"role": "tool", "parts": [result]},
    ]
    assert read("chat gpt-5", "gen_ai.output.messages") == answer
    assert read("invoke_agent clerk", "gen_ai.output.messages") == answer
    assert read("execute_tool look", "gen_ai.tool.call.arguments") == {"x": 1}
    assert watcher.find("execute_tool look").attributes["gen_ai.tool.call.result"] == "a cat"


def test_content_has_the_text_of_errors() -> None:
    watcher = Watcher(content=True).watch(create_run(STARTED, FAILED))

    span = watcher.find("invoke_agent clerk")
    assert span.error == SECRET
    assert span.attributes["exception.message"] == SECRET


def test_arguments_that_are_no_json_are_recorded_as_they_are() -> None:
    broken = AssistantMessage("", (ToolCall("c1", "look", "{"),))
    watcher = Watcher(content=True).watch(
        create_run(STARTED, ASKING, replace(CALLING, message=broken))
    )

    output = json.loads(str(watcher.find("chat gpt-5-mini").attributes["gen_ai.output.messages"]))
    assert output[0]["parts"][0]["arguments"] == "{"
