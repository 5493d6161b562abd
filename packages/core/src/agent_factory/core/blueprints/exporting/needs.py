"""The least that a blueprint has to be permitted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.prices import PRICES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from agent_factory.core.agent import Agent
    from agent_factory.core.permissions import Need, Permissions
    from agent_factory.core.registry import ToolRegistry

__all__ = ["find_least_permissions", "find_spend", "write_money", "write_permissions"]

_MILLION = 1_000_000


def find_least_permissions(
    uses: Iterable[tuple[str, Mapping[str, Any]]],
    models: Iterable[str],
    registry: ToolRegistry | None,
    problems: list[str],
) -> dict[str, Any]:
    """Return the section of permissions with the least that is needed, but for what may be spent.

    Args:
        uses: The tools: name in the registry, and options.
        models: Names of the models that are asked.
        registry: Says what tools need; without it only their names are permitted.
        problems: What keeps that from being told is put here.
    """
    found: dict[str, list[str]] = {"models": [], "tools": []}
    for model in models:
        _add(found, "models", model)
    for use, options in uses:
        _add(found, "tools", use)
        if registry is None:
            continue
        try:
            for need in _find_needs(registry, use, options):
                _add(found, need.kind, need.target)
        except (ConfigurationError, ValidationError) as error:
            problems.append(f"permissions: what the tool {use!r} needs cannot be told: {error}")
    return _to_section(found)


def write_permissions(permissions: Permissions) -> dict[str, Any]:
    """Return permissions as a section.

    Args:
        permissions: The permissions.
    """
    kinds = ("models", "tools", "hosts", "private_hosts", "secrets", "read", "write", "commands")
    section = _to_section({kind: list(getattr(permissions, kind)) for kind in kinds})
    if permissions.spend:
        section["spend"] = write_money(permissions.spend)
    if permissions.timeout is not None:
        section["timeout"] = permissions.timeout
    return section


def find_spend(agents: Iterable[Agent[Any, Any]], problems: list[str]) -> int:
    """Return what one run may cost at most by the limits of the agents, in millionths of the currency's unit.

    Args:
        agents: The agents.
        problems: Agents with a model that costs something, and without a limit of the cost, are put here.
    """
    most = 0
    for agent in agents:
        if agent.limits.max_cost is not None:
            most = max(most, agent.limits.max_cost)
        elif any(map(_is_paid, getattr(agent.model, "models", (agent.model,)))):
            problems.append(
                f"agent {agent.name!r}: its model {agent.model.name!r} costs something, and nothing says how much a run may "
                "cost, as a blueprint has to: give it Limits(max_cost=...), or pass permissions=Permissions(spend=...)"
            )
    return most


def write_money(amount: int) -> str:
    """Return an amount of money as text.

    Args:
        amount: The amount in millionths of the currency's unit.
    """
    decimals = f"{amount % _MILLION:06d}".rstrip("0").ljust(2, "0")
    return f"{amount // _MILLION}.{decimals} USD"


def _is_paid(model: Any) -> bool:
    price = PRICES.get(model.name)
    return price is not None and any(
        (price.input, price.output, price.cached_input, price.per_request)
    )


def _find_needs(registry: ToolRegistry, use: str, options: Mapping[str, Any]) -> tuple[Need, ...]:
    entry = registry.get(use)
    return entry.needs(entry.options.model_validate(dict(options)))


def _add(found: dict[str, list[str]], kind: str, target: str) -> None:
    items = found.setdefault(kind, [])
    if target not in items:
        items.append(target)


def _to_section(found: Mapping[str, list[str]]) -> dict[str, Any]:
    files = {kind: found[kind] for kind in ("read", "write") if found.get(kind)}
    section: dict[str, Any] = {
        kind: items for kind, items in found.items() if items and kind not in ("read", "write")
    }
    return {**section, "files": files} if files else section
