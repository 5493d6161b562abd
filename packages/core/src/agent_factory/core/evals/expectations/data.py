"""Expectations of an answer that is data."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from decimal import Context, Decimal
from typing import TYPE_CHECKING, Any

from agent_factory.core.evals.expectations.port import Score
from agent_factory.core.evals.values import NO_JSON, find_at, read_json
from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.problems import cut

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent_factory.core.evals.cases import EvalCase
    from agent_factory.core.evals.observations import Observation

__all__ = ["FitsSchema", "Numeric"]

_MAX_PROBLEMS = 5
_POINTER = re.compile(r"(/([^~/]|~[01])*)*")
_NUMBER = re.compile(
    r"(?<![\w.])[-+\u2212]?(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]{1,4})?"
    r"|(?<![\w.])[-+\u2212]?\.[0-9]+"
)
_MAX_DIGITS = 100


@dataclass(frozen=True, slots=True)
class FitsSchema:
    """The answer fits a JSON Schema (2020-12). An answer that is a text may also be JSON that fits.

    Attributes:
        schema: The schema. References lead nowhere outside it: nothing is fetched.

    Raises:
        ConfigurationError: The schema is not valid.
    """

    schema: Mapping[str, Any]
    _find_problems: Callable[[object, int], list[str]] = field(
        init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        """Compile the schema, and keep a copy."""
        from agent_factory.core.schemas import create_validator

        given: object = self.schema
        if not isinstance(given, Mapping):
            raise ConfigurationError(
                f"expectation 'json_schema' needs a schema, which is an object, not {given!r:.80}"
            )
        schema = deepcopy(dict(given))
        object.__setattr__(self, "schema", schema)
        object.__setattr__(
            self, "_find_problems", create_validator(schema, "expectation 'json_schema'")
        )

    @property
    def label(self) -> str:
        """A short name for people."""
        return "json_schema"

    def check(self, observation: Observation, case: EvalCase) -> Score:  # noqa: ARG002
        """Say whether the answer fits, and what does not.

        Args:
            observation: What was seen of the attempt.
            case: The case.
        """
        data = read_json(observation.output)
        if data is NO_JSON:
            data = observation.output
        problems = self._find_problems(data, _MAX_PROBLEMS)
        if not problems or (
            data is not observation.output and not self._find_problems(observation.output, 1)
        ):
            return Score.of(True, "the answer fits the schema")
        return Score.of(False, f"the answer does not fit the schema: {'; '.join(problems)}")


@dataclass(frozen=True, slots=True)
class Numeric:
    """A number in the answer is near a value: no further off than the larger of the two tolerances.

    Numbers are compared as decimals, so that 0.4 is 0.1 off 0.3.

    Attributes:
        value: The number that is expected; finite.
        absolute: How far off the answer may be.
        relative: How far off it may be as a part of the value: 0.01 is 1 %.
        at: JSON pointer (RFC 6901) to the number in an answer that is JSON. If None, it is the first number of the text, with
            ``.`` before decimals and perhaps ``,`` between thousands.

    Raises:
        ConfigurationError: A number is out of its range, or the pointer is none.
    """

    value: float
    absolute: float = 0.0
    relative: float = 0.0
    at: str | None = None

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in ("value", "absolute", "relative"):
            number = getattr(self, name)
            if (
                isinstance(number, bool)
                or not isinstance(number, (int, float))
                or not math.isfinite(number)
                or (name != "value" and number < 0)
            ):
                needed = "a finite number" if name == "value" else "a finite number of at least 0"
                raise ConfigurationError(
                    f"expectation 'number': {name} must be {needed}, not {number!r}"
                )
        if self.at is not None and not _POINTER.fullmatch(self.at):
            raise ConfigurationError(
                f"expectation 'number': at must be a JSON pointer such as '/total', not {self.at!r}"
            )

    @property
    def label(self) -> str:
        """A short name for people."""
        return "number" if self.at is None else f"number at {self.at or '/'}"

    def check(self, observation: Observation, case: EvalCase) -> Score:  # noqa: ARG002
        """Say whether the number is near the value.

        Args:
            observation: What was seen of the attempt.
            case: The case.
        """
        found = self._find(observation)
        if isinstance(found, str):
            return Score.of(False, found)
        # Of its own, so that neither the settings of a program nor huge exponents matter.
        context = Context(prec=50, traps=[])
        value = Decimal(repr(self.value))
        allowed = max(
            Decimal(repr(self.absolute)),
            context.multiply(Decimal(repr(self.relative)), abs(value)),
        )
        off = context.abs(context.subtract(found, value))
        passed = off.is_finite() and off <= allowed
        bound = f" within {allowed.normalize(context)}" if allowed else ""
        expected = f"expected {self.value!r}{bound}"
        return Score.of(passed, f"{expected}, and found {cut(str(found))}")

    def _find(self, observation: Observation) -> Decimal | str:
        """Return the number, or why there is none."""
        if self.at is None:
            text = observation.text
            match = _NUMBER.search(text)
            if match is None:
                return f"there is no number in {cut(repr(text))}"
            if len(match[0]) > _MAX_DIGITS:
                return f"the first number of the answer has {len(match[0])} characters"
            return Decimal(match[0].replace(",", "").replace("\u2212", "-"))
        data = read_json(observation.output)
        if data is NO_JSON:
            return f"the answer is no JSON: {cut(repr(observation.text))}"
        try:
            number = find_at(data, self.at)
        except LookupError:
            return f"there is nothing at {self.at!r} in {cut(repr(data))}"
        if isinstance(number, bool) or not isinstance(number, (int, float)):
            return f"there is no number at {self.at!r}, but {cut(repr(number))}"
        if isinstance(number, int) and number.bit_length() > 4 * _MAX_DIGITS:
            return f"the number at {self.at!r} has too many digits"
        return Decimal(repr(number))
