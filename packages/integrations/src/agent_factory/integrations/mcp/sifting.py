"""Takes tools that break the protocol out of a server's list, so that one of them does not cost all the others."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from agent_factory.core.problems import cut
from agent_factory.integrations.mcp.words import clean

if TYPE_CHECKING:
    from agent_factory.integrations.mcp.sdk import Sdk

__all__ = ["Sieve", "explain_invalid"]

_MOST_NAME = 100
_MOST_PROBLEMS = 50


class Sieve:
    """Passes the messages of a server on to the session, which would refuse a list as a whole.

    Args:
        sdk: The SDK.

    Attributes:
        problems: Why tools were taken out since this was last emptied.
        version: The version of the protocol that the session agreed on, or None.
    """

    __slots__ = ("_sdk", "problems", "version")

    def __init__(self, sdk: Sdk) -> None:
        self._sdk = sdk
        self.problems: list[str] = []
        self.version: str | None = None

    async def run(self, source: Any, target: Any) -> None:
        """Pass messages on until there are no more, and close the target then.

        Args:
            source: The stream that the transport fills.
            target: The stream that the session reads.
        """
        anyio = self._sdk.anyio
        with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
            async with target:
                async for item in source:
                    result = getattr(getattr(item, "message", None), "result", None)
                    if isinstance(result, dict) and isinstance(result.get("tools"), list):
                        result["tools"] = [
                            tool for tool in result["tools"] if self._is_valid(result, tool)
                        ]
                    await target.send(item)

    def _is_valid(self, result: dict[str, Any], tool: object) -> bool:
        check = self._sdk.methods.validate_server_result
        try:
            check("tools/list", self.version, {**result, "tools": [tool]})
        except KeyError:  # a version that the SDK does not check
            return True
        except ValueError as error:
            name = tool.get("name") if isinstance(tool, dict) else None
            shown = repr(clean(name, _MOST_NAME)) if isinstance(name, str) else "without a name"
            if len(self.problems) < _MOST_PROBLEMS:
                self.problems.append(f"the tool {shown} is left out: {explain_invalid(error)}")
            return False
        return True


def explain_invalid(error: ValueError) -> str:
    """Return why something that a server sent breaks the protocol.

    Args:
        error: What pydantic found, or another error of a value.
    """
    from pydantic import ValidationError

    reason = cut(str(error))
    if isinstance(error, ValidationError):
        problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
        reason = f"{cut('.'.join(map(str, problem['loc'])))}: {cut(problem['msg'])}"
    return f"it breaks the protocol: {reason}"
