from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from agent_factory.core import Model, ModelRequest, ModelRequestError, UserMessage
from agent_factory.integrations.extractive import ExtractiveModel
from tests.integrations.model_contract import CITY, ModelContract, Scenario


class TestExtractiveModel(ModelContract):
    has_output = False

    @asynccontextmanager
    async def opened(self, scenario: Scenario) -> AsyncIterator[Model]:
        yield ExtractiveModel()

    def test_a_failed_call_raises_an_error_that_names_the_model(self) -> None:
        request = ModelRequest((UserMessage("Where?"),), output=CITY)

        async def stream() -> None:
            async for _ in ExtractiveModel().stream(request):
                pass

        with pytest.raises(ModelRequestError, match="configure a language model") as caught:
            asyncio.run(ExtractiveModel().respond(request))
        with pytest.raises(ModelRequestError):
            asyncio.run(stream())
        assert caught.value.model == "extractive"


def test_a_request_without_a_question_is_answered() -> None:
    response = asyncio.run(ExtractiveModel().respond(ModelRequest(())))
    assert response.message.text.startswith("No language model is configured")
