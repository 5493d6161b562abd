"""The official Python SDK of MCP: the optional package ``mcp``, imported when a toolset connects and not before."""

from __future__ import annotations

import importlib
import logging
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from agent_factory.integrations.exceptions import MissingExtraError

__all__ = ["PACKAGE", "Sdk", "load_sdk"]

PACKAGE = "mcp"
_INSTALL = 'pip install "afactory-integrations[mcp]"'
_LOGGERS = ("mcp", "client", "httpx2", "httpcore2")


@dataclass(frozen=True, slots=True)
class Sdk:
    """What is used of the SDK.

    Attributes:
        types: The module of the protocol's messages.
        methods: The module that checks messages against a version of the protocol.
        session: The module of the client's session.
        streamable: The module of the transport over HTTP.
        message: The module of what transports exchange.
        errors: The module of its exceptions.
        httpx: The HTTP client that it uses.
        anyio: The library that its tasks run on.
    """

    types: Any
    methods: Any
    session: Any
    streamable: Any
    message: Any
    errors: Any
    httpx: Any
    anyio: Any


def load_sdk() -> Sdk:
    """Import the SDK, and keep what it logs off the terminal of a program that has set up no logging.

    Raises:
        MissingExtraError: It is not installed, or a version that cannot be used.
    """
    reason = "install it"
    if find_spec(PACKAGE) is not None:
        try:
            sdk = Sdk(
                importlib.import_module("mcp_types"),
                importlib.import_module("mcp_types.methods"),
                importlib.import_module("mcp.client.session"),
                importlib.import_module("mcp.client.streamable_http"),
                importlib.import_module("mcp.shared.message"),
                importlib.import_module("mcp.shared.exceptions"),
                importlib.import_module("httpx2"),
                importlib.import_module("anyio"),
            )
        except ImportError as error:
            reason = f"the installed version cannot be used ({error}); install another"
        else:
            _quieten()
            return sdk
    raise MissingExtraError(
        f"toolsets from MCP servers need the package {PACKAGE!r}: {reason} with {_INSTALL}",
        package=PACKAGE,
        install=_INSTALL,
    )


def _quieten() -> None:
    """Keep Python from writing to stderr what nobody has set up a handler for."""
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())
