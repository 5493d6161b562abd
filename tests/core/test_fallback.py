from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import replace

import pytest

from agent_factory.core.exceptions import (
    ConfigurationError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelContentFilterError,
    ModelContextLengthError,
    ModelError,
    ModelRateLimitError,
    ModelRequestError,
    ModelResponseError,
    ModelServerError,
)
from agent_factory.core.fallback import FallbackModel
from agent_factory.core.messages import AssistantMessage, UserMessage
from agent_factory.core.models import (
    Model,
    ModelDelta,
    ModelRequest,
    ModelResponse,
    ModelRetry,
    ReasoningDelta,
    TextDelta,
)
from agent_factory.core.testing import (
    Answer,
    FunctionModel,
    ScriptedModel,
    VirtualClock,
    run_virtual,
)
from agent_factory.core.usage import Usage

ASK = ModelRequest((UserMessage("Hi"),), timeout=5.0)
FAILED = ModelServerError("the server of a failed", model="a")


class CustomError(ModelError):
    code = "custom"


def create_model(name: str, *answers: Answer) -> ScriptedModel:
    return ScriptedModel(answers, name=name)


def respond(model: FallbackModel, request: ModelRequest = ASK) -> ModelResponse:
    return asyncio.run(model.respond(request))


def stream(
    model: FallbackModel, request: ModelRequest = ASK
) -> tuple[list[ModelDelta | ModelResponse], ModelError | None]:
    async def read() -> tuple[list[ModelDelta | ModelResponse], ModelError | None]:
        items = []
        try:
            async for item in model.stream(request):
                items.append(item)
        except ModelError as error:
            return items, error
        return items, None

    return asyncio.run(read())


class PiecewiseModel:
    """Streams what it is given; an error in it is raised."""

    def __init__(self, name: str, *items: ModelDelta | ModelResponse | Exception) -> None:
        self.name = name
        self.items = items
        self.closed = 0

    async def respond(self, request: ModelRequest) -> ModelResponse:
        raise AssertionError("this model only streams")

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelDelta | ModelResponse]:
        try:
            for item in self.items:
                await asyncio.sleep(0)
                if isinstance(item, Exception):
                    raise item
                yield item
        finally:
            self.closed += 1


def test_first_model_that_works_answers_and_no_other_is_asked() -> None:
    first, second = create_model("a", "Good."), create_model("b", "Unasked.")

    response = respond(FallbackModel([first, second]))

    assert response.message.text == "Good."
    assert response.answered_by == "a"
    assert second.requests == []


def test_next_model_answers_when_one_fails() -> None:
    first, second = create_model("a", FAILED), create_model("b", "Good.")

    response = respond(FallbackModel([first, second]))

    assert (response.message.text, response.answered_by) == ("Good.", "b")
    assert response.usage == Usage(requests=1)


def test_next_model_streams_when_one_fails_before_its_first_piece() -> None:
    items, error = stream(
        FallbackModel([create_model("a", FAILED), create_model("b", "Very good.")])
    )

    assert error is None
    assert items[:-1] == [TextDelta("Very "), TextDelta("good.")]
    last = items[-1]
    assert isinstance(last, ModelResponse)
    assert last.answered_by == "b"


@pytest.mark.parametrize("piece", [TextDelta("Half "), ReasoningDelta("Hm.")], ids=repr)
def test_stream_that_fails_after_a_piece_is_not_begun_again(piece: ModelDelta) -> None:
    second = create_model("b", "Unasked.")
    cut = ModelConnectionError("reset", model="a")

    items, error = stream(FallbackModel([PiecewiseModel("a", piece, cut), second]))

    assert (items, error) == ([piece], cut)
    assert second.requests == []
    assert cut.details["failed"] == [{"model": "a", "code": "model_connection"}]


def test_stream_that_ends_with_nothing_at_all_is_a_failure() -> None:
    items, error = stream(FallbackModel([PiecewiseModel("a"), create_model("b", "Good.")]))

    assert error is None
    assert items[0] == TextDelta("Good.")


