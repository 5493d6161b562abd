"""The guardrails and the memory of agents as a blueprint has them."""

from __future__ import annotations

import inspect
import json
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from agent_factory.core.blueprints.exporting.names import find_free_name
from agent_factory.core.blueprints.guardrails import GUARDRAILS
from agent_factory.core.memory.origins import find_memory_origins
from agent_factory.core.problems import explain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent_factory.core.blueprints.exporting.models import ModelWriter
    from agent_factory.core.guardrails.guardrail import Guardrail
    from agent_factory.core.memory.ports import MemoryPolicy

__all__ = ["GuardrailWriter", "MemoryWriter"]

_WITHOUT_OPTIONS = ("detect_secrets", "detect_personal_data")
_KNOWN = ", ".join(GUARDRAILS)


class GuardrailWriter:
    """Writes guardrails under ``guardrails``, each form of one once.

    Args:
        models: Writes the models of judges.
        problems: What cannot be written is put here.

    Attributes:
        sections: What stands under ``guardrails``.
    """

    def __init__(self, models: ModelWriter, problems: list[str]) -> None:
        self.sections: dict[str, Any] = {}
        self._models = models
        self._problems = problems

    def write(self, guardrail: Guardrail[Any], owner: str) -> str | None:
        """Return the name of a guardrail; None where it cannot be written.

        Args:
            guardrail: The guardrail.
            owner: The agent that has it, for messages.
        """
        owner = f"{owner}: its guardrail {guardrail.name!r}"
        section = self._describe(guardrail, owner)
        if section is None:
            return None
        if guardrail.name in _WITHOUT_OPTIONS and section == {"use": guardrail.name}:
            found = self.sections.get(guardrail.name, section)
            if found == section:
                return guardrail.name
        return _put(self.sections, guardrail.name, section, reserved=_WITHOUT_OPTIONS)

    def _describe(self, guardrail: Guardrail[Any], owner: str) -> dict[str, Any] | None:
        origin = guardrail.origin
        if origin is None or guardrail.check is not origin.made.check:
            self._problems.append(
                f"{owner} is code, which a blueprint cannot have: use what comes along ({_KNOWN}), or leave it out"
            )
            return None
        made = origin.made
        options = self._read_options(origin.use, origin.options, owner)
        if guardrail.stages != made.stages:
            options["stages"] = sorted(guardrail.stages)
        for key in ("mode", "timeout", "hold"):
            if getattr(guardrail, key) != getattr(made, key):
                self._problems.append(
                    f"{owner} was given another {key!r}, which a blueprint cannot say: leave that as it was"
                )
        try:
            GUARDRAILS[origin.use].options.model_validate(options)
        except ValidationError as error:
            self._problems.append(
                f"{owner} has options that a blueprint cannot have: {explain(error, 'options')}"
            )
            return None
        section: dict[str, Any] = {"use": origin.use}
        if options:
            section["with"] = options
        if guardrail.tools:
            section["tools"] = sorted(guardrail.tools)
        return section

    def _read_options(self, use: str, given: Mapping[str, Any], owner: str) -> dict[str, Any]:
        options: dict[str, Any] = {}
        known = {
            field.alias or name for name, field in GUARDRAILS[use].options.model_fields.items()
        }
        defaults = inspect.signature(GUARDRAILS[use].create).parameters
        for key, value in given.items():
            if key == "model":
                name = self._models.write(value, owner)
                if name != "default":
                    options[key] = name
            elif key in known:
                options[key] = list(value) if isinstance(value, tuple) else value
            elif value != defaults[key].default:
                self._problems.append(
                    f"{owner} has the option {key!r}, which a blueprint cannot say: leave it out"
                )
        return options


class MemoryWriter:
    """Writes memory policies under ``memory``, each form of one once.

    Args:
        models: Writes the models that summarise.
        problems: What cannot be written is put here.

    Attributes:
        sections: What stands under ``memory``.
    """

    def __init__(self, models: ModelWriter, problems: list[str]) -> None:
        self.sections: dict[str, Any] = {}
        self._models = models
        self._problems = problems

    def write(self, policy: MemoryPolicy, owner: str) -> str | None:
        """Return the name of a policy; None where it cannot be written.

        Args:
            policy: The policy.
            owner: The agent that has it, for messages.
        """
        owner = f"{owner}: its memory"
        origins = find_memory_origins(policy)
        if origins is None:
            self._problems.append(
                f"{owner} is code, which a blueprint cannot have: use keep_last, keep_window, summarise, or compose of them"
            )
            return None
        parts: list[dict[str, Any]] = []
        for origin in origins:
            options = dict(origin.options)
            if "count" in options:
                self._problems.append(
                    f"{owner} counts tokens with a function of its own, which a blueprint cannot have: leave out 'count'"
                )
                return None
            if origin.use == "keep_last":
                parts.append({"keep_last": options["turns"]})
            elif origin.use == "keep_window":
                parts.append({"keep_window": options["max_tokens"]})
            else:
                model = self._models.write(options.pop("model"), owner)
                chosen = {} if model == "default" else {"model": model}
                parts.append({"summarise": {**options, **chosen}})
        name = next(iter(parts[0])) if len(parts) == 1 else "combined"
        return _put(self.sections, name, parts)


def _put(
    sections: dict[str, Any], wanted: str, section: Any, reserved: tuple[str, ...] = ()
) -> str:
    """Return the name of a section; of the same one that there is, or of a new one."""
    for name, other in sections.items():
        if _is_same(other, section) and (name == wanted or name.startswith(f"{wanted}_")):
            return name
    name = find_free_name(wanted, (*sections, *reserved))
    sections[name] = section
    return name


def _is_same(one: Any, other: Any) -> bool:
    return json.dumps(one, sort_keys=True, default=repr) == json.dumps(
        other, sort_keys=True, default=repr
    )
