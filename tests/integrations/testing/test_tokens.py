"""How texts are cut into tokens."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.core.messages import AssistantMessage, ToolCall, ToolMessage, UserMessage
from agent_factory.core.models import ToolSpec
from agent_factory.integrations.testing.tokens import count_input, count_tokens, split_tokens


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text())
def test_tokens_put_together_are_the_text(text: str) -> None:
    tokens = split_tokens(text)
    assert "".join(tokens) == text
    assert all(tokens)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(), st.text())
def test_more_text_is_no_less_tokens(first: str, second: str) -> None:
    assert count_tokens(first + second) >= max(count_tokens(first), 1 if second else 0)


def test_everything_that_is_sent_counts() -> None:
    call = ToolCall("1", "add", '{"a": 1}')
    told = UserMessage("Add one, please.")
    counts = [
        count_input([told], []),
        count_input([told, AssistantMessage("", (call,))], []),
        count_input([told, AssistantMessage("", (call,)), ToolMessage("1", "add", "2")], []),
        count_input(
            [told, AssistantMessage("", (call,)), ToolMessage("1", "add", "2")],
            [ToolSpec("add", "Adds.", {"type": "object"})],
        ),
    ]
    assert counts == sorted(set(counts))
