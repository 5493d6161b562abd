from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from agent_factory.core.exceptions import (
    ConfigurationError,
    LimitExceededError,
    ModelResponseError,
    ModelServerError,
)
from agent_factory.core.memory import MemoryPolicy, summarise
from agent_factory.core.messages import (
    AssistantMessage,
    Image,
    Message,
    SystemMessage,
    ToolMessage,
    UserMessage,
    check_history,
)
from agent_factory.core.testing import ScriptedModel
from tests.core.memory.conversations import count_characters, create_context, create_round

if TYPE_CHECKING:
    from agent_factory.core.memory import MemoryContext
    from agent_factory.core.models import Model

MODEL = ScriptedModel([], name="writer")
RULES = SystemMessage("rules")
PROMPT = UserMessage("What now?")
HEADING = "Summary of what was said before, written by a model:\n\n"


class Writer:
    """Answers in place of the summarising model, and keeps what it was asked.

    Args:
        answers: The summaries in their order; an error is raised.
    """

    def __init__(self, *answers: str | Exception) -> None:
        self.answers = list(answers)
        self.questions: list[str] = []
        self.context = create_context(self)

    async def __call__(
        self, model: Model, messages: tuple[Message, ...], *, output: object = None
    ) -> str:
        assert model is MODEL
        instructions, question = check_history(messages)
        assert isinstance(instructions, SystemMessage)
        assert isinstance(question, UserMessage)
        self.questions.append(question.text)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def create(max_tokens: int = 500, keep_tokens: int | None = 120) -> MemoryPolicy:
    return summarise(MODEL, max_tokens=max_tokens, keep_tokens=keep_tokens, count=count_characters)


def select(policy: MemoryPolicy, context: MemoryContext, *messages: Message) -> tuple[Message, ...]:
    return asyncio.run(policy.select(messages, context))


def turn(name: str, size: int = 90) -> tuple[Message, ...]:
    return (UserMessage(f"ask {name}"), AssistantMessage(name * size))


OLD = (*turn("a", 200), *turn("b", 180))
KEPT = (*turn("c"), PROMPT)


def test_conversation_that_fits_asks_no_model() -> None:
    writer = Writer()

    assert select(create(), writer.context, RULES, *turn("a"), PROMPT) == (
        RULES,
        *turn("a"),
        PROMPT,
    )


def test_older_turns_are_replaced_by_one_user_message() -> None:
    writer = Writer(" They talked. ")

    seen = select(create(), writer.context, RULES, *OLD, *KEPT)

    assert seen == (RULES, UserMessage(HEADING + "They talked."), *KEPT)
    assert len(writer.questions) == 1
    assert writer.questions[0].startswith(
        "Transcript of what was said since:\n\nUser: ask a\n\nAss"
    )
    assert "ccc" not in writer.questions[0]
    assert "What now?" not in writer.questions[0]


def test_later_summary_is_made_of_the_earlier_one_and_what_came_since() -> None:
    writer = Writer("first summary", "second summary")
    policy = create()
    messages: tuple[Message, ...] = (RULES, *OLD, *KEPT)
    select(policy, writer.context, *messages)
    messages += (*create_round("d" * 240), *create_round("e" * 80), *create_round("f"))

    seen = select(policy, writer.context, *messages)

    newest = (*create_round("e" * 80), *create_round("f"))
    assert seen == (RULES, UserMessage(HEADING + "second summary"), PROMPT, *newest)
    assert "first summary" in writer.questions[1]
    assert "aaa" not in writer.questions[1]
    assert "ccc" in writer.questions[1]
    assert "ddd" in writer.questions[1]


def test_summary_stays_while_the_conversation_fits() -> None:
    writer = Writer("a summary")
    policy = create()
    messages: tuple[Message, ...] = (RULES, *OLD, *KEPT)
    first = select(policy, writer.context, *messages)

    seen = select(policy, writer.context, *messages, *create_round("c"))

    assert seen == (*first, *create_round("c"))


def test_every_message_is_summarised_once() -> None:
    writer = Writer(*("so far" for _ in range(100)))
    policy = create()
    messages: tuple[Message, ...] = (RULES, PROMPT)
    for index in range(60):
        messages += create_round(f"result-{index:02}-" + "x" * 90)
        check_history(select(policy, writer.context, *messages))

    asked = "\n".join(writer.questions)
    times = [asked.count(f"result-{index:02}-") for index in range(60)]
    assert times[-1] == 0
    assert sorted(times, reverse=True) == times
    assert set(times) == {0, 1}
    assert len(writer.questions) < 30


def test_long_run_keeps_its_prompt_before_the_newest_rounds() -> None:
    writer = Writer("looked at a and b")
    rounds = (*create_round("a" * 200), *create_round("b" * 200), *create_round("c" * 99, "d"))

    seen = select(create(), writer.context, RULES, PROMPT, *rounds)

    summary = UserMessage(HEADING + "looked at a and b")
    assert seen == (RULES, summary, PROMPT, *create_round("c" * 99, "d"))
    assert "What now?" not in writer.questions[0]


