"""From the arguments of a tool to a request, and from its answer to a result."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from pydantic_core import from_json

from agent_factory.core.exceptions import ConfigurationError, ToolArgumentsError
from agent_factory.integrations.http.messages import HttpRequest, check_header
from agent_factory.integrations.http.texts import decode_body, is_text_type

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent_factory.core.permissions import Grant
    from agent_factory.integrations.http.messages import HttpAnswer
    from agent_factory.integrations.openapi.operations import CompiledOperation

__all__ = ["create_request", "describe_answer"]

_IN_BRACES = re.compile(r"\{([^{}]*)\}")
_MAX_ROUNDS = 4


def create_request(
    operation: CompiledOperation,
    server: str,
    arguments: Mapping[str, Any],
    *,
    secret_headers: Mapping[str, str],
    secret_query: Mapping[str, str],
) -> HttpRequest:
    """Return the request that a call of a tool stands for.

    Args:
        operation: The operation.
        server: The URL that the path is appended to, without a ``/`` at its end.
        arguments: The arguments, which fit the operation's schema.
        secret_headers: Headers with secrets.
        secret_query: Values with secrets for the query.

    Raises:
        ToolArgumentsError: A value cannot be written where it belongs.
    """
    path = operation.path
    segments: dict[str, str] = {}
    query: list[str] = []
    headers: dict[str, str] = {"Accept": "application/json, text/*;q=0.5, */*;q=0.1"}
    for parameter in operation.parameters:
        value = arguments.get(parameter.argument)
        if value is None and not (parameter.required and parameter.argument in arguments):
            continue
        if parameter.location == "path":
            written = parameter.write_simple(value, quoted=True)
            _check_segment(written, parameter.argument)
            segments[parameter.name] = written
        elif parameter.location == "query":
            query += parameter.write_query(value)
        else:
            text = parameter.write_simple(value, quoted=False)
            try:
                check_header(parameter.name, text)
            except ConfigurationError as error:
                raise ToolArgumentsError(f"/{parameter.argument}: {error.message}") from None
            headers[parameter.name] = text
    path = _IN_BRACES.sub(lambda match: segments[match[1]], path)
    url = f"{server}{path}{'?' if query else ''}{'&'.join(query)}"
    body = None
    if operation.body_argument and operation.body_argument in arguments:
        headers["Content-Type"] = operation.body_type
        try:
            body = json.dumps(
                arguments[operation.body_argument], ensure_ascii=False, separators=(",", ":")
            ).encode()
        except UnicodeEncodeError:
            raise ToolArgumentsError(
                f"/{operation.body_argument}: it has half a character in it"
            ) from None
    return HttpRequest(operation.method, url, headers, body, secret_headers, secret_query)


def describe_answer(answer: HttpAnswer, grant: Grant, max_characters: int) -> dict[str, object]:
    """Return what the model is told of an answer.

    Args:
        answer: The answer.
        grant: Knows the secrets that must not be shown.
        max_characters: Characters of the body that are shown at most; JSON beyond that is shown as a text that is cut.

    Returns:
        ``status``, ``content_type``, ``body`` (the value of JSON, else a text, or None) and ``truncated``; ``note`` where a
        body is not shown.
    """
    told: dict[str, object] = {
        "status": answer.status,
        "content_type": answer.content_type,
        "body": None,
        "truncated": answer.truncated,
    }
    if not answer.body:
        return told
    is_text = not answer.content_type or is_text_type(answer.content_type)
    text = decode_body(answer.body, answer.charset) if is_text else None
    if text is None:
        told["note"] = "the body is binary and not shown: only text can be read"
        return told
    text = grant.scrub(text)
    if len(text) > max_characters:
        told["body"], told["truncated"] = text[:max_characters], True
        return told
    told["body"] = text
    if answer.content_type.endswith(("/json", "+json")) and not answer.truncated:
        try:
            # What JSON escapes may be a secret once it is read.
            told["body"] = _scrub(from_json(text, allow_inf_nan=False), grant)
        except (ValueError, RecursionError):
            told["note"] = (
                "the body is no valid JSON, although it is said to be: it is shown as text"
            )
    return told


def _check_segment(written: str, argument: str) -> None:
    """Refuse what could lead to another path on a server that reads ``%2F`` as a slash, or decodes twice."""
    if not written:
        raise ToolArgumentsError(f"/{argument}: must not be empty, as it is a part of the path")
    for _ in range(_MAX_ROUNDS):
        if any(part in (".", "..") for part in re.split(r"[/\\]", written)):
            raise ToolArgumentsError(
                f"/{argument}: must not have '.' or '..' between slashes, as it is a part of the path"
            )
        written = unquote(written)


def _scrub(value: Any, grant: Grant) -> Any:
    if isinstance(value, str):
        return grant.scrub(value)
    if isinstance(value, list):
        return [_scrub(item, grant) for item in value]
    if isinstance(value, dict):
        return {grant.scrub(key): _scrub(item, grant) for key, item in value.items()}
    return value
