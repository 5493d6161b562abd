"""What holds for a toolset of an MCP server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.tools import DEFAULT_RESULT_CHARS, Effect
from agent_factory.core.waiting import is_duration

__all__ = ["OnProgress", "Settings", "ToolProgress"]


@dataclass(frozen=True, slots=True)
class ToolProgress:
    """What a server reports of a call that is under way.

    Attributes:
        tool: Name of the tool.
        call_id: Identifier of the call.
        done: How much is done.
        total: How much there is to do, if the server knows.
        message: What it says; a text of somebody else.
    """

    tool: str
    call_id: str
    done: float
    total: float | None
    message: str


OnProgress = Callable[[ToolProgress], None]


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds for a toolset.

    Attributes:
        name: Name of the toolset, as in the permissions.
        timeout: Seconds that connecting may take.
        call_timeout: Seconds that one call may take.
        max_result_chars: Characters of a result that the model gets.
        effects: What tools do to the world, by their names.
        trust_hints: Whether the server is believed what it says of that.
        on_progress: Told of what the server reports of calls; quick, and raising nothing.

    Raises:
        ConfigurationError: A value is out of its range.
    """

    name: str
    timeout: float = 30.0
    call_timeout: float = 60.0
    max_result_chars: int = DEFAULT_RESULT_CHARS
    effects: Mapping[str, Effect] = field(default_factory=dict)
    trust_hints: bool = False
    on_progress: OnProgress | None = None

    def __post_init__(self) -> None:
        """Check the values."""
        object.__setattr__(self, "effects", dict(self.effects))
        if not self.name.strip() or "/" in self.name:
            raise ConfigurationError(
                f"the name of an MCP toolset must be a text without '/', not {self.name!r}"
            )
        for option in ("timeout", "call_timeout"):
            if not is_duration(getattr(self, option)):
                raise ConfigurationError(
                    f"MCP toolset {self.name!r}: {option} must be a finite number of seconds above 0, "
                    f"not {getattr(self, option)!r}"
                )
        most: Any = self.max_result_chars
        if isinstance(most, bool) or not isinstance(most, int) or most < 1:
            raise ConfigurationError(
                f"MCP toolset {self.name!r}: max_result_chars must be a whole number of at least 1, not {most!r}"
            )
        for tool, effect in self.effects.items():
            if effect not in get_args(Effect):
                raise ConfigurationError(
                    f"MCP toolset {self.name!r}: the effect of {tool!r} must be one of {', '.join(get_args(Effect))}, "
                    f"not {effect!r}"
                )