def test_newest_round_that_is_longer_than_what_is_kept_stays_if_it_fits() -> None:
    writer = Writer("looked at a")
    newest = create_round("b" * 200)

    seen = select(create(), writer.context, RULES, PROMPT, *create_round("a" * 300), *newest)

    assert seen == (RULES, UserMessage(HEADING + "looked at a"), PROMPT, *newest)


def test_newest_round_that_cannot_fit_goes_into_the_summary() -> None:
    writer = Writer(*(f"part {index}" for index in range(3)))

    seen = select(create(), writer.context, RULES, PROMPT, *create_round("a" * 600, "b" * 400))

    assert seen == (RULES, UserMessage(HEADING + "part 2"), PROMPT)


def test_long_transcript_is_summarised_in_parts() -> None:
    writer = Writer("part 1", "part 2", "part 3")
    turns = (*turn("a", 400), *turn("b", 400), *turn("c", 2000))

    select(create(), writer.context, RULES, *turns, PROMPT)

    assert [question.partition("\n")[0] for question in writer.questions] == [
        "Transcript of what was said since:",
        "Summary so far:",
        "Summary so far:",
    ]
    assert all(len(question) < 600 for question in writer.questions)
    assert "characters left out]" in writer.questions[2]


def test_transcript_says_who_said_and_did_what() -> None:
    writer = Writer("summary")
    told: tuple[Message, ...] = (
        UserMessage("See this.", (Image("https://example.org/a.png"),)),
        *create_round("found", text="I look."),
        AssistantMessage("Seen. " * 25),
        SystemMessage("Now be brief."),
        create_round("")[0],
        ToolMessage("call-0", "look", "no such file", "error"),
    )

    select(create(400), writer.context, *told, UserMessage("Go on. " * 28))

    assert writer.questions[0].split("\n\n")[1:] == [
        "User: See this. [1 images]",
        "Assistant: I look.\nAssistant calls look: {}",
        "Result of look: found",
        "Assistant: " + "Seen. " * 25,
        "Instructions: Now be brief.",
        "Assistant calls look: {}",
        "Result of look (error): no such file",
    ]


def test_summary_that_is_too_long_is_cut_with_a_marker() -> None:
    writer = Writer("s" * 5000)

    seen = select(create(), writer.context, RULES, *OLD, *KEPT)

    assert isinstance(seen[1], UserMessage)
    assert seen[1].text.endswith("characters left out]")
    assert sum(map(count_characters, seen)) < 400


def test_failed_summary_fails_and_is_made_again_at_the_next_request() -> None:
    writer = Writer(ModelServerError("down", model="writer"), "a summary")
    policy = create()
    messages = (RULES, *OLD, *KEPT)

    with pytest.raises(ModelServerError):
        select(policy, writer.context, *messages)

    assert select(policy, writer.context, *messages)[1] == UserMessage(HEADING + "a summary")


def test_empty_summary_is_an_error() -> None:
    writer = Writer(" \n")

    with pytest.raises(ModelResponseError, match="'writer' wrote an empty summary"):
        select(create(), writer.context, *OLD, *KEPT)


def test_prompt_that_cannot_fit_is_refused_before_a_model_is_asked() -> None:
    with pytest.raises(LimitExceededError, match="max_tokens=500") as info:
        select(create(), Writer().context, RULES, *turn("a"), UserMessage("x" * 480))

    assert (info.value.limit, info.value.allowed) == ("summarise.max_tokens", 500)


def test_conversation_that_was_replaced_is_summarised_anew() -> None:
    writer = Writer("first", "second")
    policy = create()
    select(policy, writer.context, RULES, *OLD, *KEPT)
    other = (*turn("x", 200), *turn("y", 180))

    seen = select(policy, writer.context, RULES, *other, *KEPT)

    assert seen == (RULES, UserMessage(HEADING + "second"), *KEPT)
    assert "first" not in writer.questions[1]


def test_handoff_keeps_the_summary() -> None:
    writer = Writer("a summary")
    policy = create()
    select(policy, writer.context, RULES, *OLD, *KEPT)

    seen = select(policy, writer.context, SystemMessage("other"), *OLD, *KEPT)

    assert seen == (SystemMessage("other"), UserMessage(HEADING + "a summary"), *KEPT)


def test_handoff_to_long_instructions_cuts_the_summary_without_asking_again() -> None:
    writer = Writer("part 1", "s" * 180)
    policy = create()
    messages = (*turn("a", 240), *turn("b", 240), PROMPT)
    select(policy, writer.context, RULES, *messages)
    longer = SystemMessage("r" * 260)

    seen = select(policy, writer.context, longer, *messages)

    assert (seen[0], seen[2:]) == (longer, (PROMPT,))
    assert isinstance(seen[1], UserMessage)
    assert seen[1].text.endswith("characters left out]")
    assert sum(map(count_characters, seen)) <= 500


@pytest.mark.parametrize(
    ("max_tokens", "keep_tokens", "message"),
    [
        (0, None, "max_tokens must be a whole number of at least 1"),
        (10, -1, "keep_tokens must be a whole number of at least 0"),
        (10, 10, "keep_tokens must be less than max_tokens"),
    ],
)
def test_bounds_that_make_no_sense_are_refused(
    max_tokens: int, keep_tokens: int | None, message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        create(max_tokens, keep_tokens)
