"""Calls to servers on behalf of agents: only to what is granted, and never further than a bound."""

from typing import TYPE_CHECKING

from agent_factory.core.lazy import create_getattr
from agent_factory.integrations.http.messages import HttpAnswer, HttpRequest
from agent_factory.integrations.http.urls import HttpUrl, parse_url

if TYPE_CHECKING:
    from agent_factory.integrations.http.client import GuardedClient
else:
    # It imports the HTTP library.
    __getattr__ = create_getattr(__name__, {"client": ["GuardedClient"]})

__all__ = ["GuardedClient", "HttpAnswer", "HttpRequest", "HttpUrl", "parse_url"]
