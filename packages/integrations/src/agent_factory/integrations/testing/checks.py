"""What OpenAI checks of a request that is well formed: its key, its model, its length."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_factory.integrations.testing.errors import ErrorAnswer, RefusedError
from agent_factory.integrations.testing.fields import refuse
from agent_factory.integrations.testing.tokens import count_input

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from agent_factory.integrations.testing.received import ReceivedRequest

__all__ = ["check_key", "check_length", "check_model"]


def check_key(headers: Mapping[str, str], key: str | None) -> None:
    """Refuse a request without the right key.

    Args:
        headers: Headers of the request.
        key: The key; None for any and none.

    Raises:
        RefusedError: The key is missing or wrong.
    """
    if key is None:
        return
    given = headers.get("Authorization", "").removeprefix("Bearer ").strip()
    if not given:
        raise RefusedError(
            ErrorAnswer(
                401,
                "You didn't provide an API key. You need to provide your API key in an Authorization header using "
                "Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
            )
        )
    if given != key:
        hidden = f"{given[:3]}{'*' * 8}{given[-4:]}" if len(given) > 12 else "*" * len(given)
        raise RefusedError(
            ErrorAnswer(
                401,
                f"Incorrect API key provided: {hidden}. You can find your API key at "
                "https://platform.openai.com/account/api-keys.",
                code="invalid_api_key",
            )
        )


def check_model(name: str, models: Collection[str]) -> None:
    """Refuse a model that there is not.

    Args:
        name: Name of the model.
        models: Names of those that there are.

    Raises:
        RefusedError: It is none of them.
    """
    if name not in models:
        raise RefusedError(
            ErrorAnswer(
                404,
                f"The model `{name}` does not exist or you do not have access to it.",
                code="model_not_found",
            )
        )


def check_length(received: ReceivedRequest, most: int) -> None:
    """Refuse a conversation that the model cannot read, or not with the answer that may follow.

    Args:
        received: The request.
        most: Tokens that the model can read and write.

    Raises:
        RefusedError: It is longer.
    """
    used = count_input(received.messages, received.tools)
    answer = received.max_output_tokens or 0
    if used + answer <= most:
        return
    if received.protocol == "responses":
        refuse(
            "Your input exceeds the context window of this model. Please adjust your input and try again.",
            "input",
            "context_length_exceeded",
        )
    said = f"{used + answer} tokens ({used} in the messages, {answer} in the completion)"
    refuse(
        f"This model's maximum context length is {most} tokens. However, you requested {said}. "
        "Please reduce the length of the messages or completion.",
        "messages",
        "context_length_exceeded",
    )