def test_stream_that_ends_without_a_response_is_an_error() -> None:
    items, error = stream(
        FallbackModel([PiecewiseModel("a", TextDelta("Half")), create_model("b")])
    )

    assert items == [TextDelta("Half")]
    assert isinstance(error, ModelResponseError)
    assert "'a' ended its stream without a response" in error.message


def test_failed_stream_is_closed_before_the_next_model_is_asked() -> None:
    first = PiecewiseModel("a", FAILED)
    closed: list[int] = []

    def answer(request: ModelRequest) -> str:
        closed.append(first.closed)
        return "Good."

    stream(FallbackModel([first, FunctionModel(answer)]))

    assert closed == [1]


def test_stream_that_is_left_early_is_closed() -> None:
    first = PiecewiseModel("a", TextDelta("One "), TextDelta("two"))

    async def check() -> None:
        async with aclosing(FallbackModel([first]).stream(ASK)) as items:
            assert await anext(items) == TextDelta("One ")
        assert first.closed == 1

    asyncio.run(check())


def test_last_error_lists_every_model_that_failed() -> None:
    chain = FallbackModel(
        [
            create_model("a", FAILED),
            create_model("b", ModelRateLimitError("later", model="b", retry_after=2)),
            create_model("c", ModelAuthenticationError("no", model="c", status=401)),
        ]
    )

    with pytest.raises(ModelAuthenticationError) as caught:
        respond(chain)

    assert caught.value.details == {
        "model": "c",
        "status": 401,
        "failed": [
            {"model": "a", "code": "model_server"},
            {"model": "b", "code": "model_rate_limit"},
            {"model": "c", "code": "model_authentication"},
        ],
    }


def test_stream_raises_what_a_response_raises() -> None:
    def create() -> FallbackModel:
        wrong = ModelAuthenticationError("no", model="b")
        return FallbackModel([create_model("a", FAILED), create_model("b", wrong)])

    with pytest.raises(ModelAuthenticationError) as caught:
        respond(create())
    items, error = stream(create())

    assert items == []
    assert error is not None
    assert error.to_dict() == caught.value.to_dict()


@pytest.mark.parametrize(
    "error",
    [
        ModelConnectionError("x", model="a"),
        ModelAuthenticationError("x", model="a"),
        ModelRateLimitError("x", model="a"),
        ModelServerError("x", model="a"),
        ModelContextLengthError("x", model="a"),
        ModelContentFilterError("x", model="a"),
        ModelResponseError("x", model="a"),
        ModelError("x", model="a"),
        CustomError("x", model="a"),
    ],
    ids=lambda error: str(error.code),
)
def test_another_model_is_asked_where_it_can_help(error: ModelError) -> None:
    chain = FallbackModel([create_model("a", error), create_model("b", "Good.")])

    assert respond(chain).answered_by == "b"


def test_wrong_request_is_not_sent_to_another_model() -> None:
    second = create_model("b", "Unasked.")
    wrong = ModelRequestError("no such parameter", model="a")

    with pytest.raises(ModelRequestError) as caught:
        respond(FallbackModel([create_model("a", wrong), second]))

    assert caught.value is wrong
    assert caught.value.details["failed"] == [{"model": "a", "code": "model_request"}]
    assert second.requests == []


def test_errors_after_which_the_next_is_asked_can_be_chosen() -> None:
    def create(error: ModelError) -> FallbackModel:
        return FallbackModel(
            [create_model("a", error), create_model("b", "Good.")],
            on=(ModelRequestError, ModelRateLimitError),
        )

    for error in (ModelRequestError("x", model="a"), ModelContextLengthError("x", model="a")):
        assert respond(create(error)).answered_by == "b"
    with pytest.raises(ModelServerError):
        respond(create(FAILED))


@pytest.mark.parametrize("wrong", [ValueError, "model_server", None], ids=repr)
def test_errors_that_are_not_those_of_models_cannot_be_chosen(wrong: object) -> None:
    with pytest.raises(ConfigurationError, match="takes classes of ModelError, not"):
        FallbackModel([create_model("a")], on=(wrong,))  # type: ignore[arg-type]  # what a wrong program gives


