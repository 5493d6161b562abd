"""The models that core offers for tests keep the contract of the port, as those of this distribution do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from agent_factory.core import Model, ModelRequest, ModelRequestError, ToolMessage
from agent_factory.core.testing import Answer, FunctionModel, create_tool_call
from tests.integrations.model_contract import ModelContract, Scenario


class TestFunctionModel(ModelContract):
    @asynccontextmanager
    async def opened(self, scenario: Scenario) -> AsyncIterator[Model]:
        def answer(request: ModelRequest) -> Answer:
            if scenario == "failure":
                return ModelRequestError("no", model="function")
            if request.tools and not isinstance(request.messages[-1], ToolMessage):
                return create_tool_call("search_documents", {"query": "capital"})
            return '{"name":"Paris"}' if request.output else "Paris it is."

        yield FunctionModel(answer)
