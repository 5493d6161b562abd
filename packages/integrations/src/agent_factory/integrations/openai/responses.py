"""A model behind any server that speaks OpenAI's Responses protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agent_factory.integrations.exceptions import IntegrationConfigurationError
from agent_factory.integrations.openai.base import ServerModel
from agent_factory.integrations.openai.responses_decoding import ResponsesFold, decode_response
from agent_factory.integrations.openai.responses_encoding import (
    REASONING,
    RESERVED_FIELDS,
    encode_fields,
    encode_message,
)
from agent_factory.integrations.openai.writing import RequestWriter

if TYPE_CHECKING:
    from agent_factory.core.exceptions import ModelError
    from agent_factory.core.models import ModelResponse, OutputSchema, ToolSpec
    from agent_factory.integrations.openai.folding import Fold

__all__ = ["OpenAIResponsesModel"]


class OpenAIResponsesModel(ServerModel):
    """A model behind any server that speaks OpenAI's Responses protocol.

    The arguments, the connections, the retries and the errors are those of `OpenAIModel`; ``/responses`` is what is
    appended to the address. The server stores nothing (``"store": false``): each request carries the whole
    conversation. A model's reasoning is part of that, encrypted by the server, so that a reasoning model goes on with
    its thoughts after a tool call. Models that do not reason are not asked for it, once they refused to be.

    ```python
    async with OpenAIResponsesModel("gpt-5-mini", api_key=key) as model:
        agent = Agent(name="clerk", model=model)
    ```

    Args:
        model: Name of the model, as the server names it.
        options: Those of `OpenAIModel`. ``extra_body`` may hold ``{"text": {"verbosity": "low"}}``, but no ``format``
            of the text, nor a field that makes the server keep the conversation. What it names under ``include`` is
            asked for besides the reasoning; ``{"reasoning": {"summary": "auto"}}`` asks for summaries of the thoughts.

    Raises:
        IntegrationConfigurationError: A value cannot be used.
    """

    path = "responses"
    reserved = RESERVED_FIELDS
    _reasoning = True

    def _check_extra(self, extra: Mapping[str, object]) -> dict[str, object]:
        text = extra.get("text", {})
        if not isinstance(text, Mapping) or "format" in text:
            raise IntegrationConfigurationError(
                "extra_body['text'] must be an object without 'format', which the client sets itself"
            )
        include = extra.get("include", [])
        if not isinstance(include, list) or not all(isinstance(item, str) for item in include):
            raise IntegrationConfigurationError(
                "extra_body['include'] must be a list of strings, such as ['message.output_text.logprobs']"
            )
        return super()._check_extra(extra)

    def _create_writer(self) -> RequestWriter:
        return RequestWriter(
            self._model,
            conversation="input",
            encode_message=encode_message,
            encode_fields=self._encode_fields,
            extra=self._extra,
            limits=("max_output_tokens",),
        )

    def _encode_fields(
        self,
        tools: Sequence[ToolSpec],
        output: OutputSchema | None,
        *,
        streaming: bool,
        extra: Mapping[str, object],
    ) -> dict[str, Any]:
        return encode_fields(
            tools, output, streaming=streaming, extra=extra, reasoning=self._reasoning
        )

    def _decode(self, body: dict[str, Any]) -> ModelResponse:
        return decode_response(body)

    def _create_fold(self) -> Fold:
        return ResponsesFold()

    def _adapt(self, error: ModelError) -> bool:
        # Models that do not reason refuse to be asked for it: "Encrypted content is not supported with this model."
        # Servers that do not know the field repeat what it holds.
        words = error.message.lower()
        refused = "encrypted content is not supported" in words or REASONING in words
        if error.status not in (400, 422) or not refused:
            return False
        self._reasoning = False
        self._writer.forget()
        return True
