"""Reads the list of the models that a server offers."""

from __future__ import annotations

from typing import Any

from agent_factory.integrations.openai.fields import ProtocolError, as_list, as_object, as_text

__all__ = ["decode_models"]


def decode_models(body: dict[str, Any]) -> tuple[str, ...]:
    """Return the sorted names in a list of models.

    Args:
        body: The answer, from `decode_json`.

    Raises:
        ProtocolError: It is no list of models.
    """
    # Ollama says null where it has none.
    items = [] if body.get("data", 0) is None else as_list(body.get("data"), "data")
    names = [as_text(as_object(item, "data[]").get("id"), "data[].id") for item in items]
    if not all(names):
        raise ProtocolError("a model in 'data' has no 'id'")
    return tuple(sorted(names))
