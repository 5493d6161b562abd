"""A chain of models keeps the contract of the port, whichever of its models answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from agent_factory.core import Model, ModelRequest, ModelServerError, ToolMessage
from agent_factory.core.fallback import FallbackModel
from agent_factory.core.testing import Answer, FunctionModel, create_tool_call
from tests.integrations.model_contract import ModelContract, Scenario


def create_models(scenario: Scenario) -> tuple[FunctionModel, FunctionModel]:
    def fail(request: ModelRequest) -> Answer:
        return ModelServerError("no", model="broken")

    def answer(request: ModelRequest) -> Answer:
        if scenario == "failure":
            return ModelServerError("no", model="function")
        if request.tools and not isinstance(request.messages[-1], ToolMessage):
            return create_tool_call("search_documents", {"query": "capital"})
        return '{"name":"Paris"}' if request.output else "Paris it is."

    return FunctionModel(fail, name="broken"), FunctionModel(answer)


class TestFirstModelAnswers(ModelContract):
    @asynccontextmanager
    async def opened(self, scenario: Scenario) -> AsyncIterator[Model]:
        yield FallbackModel(create_models(scenario)[::-1])


class TestSecondModelAnswers(ModelContract):
    @asynccontextmanager
    async def opened(self, scenario: Scenario) -> AsyncIterator[Model]:
        yield FallbackModel(create_models(scenario))
