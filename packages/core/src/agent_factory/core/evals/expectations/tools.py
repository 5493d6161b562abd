"""Expectations of the tool calls of an attempt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

from agent_factory.core.evals.expectations.port import Score
from agent_factory.core.evals.values import is_same, to_json_data
from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.messages import ToolOutcome
from agent_factory.core.problems import cut

if TYPE_CHECKING:
    from agent_factory.core.evals.cases import EvalCase
    from agent_factory.core.evals.observations import Observation, ObservedCall

__all__ = ["ToolCalled", "ToolNotCalled", "ToolOrder"]

_UNSEEN = Score.of(False, "the target tells nothing of tool calls, so that nobody knows")


@dataclass(frozen=True, slots=True)
class ToolCalled:
    """A tool is called, with certain arguments if some are given.

    Attributes:
        name: Name of the tool, as the model calls it.
        min_times: How often it is called at least.
        max_times: How often it is called at most, or None for any number.
        arguments: Arguments that a call has to count. It may have more, also within objects.
        outcome: How a call ends to count, or None for any way.

    Raises:
        ConfigurationError: The name is empty, a number is out of its range, the outcome is unknown, or the arguments cannot be
            written as JSON.
    """

    name: str
    min_times: int = 1
    max_times: int | None = None
    arguments: Mapping[str, Any] | None = None
    outcome: ToolOutcome | None = None

    def __post_init__(self) -> None:
        """Check the values."""
        _check_names("tool_called", (self.name,))
        for name in ("min_times", "max_times"):
            value = getattr(self, name)
            if name == "max_times" and value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise ConfigurationError(
                    f"expectation 'tool_called': {name} must be a whole number of at least 0, not {value!r}"
                )
        if self.max_times is not None and self.max_times < self.min_times:
            raise ConfigurationError(
                f"expectation 'tool_called': max_times = {self.max_times} is below min_times = {self.min_times}"
            )
        if self.outcome is not None and self.outcome not in get_args(ToolOutcome):
            raise ConfigurationError(
                f"expectation 'tool_called': outcome must be one of {', '.join(get_args(ToolOutcome))}, not {self.outcome!r}"
            )
        if self.arguments is not None:
            arguments = to_json_data(
                dict(self.arguments), "the arguments of expectation 'tool_called'"
            )
            object.__setattr__(self, "arguments", arguments)

    @property
    def label(self) -> str:
        """A short name for people."""
        return f"tool_called {self.name}"

    def check(self, observation: Observation, case: EvalCase) -> Score:  # noqa: ARG002
        """Say how often the tool was called.

        Args:
            observation: What was seen of the attempt.
            case: The case.
        """
        if observation.tool_calls is None:
            return _UNSEEN
        same = [call for call in observation.tool_calls if call.name == self.name]
        count = sum(self._counts(call) for call in same)
        passed = self.min_times <= count and (self.max_times is None or count <= self.max_times)
        if passed:
            return Score.of(True, f"called {count} times")
        wanted = f"at least {self.min_times} times"
        if self.max_times is not None:
            wanted = f"{self.min_times} to {self.max_times} times"
        told = f"{count} of its {len(same)} calls fit" if same else _tell_names(observation)
        return Score.of(False, f"expected {wanted}: {told}")

    def _counts(self, call: ObservedCall) -> bool:
        if self.outcome is not None and call.outcome != self.outcome:
            return False
        return self.arguments is None or is_same(self.arguments, call.arguments, subset=True)


@dataclass(frozen=True, slots=True)
class ToolNotCalled:
    """A tool is not called, not even in vain.

    Attributes:
        name: Name of the tool, as the model calls it.

    Raises:
        ConfigurationError: The name is empty.
    """

    name: str

    def __post_init__(self) -> None:
        """Check the name."""
        _check_names("tool_not_called", (self.name,))

    @property
    def label(self) -> str:
        """A short name for people."""
        return f"tool_not_called {self.name}"

    def check(self, observation: Observation, case: EvalCase) -> Score:  # noqa: ARG002
        """Say whether the tool was called.

        Args:
            observation: What was seen of the attempt.
            case: The case.
        """
        if observation.tool_calls is None:
            return _UNSEEN
        count = sum(call.name == self.name for call in observation.tool_calls)
        return Score.of(not count, f"called {count} times" if count else "not called")


@dataclass(frozen=True, slots=True, init=False)
class ToolOrder:
    """Tools are called in an order; other calls may come between. The score is the part of them that were.

    ```python
    ToolOrder("search", "read_file")
    ```

    Args:
        names: Names of the tools in their order; a name may stand there more than once.

    Raises:
        ConfigurationError: There are none, or one is empty.
    """

    names: tuple[str, ...]

    def __init__(self, *names: str) -> None:
        _check_names("tool_order", names)
        object.__setattr__(self, "names", names)

    @property
    def label(self) -> str:
        """A short name for people."""
        return f"tool_order {', '.join(self.names)}"

    def check(self, observation: Observation, case: EvalCase) -> Score:  # noqa: ARG002
        """Say how far the tools were called in the order.

        Args:
            observation: What was seen of the attempt.
            case: The case.
        """
        if observation.tool_calls is None:
            return _UNSEEN
        called = iter(call.name for call in observation.tool_calls)
        found = 0
        for name in self.names:
            if name not in called:  # which reads on up to the name
                break
            found += 1
        if found == len(self.names):
            return Score.of(True, "called in this order")
        before = f" after {', '.join(self.names[:found])}" if found else ""
        reason = f"{self.names[found]!r} was not called{before}: {_tell_names(observation)}"
        return Score(found / len(self.names), False, reason)


def _check_names(kind: str, names: tuple[Any, ...]) -> None:
    if not names or not all(isinstance(name, str) and name for name in names):
        raise ConfigurationError(f"expectation {kind!r} needs a name of a tool that is not empty")


def _tell_names(observation: Observation) -> str:
    names = [call.name for call in observation.tool_calls or ()]
    return f"the calls were {cut(', '.join(names))}" if names else "there were no calls"
