"""The guardrail that lets only URLs of listed hosts pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.guardrails._options import check_action, object_to, read_stages
from agent_factory.core.guardrails._origins import remember_origin
from agent_factory.core.guardrails.guardrail import (
    Guardrail,
    GuardrailContext,
    GuardrailStage,
    Verdict,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

__all__ = ["allow_hosts"]

_Action = Literal["block", "retry"]


@remember_origin
def allow_hosts(
    hosts: Collection[str],
    *,
    stages: Iterable[GuardrailStage] = ("output", "tool_call"),
    action: _Action = "block",
    name: str = "allow_hosts",
) -> Guardrail:
    """Return a guardrail that lets no URL pass whose host is not listed.

    Found are URLs with a scheme, those that begin with ``//``, and names that begin with ``www.``; also in Markdown, in the
    strings of JSON, and behind escapes of JSON, HTML and URLs. Where readers of URLs differ on the host, all of their readings
    must be listed; a URL that cannot be read does not pass. Any port of a listed host is allowed.

    A bare name such as ``example.org``, and a host that a tool gets in parts, are not found: restrict such a tool itself.

    Args:
        hosts: Names such as ``example.org``, or ``*.example.org`` for every name below it but not itself; IPv4 addresses, and
            IPv6 addresses in brackets. None are allowed if empty.
        stages: What it looks at.
        action: What happens where another host is found: ``block`` ends the run, ``retry`` sends the model back.
        name: Name for people and records.

    Raises:
        ConfigurationError: A value is refused.
    """
    # What finds things is imported where it is first needed: an import of core must not cost it.
    from agent_factory.core.guardrails._urls import find_hosts

    check_action(name, action, _Action)
    given: Any = hosts
    if isinstance(given, str):
        raise ConfigurationError(
            f"guardrail {name!r}: hosts must be several, not the text {given!r}: write [{given!r}]"
        )
    exact: set[str] = set()
    below: set[str] = set()
    for host in given:
        (below if host.startswith("*.") else exact).add(_read_host(name, host))

    def is_allowed(host: str | None) -> bool:
        if host is None:
            return False
        labels = host.split(".")
        return host in exact or any(
            ".".join(labels[number:]) in below for number in range(1, len(labels))
        )

    def check(text: str, context: GuardrailContext[object]) -> Verdict:
        found = find_hosts(text, is_json=context.stage == "tool_call")
        if all(map(is_allowed, found)):
            return Verdict.allow()
        allowed = ", ".join(sorted(exact | {f"*.{host}" for host in below})) or "none"
        return object_to(
            action,
            f"the text has a URL whose host is not allowed; allowed hosts: {allowed[:500]}",
        )

    return Guardrail(name, read_stages(name, stages), check)


def _read_host(name: str, host: str) -> str:
    from agent_factory.core.guardrails._urls import normalize_host

    normal = normalize_host(host.removeprefix("*."))
    if normal is None or (host.startswith("*.") and (normal[0] == "[" or normal[-1].isdigit())):
        raise ConfigurationError(
            f"guardrail {name!r}: {host!r} is no host: write a name such as 'example.org' or '*.example.org', without scheme, "
            "port and path, in its ASCII form (xn--...) if it has characters that readers of URLs take differently"
        )
    return normal
