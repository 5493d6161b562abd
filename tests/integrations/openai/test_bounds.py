"""How many tokens an answer may have."""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace
from typing import Any

import pytest

from agent_factory.core import Agent, Limits, ModelRequest, RunTimeoutError, UserMessage
from agent_factory.integrations.openai import OpenAIModel
from agent_factory.integrations.openai.encoding import name_limits
from agent_factory.integrations.testing import Fault, OpenAIServer
from tests.integrations.openai.clients import CHAT_KINDS, KINDS, Kind, get_response
from tests.integrations.openai.server import completion, message, reply, response

ASK = ModelRequest((UserMessage("Hi"),), max_output_tokens=100)
NAMES = {"max_tokens", "max_completion_tokens", "max_output_tokens"}


def sent(kind: Kind, request: ModelRequest, **options: Any) -> dict[str, Any]:
    """Return the bounds that reach the server."""
    answer = reply(response(message("Hi")) if kind == "responses" else completion("Hi"))
    _, server = asyncio.run(get_response(kind, request, answer, **options))
    return {name: value for name, value in server.bodies[0].items() if name in NAMES}


@pytest.mark.parametrize("kind", CHAT_KINDS)
def test_most_servers_know_the_old_name_only(kind: Kind) -> None:
    assert sent(kind, ASK) == {"max_tokens": 100}


@pytest.mark.parametrize("host", ["api.openai.com", "team.openai.azure.com"])
def test_openai_and_azure_know_the_new_name(host: str) -> None:
    assert name_limits(host)[0] == "max_completion_tokens"
    assert sent("chat", ASK, base_url=f"http://{host}/v1") == {"max_completion_tokens": 100}


def test_responses_has_its_own_name() -> None:
    assert sent("responses", ASK) == {"max_output_tokens": 100}


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_bound_none_is_sent(kind: Kind) -> None:
    assert sent(kind, replace(ASK, max_output_tokens=None)) == {}


@pytest.mark.parametrize(("given", "expected"), [(50, 50), (500, 100), (100, 100)])
@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("chat", "max_tokens"),
        ("chat", "max_completion_tokens"),
        ("sdk", "max_tokens"),
        ("sdk", "max_completion_tokens"),
        ("responses", "max_output_tokens"),
    ],
)
def test_the_smaller_bound_counts_under_the_name_that_the_user_chose(
    kind: Kind, name: str, given: int, expected: int
) -> None:
    assert sent(kind, ASK, extra_body={name: given}) == {name: expected}


@pytest.mark.parametrize("kind", KINDS)
def test_a_bound_of_the_user_alone_is_sent_as_it_is(kind: Kind) -> None:
    name = "max_output_tokens" if kind == "responses" else "max_tokens"
    request = replace(ASK, max_output_tokens=None)
    assert sent(kind, request, extra_body={name: 7}) == {name: 7}


def test_a_bound_of_the_user_that_is_no_number_gives_way() -> None:
    assert sent("chat", ASK, extra_body={"max_tokens": None}) == {"max_tokens": 100}


def test_run_whose_model_keeps_deadlines_ends_as_a_run_that_is_out_of_time() -> None:
    async def main() -> None:
        async with OpenAIServer(["late"], faults=[Fault(delay=math.inf)], unix=True) as server:
            model = OpenAIModel(
                "tiny",
                api_key=server.api_key,
                base_url=server.base_url,
                connector=server.connector,
            )
            async with model:
                assert model.keeps_deadlines
                agent = Agent(name="clerk", model=model, limits=Limits(timeout=0.2))
                with pytest.raises(RunTimeoutError):
                    await agent.run("Hi.")

    asyncio.run(main())
