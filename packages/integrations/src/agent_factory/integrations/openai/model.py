"""A model behind any server that speaks OpenAI's Chat Completions protocol."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from agent_factory.integrations.openai.base import ServerModel
from agent_factory.integrations.openai.decoding import StreamFold, decode_completion
from agent_factory.integrations.openai.encoding import (
    RESERVED_FIELDS,
    encode_fields,
    encode_message,
    name_limits,
    name_provider,
)
from agent_factory.integrations.openai.writing import RequestWriter

if TYPE_CHECKING:
    from agent_factory.core.models import ModelResponse
    from agent_factory.integrations.openai.folding import Fold

__all__ = ["OpenAIModel"]


class OpenAIModel(ServerModel):
    """A model behind any server that speaks OpenAI's Chat Completions protocol.

    OpenAI, Ollama, vLLM, llama.cpp and many others do. It opens connections when it is first called and keeps them for
    the event loop that it was called on; they close with that loop, or earlier with `aclose`.

    Text comes with what the model thought before, where the server shows it (``reasoning_content``, ``reasoning``).
    Thoughts before tool calls are sent back to the server that they came from, and to no other. The tokens of an
    answer are bounded by ``max_completion_tokens`` at OpenAI and Azure, and by ``max_tokens`` elsewhere, unless
    ``extra_body`` names one of them; the smaller bound counts. ``{"logprobs": true, "top_logprobs": 3}`` in
    ``extra_body`` brings how likely each token was.

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

    def _create_writer(self) -> RequestWriter:
        return RequestWriter(
            self._model,
            conversation="messages",
            encode_message=partial(encode_message, provider=self._provider),
            encode_fields=encode_fields,
            extra=self._extra,
            limits=name_limits(self._transport.base_url.host),
            seeds="seed" not in self._extra,
        )

    def _decode(self, body: dict[str, Any]) -> ModelResponse:
        return decode_completion(body, self._provider)

    def _create_fold(self) -> Fold:
        return StreamFold(self._provider)

    @property
    def _provider(self) -> str:
        return name_provider(self._transport.base_url.host)
