"""Redirects: which request an answer asks for next."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agent_factory.core.exceptions import ToolError

if TYPE_CHECKING:
    from agent_factory.integrations.http.urls import HttpUrl

__all__ = ["Redirect", "follow"]

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
# They tell a server who asks; another server has no business in knowing it.
_PERSONAL = frozenset({"authorization", "cookie", "referer"})
_OF_BODY = frozenset({"content-type", "content-language", "content-encoding", "content-location"})


@dataclass(frozen=True, slots=True)
class Redirect:
    """A request that is to be sent next.

    Attributes:
        target: The URL, which is not checked against what is permitted yet.
        method: The method.
        headers: The headers without secrets.
        body: What is sent along, or None.
    """

    target: HttpUrl
    method: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = field(default=None, repr=False)


def follow(step: Redirect, status: int, location: str | None) -> Redirect | None:
    """Return the request that an answer asks for, or None where it asks for none.

    Args:
        step: The request that was answered.
        status: The status of the answer.
        location: The answer's header ``Location``, or None.

    Raises:
        ToolError: It asks for something that is no URL, or for plain http in place of https.
    """
    if status not in _REDIRECTS or location is None:
        return None
    came_from = step.target
    try:
        target = came_from.join(location)
    except ToolError as error:
        raise ToolError(
            f"{came_from.server} redirects to a URL that cannot be called: {error.message}"
        ) from None
    if came_from.scheme == "https" and target.scheme == "http":
        raise ToolError(
            f"{came_from.server} redirects from https to {target.server}, which anybody on the way could read: refused"
        )
    method, body, headers = step.method, step.body, step.headers
    # RFC 9110, section 15.4, and what browsers do with 301 and 302.
    if (status == 303 and method != "HEAD") or (status in (301, 302) and method == "POST"):
        method, body = "GET", None
        headers = {name: value for name, value in headers.items() if name.lower() not in _OF_BODY}
    if target.origin != came_from.origin:
        headers = {name: value for name, value in headers.items() if name.lower() not in _PERSONAL}
    return Redirect(target, method, dict(headers), body)
