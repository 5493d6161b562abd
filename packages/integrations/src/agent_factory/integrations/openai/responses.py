"""A model behind any server that speaks OpenAI's Responses protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from agent_factory.integrations.exceptions import IntegrationConfigurationError
from agent_factory.integrations.openai.base import ServerModel
from agent_factory.integrations.openai.responses_decoding import ResponsesFold, decode_response
from agent_factory.integrations.openai.responses_encoding import RESERVED_FIELDS, encode_request

if TYPE_CHECKING:
    from agent_factory.core.models import ModelRequest, ModelResponse
    from agent_factory.integrations.openai.folding import Fold

__all__ = ["OpenAIResponsesModel"]


class OpenAIResponsesModel(ServerModel):
    """A model behind any server that speaks OpenAI's Responses protocol.

    The arguments, the connections, the retries and the errors are those of `OpenAIModel`; ``/responses`` is what is
    appended to the address. The server stores nothing (``"store": false``): each request carries the whole
    conversation. A model's reasoning is not part of that, so a reasoning model thinks anew after each tool call.

    ```python
    async with OpenAIResponsesModel("gpt-5-mini", api_key=key) as model:
        agent = Agent(name="clerk", model=model)
    ```

    Args:
        model: Name of the model, as the server names it.
        options: Those of `OpenAIModel`. ``extra_body`` may hold ``{"text": {"verbosity": "low"}}``, but no ``format``
            of the text, nor a field that makes the server keep the conversation.

    Raises:
        IntegrationConfigurationError: A value cannot be used.
    """

    path = "responses"
    reserved = RESERVED_FIELDS

    def _check_extra(self, extra: Mapping[str, object]) -> dict[str, object]:
        text = extra.get("text", {})
        if not isinstance(text, Mapping) or "format" in text:
            raise IntegrationConfigurationError(
                "extra_body['text'] must be an object without 'format', which the client sets itself"
            )
        return super()._check_extra(extra)

    def _encode(self, request: ModelRequest, *, streaming: bool) -> bytes:
        return encode_request(request, model=self._model, stream=streaming, extra=self._extra)

    def _decode(self, body: dict[str, Any]) -> ModelResponse:
        return decode_response(body)

    def _create_fold(self) -> Fold:
        return ResponsesFold()
