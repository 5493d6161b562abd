"""A real model: SmolLM2 in llama.cpp, in this process, and behind llama.cpp's own HTTP server."""

from __future__ import annotations

import asyncio
import importlib
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pydantic import BaseModel

from agent_factory.core import (
    Agent,
    Model,
    ModelConnectionError,
    ModelRequest,
    ModelRequestError,
    UserMessage,
    tool,
)
from agent_factory.integrations.local import LocalModel, find_bundled_weights
from agent_factory.integrations.openai import OpenAIModel
from tests.integration.downloads import provide_weights, provide_xllamacpp
from tests.integrations.model_contract import ModelContract, Scenario

pytestmark = [pytest.mark.integration, pytest.mark.slow]


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    provide_xllamacpp()
    provide_weights()


@pytest.fixture(scope="module")
def local_model(installed: None) -> Iterator[LocalModel]:
    model = LocalModel(context_tokens=1024, max_output_tokens=96, threads=2)
    yield model
    asyncio.run(model.aclose())


@pytest.fixture(scope="module")
def base_url(installed: None) -> Iterator[str]:
    library = importlib.import_module("xllamacpp")
    params = library.CommonParams()
    params.model.path = str(find_bundled_weights())
    params.hostnames = ["127.0.0.1"]
    params.n_ctx = 1024
    params.n_parallel = 1
    params.use_jinja = True
    params.verbosity = -1
    params.api_keys = ["sk-local"]
    server = library.Server(params)
    yield f"{server.listening_address}/v1"
    # Ending a server that never got a request may wait for ever.
    server.handle_chat_completions(
        {"messages": [{"role": "user", "content": "."}], "max_tokens": 1, "stream": True},
        lambda _: True,
    )


class TestInProcess(ModelContract):
    timeout = 240.0

    @pytest.fixture(autouse=True)
    def prepare(self, local_model: LocalModel, tmp_path: Path) -> None:
        self.model = local_model
        self.broken = tmp_path / "broken.gguf"
        self.broken.write_bytes(b"GGUF, but only the first word of it")

    @asynccontextmanager
    async def opened(self, scenario: Scenario) -> AsyncIterator[Model]:
        yield LocalModel(self.broken) if scenario == "failure" else self.model


class TestOverHttp(ModelContract):
    timeout = 240.0
    # llama.cpp leaves tools to the chat template of the weights, and SmolLM2's has none.
    has_tools = False

    @pytest.fixture(autouse=True)
    def prepare(self, base_url: str) -> None:
        self.base_url = base_url

    @asynccontextmanager
    async def opened(self, scenario: Scenario) -> AsyncIterator[Model]:
        extra: dict[str, object] = {"temperature": 0, "max_tokens": 96, "cache_prompt": False}
        key = "sk-wrong" if scenario == "failure" else "sk-local"
        async with OpenAIModel(
            "smollm2", api_key=key, base_url=self.base_url, extra_body=extra
        ) as model:
            yield model


def test_an_agent_gets_an_answer_of_its_type(local_model: LocalModel) -> None:
    class City(BaseModel):
        name: str
        inhabitants: int

    agent = Agent(name="clerk", model=local_model, output_type=City)
    city = agent.run_sync("Describe Paris as JSON with name and inhabitants.").output
    assert city.name


def test_an_agent_calls_a_tool_and_comes_to_an_end(local_model: LocalModel) -> None:
    asked: list[str] = []

    @tool
    async def search_documents(query: str) -> str:
        """Searches the documents.

        Args:
            query: Words to look for.
        """
        asked.append(query)
        return "docs/france.md:3 The capital of France is Paris."

    agent = Agent(
        name="clerk",
        model=local_model,
        instructions="You search the documents before you answer.",
        tools=[search_documents],
    )
    result = agent.run_sync("Call the tool search_documents to find the capital of France.")
    assert asked
    assert result.output


def test_equal_requests_get_equal_answers(local_model: LocalModel) -> None:
    async def call() -> set[str]:
        request = ModelRequest((UserMessage("Name three fruits."),), timeout=240)
        return {(await local_model.respond(request)).message.text for _ in range(3)}

    assert len(asyncio.run(call())) == 1


def test_a_conversation_that_does_not_fit_is_refused(local_model: LocalModel) -> None:
    async def call() -> None:
        with pytest.raises(ModelRequestError, match="raise context_tokens"):
            await local_model.respond(ModelRequest((UserMessage("a " * 2000),), timeout=240))

    asyncio.run(call())


def test_llamas_own_words_for_that_are_understood(base_url: str) -> None:
    async def call() -> None:
        async with OpenAIModel("smollm2", api_key="sk-local", base_url=base_url) as model:
            with pytest.raises(ModelRequestError, match="longer than the model can read"):
                await model.respond(ModelRequest((UserMessage("a " * 2000),), timeout=240))

    asyncio.run(call())


def test_a_call_that_is_given_up_leaves_the_model_usable(local_model: LocalModel) -> None:
    async def call() -> str:
        story = UserMessage("Tell me a very long story.")
        with pytest.raises(ModelConnectionError):
            await local_model.respond(ModelRequest((story,), timeout=0.05))
        request = ModelRequest((UserMessage("Say hello."),), timeout=240)
        return (await local_model.respond(request)).message.text

    assert asyncio.run(call())


def test_a_program_may_end_in_the_middle_of_an_answer(installed: None) -> None:
    program = """
import asyncio, sys
sys.path[:0] = sys.argv[1:]
from agent_factory.core import ModelRequest, UserMessage
from agent_factory.integrations.local import LocalModel
model = LocalModel(context_tokens=512)
async def main():
    stream = model.stream(ModelRequest((UserMessage("Tell me a long story."),), timeout=200))
    print((await anext(stream)).text, flush=True)
asyncio.run(main())
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, *sys.path],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip()
