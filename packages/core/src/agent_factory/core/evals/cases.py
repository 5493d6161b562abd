"""Suites of test cases."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from agent_factory.core.evals.gate import Gate
from agent_factory.core.evals.values import to_json_data
from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.waiting import is_duration

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent_factory.core.evals.expectations.port import Expectation

__all__ = ["EvalCase", "EvalSuite"]


@dataclass(frozen=True, slots=True)
class EvalCase:
    """An input, and what must hold of each attempt at it.

    Attributes:
        name: Name for reports; no other case of the suite has it.
        input: What the target gets: a text, or data that JSON can hold.
        expectations: What must hold; at least one.
        tags: Words to choose cases by.

    Raises:
        ConfigurationError: The name is empty, there are no expectations, or the input cannot be written as JSON.
    """

    name: str
    input: Any
    expectations: tuple[Expectation, ...]
    tags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the values, and keep plain data."""
        name: Any = self.name
        if not isinstance(name, str) or not name.strip():
            raise ConfigurationError("a case needs a name that is not empty")
        expectations: Any = self.expectations
        if not isinstance(expectations, (tuple, list)) or not expectations:
            raise ConfigurationError(
                f"case {name!r} needs a list of expectations, such as [Contains('Bern')]"
            )
        for item in expectations:
            if isinstance(item, type) or not callable(getattr(item, "check", None)):
                raise ConfigurationError(
                    f"case {name!r}: an expectation must be an object with a method 'check', such as Contains('Bern'), "
                    f"and {item!r} is none"
                )
        tags: Any = self.tags
        if isinstance(tags, str):
            raise ConfigurationError(f"case {name!r}: tags must be several, not {tags!r}")
        put = object.__setattr__
        put(self, "input", to_json_data(self.input, f"the input of case {name!r}"))
        put(self, "expectations", tuple(expectations))
        put(self, "tags", tuple(tags))


@dataclass(frozen=True, slots=True)
class EvalSuite:
    """Cases that are tried together, and what they must reach.

    Attributes:
        name: Name for reports.
        cases: The cases; at least one.
        repetitions: How often each case is tried, since models do not always answer the same; at least 1.
        seed: What the seeds of all attempts are derived from.
        gate: What the suite must reach.
        concurrency: Attempts that run at the same time; at least 1.
        timeout: Seconds that one attempt may take; finite and greater than 0.

    Raises:
        ConfigurationError: A value is out of its range, or two cases have one name.
    """

    name: str
    cases: tuple[EvalCase, ...]
    repetitions: int = 1
    seed: int = 0
    gate: Gate = field(default_factory=Gate)
    concurrency: int = 4
    timeout: float = 600.0

    def __post_init__(self) -> None:
        """Check the values."""
        name: Any = self.name
        if not isinstance(name, str) or not name.strip():
            raise ConfigurationError("a suite needs a name that is not empty")
        cases: Any = self.cases
        if not isinstance(cases, (tuple, list)) or not all(
            isinstance(case, EvalCase) for case in cases
        ):
            raise ConfigurationError(f"suite {name!r}: cases must be a list of EvalCase(...)")
        if not cases:
            raise ConfigurationError(f"suite {name!r} needs a case")
        names: set[str] = set()
        for case in cases:
            if case.name in names:
                raise ConfigurationError(
                    f"suite {name!r} has two cases with the name {case.name!r}: reports tell cases apart by name"
                )
            names.add(case.name)
        for key, least in (("repetitions", 1), ("concurrency", 1), ("seed", None)):
            value = getattr(self, key)
            if isinstance(value, bool) or not isinstance(value, int):
                raise ConfigurationError(
                    f"suite {name!r}: {key} must be a whole number, not {value!r}"
                )
            if least is not None and value < least:
                raise ConfigurationError(
                    f"suite {name!r}: {key} must be at least {least}, not {value}"
                )
        gate: Any = self.gate
        if not isinstance(gate, Gate):
            raise ConfigurationError(f"suite {name!r}: gate must be Gate(...), not {gate!r}")
        if not is_duration(self.timeout):
            raise ConfigurationError(
                f"suite {name!r}: timeout must be a finite number of seconds above 0, not {self.timeout!r}"
            )
        object.__setattr__(self, "cases", tuple(cases))

    def select(self, choose: Callable[[EvalCase], bool]) -> EvalSuite:
        """Return the suite with some of its cases. Their seeds are the same as in the whole suite.

        Args:
            choose: Whether a case stays.

        Raises:
            ConfigurationError: None stays.
        """
        return replace(self, cases=tuple(case for case in self.cases if choose(case)))
