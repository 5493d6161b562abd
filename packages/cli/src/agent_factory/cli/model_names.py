"""The names of models in blueprints, in settings, and on the command line."""

from __future__ import annotations

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.suggestions import describe_choices

__all__ = ["KINDS", "check_model"]

KINDS = {
    "default": "what the settings name, else an OpenAI-compatible server that is set, else extractive",
    "extractive": "quotes documents, in this process; not a language model",
    "local": "a small language model in this process; local:FILE.gguf for another file",
    "openai": "a server with OpenAI's protocol; openai:NAME for one of its models",
}
"""The kinds of models, and what each is."""


def check_model(name: str) -> None:
    """Make sure that a name means a model; none is made.

    Args:
        name: ``default``, ``extractive``, ``local``, ``local:FILE.gguf``, ``openai`` or ``openai:NAME``.

    Raises:
        ConfigurationError: It means none; the message has the closest one.
    """
    kind, _, rest = name.partition(":")
    if kind not in KINDS or (rest and kind not in ("local", "openai")):
        raise ConfigurationError(
            f"no model is named {name!r}: {describe_choices(kind, [*KINDS, 'openai:NAME', 'local:FILE.gguf'])}"
        )
