from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest

from agent_factory.core import (
    Agent,
    ConfigurationError,
    Image,
    RunStarted,
    UserMessage,
)
from agent_factory.core.guardrails import Guardrail, Verdict
from agent_factory.core.testing import ScriptedModel, create_tool_call
from tests.utils import create_test_tool

CAT = Image("https://example.com/cat.png", "low")
DOT = Image.from_bytes(b"\x89PNG", "image/png", detail="high")
PROMPT = UserMessage("What is it?", (CAT, DOT))


def test_images_reach_the_model_with_the_words() -> None:
    model = ScriptedModel(["A cat."])

    result = Agent(name="a", model=model, instructions="Look.").run_sync(PROMPT)

    assert model.requests[0].messages[1] == PROMPT
    assert result.messages[1] == PROMPT


def test_images_go_on_with_each_request_of_the_run() -> None:
    model = ScriptedModel([create_tool_call("look", {}), "A cat."])

    Agent(name="a", model=model, tools=[create_test_tool("look")]).run_sync(PROMPT)

    assert [request.messages[0] for request in model.requests] == [PROMPT, PROMPT]


def test_images_of_a_history_reach_the_model() -> None:
    model = ScriptedModel(["A cat.", "Yes."])
    agent = Agent(name="a", model=model)

    agent.run_sync("Sure?", history=agent.run_sync(PROMPT).messages)

    assert model.requests[1].messages[0] == PROMPT


def test_images_reach_the_agent_that_goes_on_after_a_handoff() -> None:
    model = ScriptedModel(["A cat."])
    agent = Agent(
        name="desk",
        model=ScriptedModel([create_tool_call("transfer_to_eye", {})]),
        handoffs=[Agent(name="eye", model=model)],
    )

    agent.run_sync(PROMPT)

    assert model.requests[0].messages[0] == PROMPT


def test_images_stay_where_a_guardrail_replaces_the_words() -> None:
    model = ScriptedModel(["A cat."])
    soften: Guardrail[object] = Guardrail(
        "soften", frozenset({"input"}), lambda *_: Verdict.replace("What might it be?", "politer")
    )

    Agent[Any, str](name="a", model=model, guardrails=[soften]).run_sync(PROMPT)

    assert model.requests[0].messages[0] == UserMessage("What might it be?", (CAT, DOT))


def test_prompt_of_images_alone_is_taken() -> None:
    model = ScriptedModel(["A cat."])

    Agent(name="a", model=model).run_sync(UserMessage("", (CAT,)))

    assert model.requests[0].messages == (UserMessage("", (CAT,)),)


def test_first_event_has_the_words_and_the_message_with_its_images() -> None:
    events: list[Any] = []

    async def main() -> None:
        async for event in Agent(name="a", model=ScriptedModel(["A cat."])).stream(PROMPT):
            events.append(event)

    asyncio.run(main())

    assert isinstance(events[0], RunStarted)
    assert events[0].prompt == "What is it?"
    assert events[0].messages == (PROMPT,)


def test_image_of_bytes_carries_its_data() -> None:
    head, data = DOT.url.split(",")

    assert head == "data:image/png;base64"
    assert base64.b64decode(data) == b"\x89PNG"


@pytest.mark.parametrize("url", ["file:///etc/passwd", "cat.png", "data:text/html,x", ""])
def test_address_that_is_none_of_an_image_is_refused_with_what_to_do(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"Image\.from_bytes"):
        Image(url)


def test_media_type_that_is_none_of_an_image_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="image"):
        Image.from_bytes(b"", "text/plain")


def test_unknown_detail_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match="auto, low, high, not 'huge'"):
        Image("https://example.com/cat.png", "huge")  # type: ignore[arg-type]
