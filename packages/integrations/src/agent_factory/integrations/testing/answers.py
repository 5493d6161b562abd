"""What a script may hold, and what the server makes of it for one request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from agent_factory.core.exceptions import ModelError
from agent_factory.core.messages import AssistantMessage, ToolCall
from agent_factory.core.models import FinishReason, ModelResponse, TokenLogprob
from agent_factory.core.usage import Usage
from agent_factory.integrations.exceptions import IntegrationConfigurationError
from agent_factory.integrations.testing.errors import ErrorAnswer, describe_error
from agent_factory.integrations.testing.received import ReceivedRequest
from agent_factory.integrations.testing.tokens import count_input, count_tokens, split_tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Piece", "Reply", "ServerAnswer", "ServerScript", "resolve_answer", "split_text"]

ServerAnswer: TypeAlias = (
    str | ToolCall | AssistantMessage | ModelResponse | ErrorAnswer | ModelError
)
"""What a script may hold: text, a tool call, a whole message or response, or an error."""

ServerScript: TypeAlias = (
    Iterable[ServerAnswer] | Callable[[ReceivedRequest], ServerAnswer | Awaitable[ServerAnswer]]
)
"""The answers in their order, or a function that answers each request."""

_LOGPROB: Final = -0.25
_OTHERS: Final = -3.0


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a text, as it is streamed.

    Attributes:
        text: The piece.
        logprobs: Its tokens as the protocols write them; empty where they were not asked for.
    """

    text: str
    logprobs: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to one request, complete.

    Attributes:
        request: The request.
        response: What the model said, with what it used.
        number: Number of the answer, from 1; identifiers are made of it.
        created: When it was made, in seconds since 1970.
        chunk_tokens: Tokens of each piece of a stream.
    """

    request: ReceivedRequest
    response: ModelResponse
    number: int
    created: int
    chunk_tokens: int = 1

    @property
    def text(self) -> str:
        """What the model said."""
        return self.response.message.text

    @property
    def refused(self) -> bool:
        """Whether the text is that of a refusal."""
        return self.response.finish_reason == "refusal"


def resolve_answer(answer: ServerAnswer, request: ReceivedRequest) -> ModelResponse | ErrorAnswer:
    """Return what a script's answer means for a request: with its usage, and cut to the tokens asked for.

    Args:
        answer: What the script holds.
        request: The request.

    Raises:
        IntegrationConfigurationError: It is nothing that a server can answer.
    """
    if isinstance(answer, ErrorAnswer):
        return answer
    if isinstance(answer, ModelError):
        return describe_error(answer)
    if isinstance(answer, ModelResponse):
        return replace(answer, usage=_count(answer, request), model=answer.model or request.model)
    if isinstance(answer, str):
        answer = AssistantMessage(answer)
    elif isinstance(answer, ToolCall):
        answer = AssistantMessage("", (answer,))
    if not isinstance(answer, AssistantMessage):
        raise IntegrationConfigurationError(
            f"the script of the server holds {answer!r}: use a text, a ToolCall, an AssistantMessage, a "
            "ModelResponse, an ErrorAnswer or a ModelError"
        )
    finish: FinishReason = "tool_calls" if answer.tool_calls else "stop"
    response = ModelResponse(answer, finish_reason=finish, model=request.model)
    limit, tokens = request.max_output_tokens, split_tokens(answer.text)
    if limit is not None and len(tokens) > limit and not answer.tool_calls:
        short = replace(answer, text="".join(tokens[:limit]))
        response = replace(response, message=short, finish_reason="length")
    return replace(response, usage=_count(response, request))


def split_text(reply: Reply, *, logprobs: bool, top: int = 0) -> Iterator[Piece]:
    """Yield the pieces of an answer's text.

    Args:
        reply: The answer.
        logprobs: Whether the tokens' probabilities were asked for.
        top: How many of the likeliest tokens at each place were asked for.
    """
    tokens = _tokenize(reply.response, reply.text)
    size = reply.chunk_tokens
    for at in range(0, len(tokens), size):
        piece = tokens[at : at + size]
        shown = [_show(token, top) for token in piece] if logprobs else []
        yield Piece("".join(token.token for token in piece), shown)


def _tokenize(response: ModelResponse, text: str) -> Sequence[TokenLogprob]:
    given = response.logprobs
    if "".join(item.token for item in given) == text and given:
        return given
    return [TokenLogprob(token, _LOGPROB) for token in split_tokens(text)]


def _show(token: TokenLogprob, top: int) -> dict[str, Any]:
    others = list(token.top) or [
        (token.token, token.logprob),
        *((f"{token.token}{index}", _OTHERS - index) for index in range(1, top)),
    ]
    return {
        **_show_token(token.token, token.logprob),
        "top_logprobs": [_show_token(*other) for other in others[:top]],
    }


def _show_token(token: str, logprob: float) -> dict[str, Any]:
    return {"token": token, "logprob": logprob, "bytes": list(token.encode("utf-8", "replace"))}


def _count(response: ModelResponse, request: ReceivedRequest) -> Usage:
    given = response.usage
    if given.tokens:
        return given
    message = response.message
    thoughts = sum(count_tokens(thought.text) for thought in message.reasoning)
    calls = sum(count_tokens(call.name + call.arguments) for call in message.tool_calls)
    return Usage(
        requests=1,
        input_tokens=count_input(request.messages, request.tools),
        output_tokens=count_tokens(message.text) + thoughts + calls,
        reasoning_tokens=thoughts,
    )