def test_defect_of_a_model_is_not_hidden() -> None:
    def fail(request: ModelRequest) -> Answer:
        raise ZeroDivisionError

    second = create_model("b", "Unasked.")

    with pytest.raises(ZeroDivisionError):
        respond(FallbackModel([FunctionModel(fail), second]))

    assert second.requests == []


def test_refusal_is_an_answer() -> None:
    refusal = ModelResponse(AssistantMessage("I will not."), finish_reason="refusal")
    second = create_model("b", "Unasked.")

    response = respond(FallbackModel([create_model("a", refusal), second]))

    assert response == replace(refusal, answered_by="a")
    assert second.requests == []


def test_each_change_of_model_is_told() -> None:
    told: list[ModelRetry] = []
    patient = ModelConnectionError("reset", model="b", details={"attempts": 3})
    chain = FallbackModel(
        [create_model("a", FAILED), create_model("b", patient), create_model("c", "Good.")]
    )

    respond(chain, replace(ASK, notify=told.append))

    assert told == [
        ModelRetry("a", 1, "the server of a failed", 0.0, next_model="b"),
        ModelRetry("b", 3, "reset", 0.0, next_model="c"),
    ]


def test_nothing_is_told_when_no_model_is_left() -> None:
    told: list[ModelRetry] = []

    with pytest.raises(ModelServerError):
        respond(FallbackModel([create_model("a", FAILED)]), replace(ASK, notify=told.append))

    assert told == []


@pytest.mark.parametrize("use", [respond, stream], ids=["respond", "stream"])
def test_time_of_the_request_bounds_all_models_together(
    use: Callable[[FallbackModel, ModelRequest], object],
) -> None:
    first, second = create_model("a", FAILED), create_model("b", "Good.")

    use(FallbackModel([first, second]), ASK)

    assert first.requests[0].timeout == (ASK.timeout / 2 if use is respond else ASK.timeout)
    assert 0 < second.requests[0].timeout < ASK.timeout


class HungModel:
    """A model that answers nothing; with a piece, nothing after it."""

    name = "hung"

    def __init__(self, *pieces: str) -> None:
        self.pieces = pieces

    async def respond(self, request: ModelRequest) -> ModelResponse:
        await asyncio.Event().wait()
        raise AssertionError("nobody wakes it")

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelDelta | ModelResponse]:
        for piece in self.pieces:
            yield TextDelta(piece)
        await asyncio.sleep(4)
        yield ModelResponse(AssistantMessage("".join(self.pieces)))


@pytest.mark.parametrize("streaming", [False, True], ids=["respond", "stream"])
@pytest.mark.parametrize(
    ("model_timeout", "waited"), [(None, 5 / 3), (0.5, 0.5)], ids=["shared", "given"]
)
def test_model_that_hangs_leaves_time_for_the_next_ones(
    model_timeout: float | None, waited: float, streaming: bool
) -> None:
    told: list[ModelRetry] = []
    models: list[Model] = [HungModel(), create_model("b", FAILED), create_model("c", "Good.")]
    chain = FallbackModel(models, model_timeout=model_timeout)
    clock = VirtualClock()

    async def ask() -> ModelResponse:
        request = replace(ASK, notify=told.append)
        if not streaming:
            return await chain.respond(request)
        items = [item async for item in chain.stream(request)]
        assert isinstance(items[-1], ModelResponse)
        return items[-1]

    before = clock.now()
    assert run_virtual(ask, clock=clock).answered_by == "c"
    # The model gets a moment more than its time, for an error of its own.
    assert waited <= (clock.now() - before).total_seconds() < waited + 0.2
    assert (told[0].model, told[0].sent) == ("hung", None)
    assert "FallbackModel(model_timeout=...)" in told[0].reason


