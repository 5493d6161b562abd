"""Asks a model within a run's limits: reserves, sends, receives, settles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_factory.core.events import (
    ModelRequested,
    ReasoningReceived,
    TextReceived,
)
from agent_factory.core.exceptions import AgentFactoryError, ModelError, ModelResponseError
from agent_factory.core.messages import AssistantMessage, ToolCall
from agent_factory.core.models import (
    ModelRequest,
    ModelResponse,
    ReasoningDelta,
    TextDelta,
    get_sent,
)
from agent_factory.core.runs.call_gate import CallGate
from agent_factory.core.usage import Usage
from agent_factory.core.waiting import DeadlineError, run_until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from agent_factory.core.messages import Message
    from agent_factory.core.models import Model, OutputSchema, ToolSpec
    from agent_factory.core.runs.scope import RunScope

__all__ = ["Answer", "Asker", "show_response"]

_BREATH = 64


class Answer:
    """A model's answer, and what of it was not given out yet.

    Attributes:
        response: The whole answer.
        usage: What the call used, priced. An attempt before it that may have to be paid for counts as the most that it
            can have used.
        shown: Whether its text was given out as it came.
        attempt: Number of the model call within the run, from 1.
    """

    __slots__ = ("attempt", "response", "shown", "usage")

    def __init__(self, response: ModelResponse, usage: Usage, *, shown: bool, attempt: int) -> None:
        self.attempt = attempt
        self.response = response
        self.usage = usage
        self.shown = shown


class Asker:
    """Makes the model calls of one run.

    Args:
        scope: The run.
        streaming: Whether text is given out piece by piece.
    """

    __slots__ = ("_attempt", "_scope", "_streaming")

    def __init__(self, scope: RunScope, *, streaming: bool) -> None:
        self._scope = scope
        self._streaming = streaming
        self._attempt = 0

    async def ask(
        self,
        model: Model,
        messages: tuple[Message, ...],
        *,
        tools: tuple[ToolSpec, ...] = (),
        output: OutputSchema | None = None,
        hold: bool = False,
        quiet: bool = False,
        thoughts: bool = True,
    ) -> Answer:
        """Ask a model.

        Args:
            model: The model.
            messages: What it is to see.
            tools: The tools that it may ask for.
            output: The shape of a structured answer.
            hold: Whether its text is given out by the caller, later.
            quiet: Whether its text and thoughts are given out at all.
            thoughts: Whether its thoughts are given out where its text is.

        Returns:
            Its answer.

        Raises:
            LimitExceededError: A limit or a budget was reached.
            RunTimeoutError: The run had to end meanwhile.
            ModelError: The call failed.
        """
        scope = self._scope
        left = scope.left()
        scope.count_request()
        self._attempt += 1
        attempt = self._attempt
        gate = CallGate(scope, model)
        gate.thoughts = thoughts
        limits = scope.limits
        request = ModelRequest(
            messages,
            tools,
            output,
            left,
            limits.max_output_tokens,
            gate.notify,
            scope.memo,
            scope.options.seed,
        )
        reserved = None
        if scope.budgets:
            from agent_factory.core.runs.reservations import reserve

            reserved, request = await reserve(scope, model, request)
            gate.reserved = reserved
        gate.request = request
        settled: Usage | None = None
        try:
            scope.emit(ModelRequested, attempt, model.name, quiet)
            shows = not hold and not quiet
            receive = self._receive if self._streaming and not quiet else self._respond
            answer = receive(model, request, gate, shows)
            if getattr(model, "keeps_deadlines", False) is True:
                # No task of its own, which only a model that may ignore its deadline needs.
                response = await answer
            else:
                response = await run_until(answer, scope.deadline)
            if gate.failure is not None:
                raise gate.failure
            _check_shape(response, model)
            settled = self._price(model, response)
        except DeadlineError as error:
            raise scope.timed_out() from error
        except ModelError as error:
            # The attempts before the last were counted when the gate was told of them.
            if get_sent(error) is False:
                settled = Usage()
            if scope.deadline.left() <= 0:
                raise scope.timed_out() from error
            raise
        except AgentFactoryError:
            raise
        except Exception as error:
            raise ModelError(
                f"model {model.name!r} raised {type(error).__name__}: {error}: its adapter has to raise a ModelError",
                model=model.name,
            ) from error
        finally:
            gate.open = False
            if reserved is not None:
                await reserved.settle(settled if gate.begun else Usage())
        scope.add_tokens(settled)
        if gate.spent.requests:
            settled += gate.spent
        return Answer(response, settled, shown=shows, attempt=attempt)

    async def _respond(
        self, model: Model, request: ModelRequest, gate: CallGate, shows: bool
    ) -> ModelResponse:
        response = await model.respond(request)
        if shows and gate.open:
            show_response(gate.emit, response, thoughts=gate.thoughts)
        return response

    async def _receive(
        self, model: Model, request: ModelRequest, gate: CallGate, shows: bool
    ) -> ModelResponse:
        response: ModelResponse | None = None
        text: list[str] = []
        source: AsyncIterator[Any] = model.stream(request)
        emit, add = gate.emit, text.append
        pieces = 0
        try:
            async for item in source:
                pieces += 1
                if not pieces % _BREATH:
                    # A model that never waits would keep the event loop, its deadline included, and its reader out.
                    await self._scope.breathe()
                kind = item.__class__
                if kind is TextDelta:
                    add(item.text)
                    if shows:
                        emit(TextReceived, item.text)
                elif kind is ReasoningDelta:
                    if shows and gate.thoughts:
                        emit(ReasoningReceived, item.text)
                elif isinstance(item, ModelResponse):
                    response = item
                else:
                    raise ModelResponseError(
                        f"model {model.name!r} yielded {kind.__name__} in place of a piece or a response",
                        model=model.name,
                    )
        finally:
            close = getattr(source, "aclose", None)
            if close is not None:
                await close()
        if response is None:
            raise ModelResponseError(
                f"model {model.name!r} ended its stream without a response", model=model.name
            )
        if "".join(text) != response.message.text:
            raise ModelResponseError(
                f"model {model.name!r} streamed another text than its response has",
                model=model.name,
            )
        return response

    def _price(self, model: Model, response: ModelResponse) -> Usage:
        """Return what a call used, with its cost; None where that is not known."""
        said = response.usage
        cost = said.cost
        if not cost:  # else the server itself said so
            price = self._scope.get_price(response.answered_by or model.name)
            if price is None or (not said.tokens and (price.input or price.output)):
                cost = None  # no price, or a server that does not count
            else:
                cost = price.compute(said)
        return Usage(
            1,
            said.input_tokens,
            said.output_tokens,
            0,
            said.cached_input_tokens,
            said.reasoning_tokens,
            cost,
        )


def show_response(
    emit: Callable[..., None], response: ModelResponse, *, thoughts: bool = True
) -> None:
    """Give out the thoughts and the text of a whole answer, as a stream would have.

    Args:
        emit: Emits an event.
        response: The answer.
        thoughts: Whether the thoughts are given out.
    """
    for thought in response.message.reasoning:
        if thought.text and thoughts:
            emit(ReasoningReceived, thought.text)
    if response.message.text:
        emit(TextReceived, response.message.text)


def _check_shape(response: Any, model: Model) -> None:
    """Refuse what is no response, so that an adapter's mistake shows here and not in the middle of the loop."""
    if isinstance(response, ModelResponse):
        message: Any = response.message
        used: Any = response.usage
        if (
            message.__class__ is AssistantMessage
            and _is(message.text, str)
            and message.tool_calls.__class__ is tuple
            and message.reasoning.__class__ is tuple
            and used.__class__ is Usage
            and _is(used.input_tokens, int)
            and _is(used.output_tokens, int)
            and _is(used.cached_input_tokens, int)
            and _is(used.reasoning_tokens, int)
            and (used.cost is None or _is(used.cost, int))
            and all(map(_is_call, message.tool_calls))
        ):
            return
    raise ModelResponseError(
        f"model {model.name!r} returned what is no ModelResponse of texts, tuples and counts: "
        "its adapter has to build one",
        model=model.name,
    )


def _is(value: object, kind: type) -> bool:
    return isinstance(value, kind)


def _is_call(call: Any) -> bool:
    return (
        call.__class__ is ToolCall
        and _is(call.id, str)
        and _is(call.name, str)
        and _is(call.arguments, str)
    )
