"""A model behind any server that speaks OpenAI's Chat Completions protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_factory.integrations.openai.base import ServerModel
from agent_factory.integrations.openai.decoding import StreamFold, decode_completion
from agent_factory.integrations.openai.encoding import RESERVED_FIELDS, encode_request

if TYPE_CHECKING:
    from agent_factory.core.models import ModelRequest, ModelResponse
    from agent_factory.integrations.openai.folding import Fold

__all__ = ["OpenAIModel"]


class OpenAIModel(ServerModel):
    """A model behind any server that speaks OpenAI's Chat Completions protocol.

    OpenAI, Ollama, vLLM, llama.cpp and many others do. It opens connections when it is first called and keeps them for
    the event loop that it was called on; they close with that loop, or earlier with `aclose`.

    ```python
    async with OpenAIModel("gpt-5-mini", api_key=key) as model:
        agent = Agent(name="clerk", model=model)
    ```

    Args:
        model: Name of the model, as the server names it.
        api_key: Key sent as a bearer token, or None for servers that want none. It shows in no message and
            no representation.
        base_url: Address that ``/chat/completions`` is appended to; most servers' ends with ``/v1``.
        retry: How failed calls are repeated.
        max_response_bytes: Bytes that one answer may have; at least 1.
        extra_body: Further fields of each request, such as ``{"temperature": 0}``.
        headers: Further headers of each request.
        proxy: Address of an HTTP proxy, or None.
        connector: Makes the connections of each event loop, such as
            ``lambda: aiohttp.UnixConnector("/run/model.sock")``; None for TCP.

    Raises:
        IntegrationConfigurationError: A value cannot be used.
    """

    path = "chat/completions"
    reserved = RESERVED_FIELDS

    def _encode(self, request: ModelRequest, *, streaming: bool) -> bytes:
        return encode_request(request, model=self._model, stream=streaming, extra=self._extra)

    def _decode(self, body: dict[str, Any]) -> ModelResponse:
        return decode_completion(body)

    def _create_fold(self) -> Fold:
        return StreamFold()