def test_stream_that_has_begun_has_all_of_the_time() -> None:
    second = create_model("b", "Unasked.")
    chain = FallbackModel([HungModel("Slow."), second], model_timeout=1)

    async def ask() -> list[ModelDelta | ModelResponse]:
        return [item async for item in chain.stream(ASK)]

    items = run_virtual(ask)

    assert items[0] == TextDelta("Slow.")
    assert isinstance(items[-1], ModelResponse)
    assert second.requests == []


@pytest.mark.parametrize("value", [0, -1, float("inf"), True])
def test_time_of_a_model_that_is_none_is_refused(value: float) -> None:
    with pytest.raises(ConfigurationError, match="model_timeout"):
        FallbackModel([create_model("a")], model_timeout=value)


@pytest.mark.parametrize(
    ("error", "sent"),
    [
        (ModelConnectionError("cut", model="a"), None),
        (ModelConnectionError("unreachable", model="a", details={"sent": False}), False),
        (ModelServerError("down", model="a", status=503), False),
        (ModelServerError("down", model="a", status=503, details={"sent": True}), True),
        (
            ModelServerError(
                "down", model="a", status=503, details={"sent": True, "last_sent": False}
            ),
            False,
        ),
    ],
)
def test_listener_is_told_whether_a_failed_model_may_have_to_be_paid_for(
    error: ModelError, sent: bool | None
) -> None:
    told: list[ModelRetry] = []

    respond(
        FallbackModel([create_model("a", error), create_model("b", "Good.")]),
        replace(ASK, notify=told.append),
    )

    assert [retry.sent for retry in told] == [sent]


def test_no_other_model_is_asked_when_the_time_is_over() -> None:
    second = create_model("b", "Unasked.")
    tiny = replace(ASK, timeout=1e-9)

    with pytest.raises(ModelServerError) as caught:
        respond(FallbackModel([create_model("a", FAILED), second]), tiny)

    assert caught.value.details["failed"] == [{"model": "a", "code": "model_server"}]
    assert second.requests == []


def test_each_model_gets_a_memory_of_its_own_that_lasts_for_the_run() -> None:
    seen: list[tuple[str, bool]] = []

    def create(name: str, *, fails: bool) -> FunctionModel:
        def answer(request: ModelRequest) -> Answer:
            seen.append((name, "mine" in request.memo))
            request.memo["mine"] = True
            return ModelServerError("no", model=name) if fails else "Good."

        return FunctionModel(answer, name=name)

    chain = FallbackModel([create("a", fails=True), create("b", fails=False)])
    memo: dict[object, object] = {}
    for _ in range(2):
        respond(chain, replace(ASK, memo=memo))

    assert seen == [("a", False), ("b", False), ("a", True), ("b", True)]
    assert "mine" not in memo


def test_chain_within_a_chain_says_which_model_answered_and_which_failed() -> None:
    inner = FallbackModel([create_model("b", FAILED, FAILED), create_model("c", "Good.", FAILED)])
    chain = FallbackModel([create_model("a", FAILED, FAILED), inner])

    assert respond(chain).answered_by == "c"
    with pytest.raises(ModelServerError) as caught:
        respond(chain)

    assert caught.value.details["failed"] == [
        {"model": name, "code": "model_server"} for name in "abc"
    ]


def test_cancellation_asks_no_other_model() -> None:
    second = create_model("b", "Unasked.")

    class Waiting(PiecewiseModel):
        async def respond(self, request: ModelRequest) -> ModelResponse:
            await asyncio.Event().wait()
            raise AssertionError

    async def check() -> None:
        task = asyncio.create_task(FallbackModel([Waiting("a"), second]).respond(ASK))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(check())

    assert second.requests == []


def test_name_and_representation_name_the_models() -> None:
    first, second = PiecewiseModel("a"), PiecewiseModel("b")
    chain = FallbackModel([first, second])

    assert chain.name == "fallback(a, b)"
    assert chain.models == (first, second)
    assert repr(chain) == f"FallbackModel([{first!r}, {second!r}])"


def test_no_models_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="at least one model"):
        FallbackModel([])
