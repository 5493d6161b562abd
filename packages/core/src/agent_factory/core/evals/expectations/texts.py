"""Expectations of what the answer says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from agent_factory.core.evals.expectations.port import Score
from agent_factory.core.evals.values import NO_JSON, is_same, read_json, to_json_data
from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.problems import cut

if TYPE_CHECKING:
    from agent_factory.core.evals.cases import EvalCase
    from agent_factory.core.evals.observations import Observation
    from agent_factory.core.guardrails._regex import LinearPattern

__all__ = ["Contains", "Exact", "Matches"]


@dataclass(frozen=True, slots=True)
class Exact:
    """The answer is this value, and nothing else.

    White space around a text does not count. Where another value than a text is expected, an answer that is a text is read
    as JSON. Numbers are compared as numbers: 1 is 1.0, but not true.

    Attributes:
        value: The answer: a text, or any JSON value.

    Raises:
        ConfigurationError: The value cannot be written as JSON.
    """

    value: Any

    def __post_init__(self) -> None:
        """Keep the value as plain data."""
        object.__setattr__(self, "value", to_json_data(self.value, "expectation 'exact'"))

    @property
    def label(self) -> str:
        """A short name for people."""
        return "exact"

    def check(self, observation: Observation, case: EvalCase) -> Score:  # noqa: ARG002
        """Say whether the answer is the value.

        Args:
            observation: What was seen of the attempt.
            case: The case.
        """
        output = observation.output
        if isinstance(self.value, str):
            passed = isinstance(output, str) and output.strip() == self.value.strip()
        else:
            data = read_json(output)
            passed = data is not NO_JSON and is_same(self.value, data)
        if passed:
            return Score.of(True, "the answer is the expected one")
        return Score.of(False, f"expected {cut(repr(self.value))}, not {cut(repr(output))}")


@dataclass(frozen=True, slots=True, init=False)
class Contains:
    """The answer contains texts, and does not contain others. The score is the part of the texts that it contains.

    ```python
    Contains("Bern", "Zurich", none_of=("Geneva",))
    ```

    Args:
        texts: Texts that must all stand in the answer.
        none_of: Texts of which none may stand in it.
        ignore_case: Whether upper and lower case letters count as the same.

    Raises:
        ConfigurationError: There is no text at all, or an empty one.
    """

    texts: tuple[str, ...]
    none_of: tuple[str, ...]
    ignore_case: bool

    def __init__(
        self, *texts: str, none_of: tuple[str, ...] = (), ignore_case: bool = False
    ) -> None:
        given: Any = none_of
        if isinstance(given, str):
            raise ConfigurationError(
                f"expectation 'contains': none_of must be several texts, not {given!r}: write ({given!r},)"
            )
        every: tuple[Any, ...] = (*texts, *none_of)
        if not every or not all(isinstance(text, str) and text for text in every):
            raise ConfigurationError(
                "expectation 'contains' needs texts that are not empty, such as Contains('Bern')"
            )
        put = object.__setattr__
        put(self, "texts", tuple(texts))
        put(self, "none_of", tuple(none_of))
        put(self, "ignore_case", ignore_case)

    @property
    def label(self) -> str:
        """A short name for people."""
        return "contains"

    def check(self, observation: Observation, case: EvalCase) -> Score:  # noqa: ARG002
        """Say which of the texts the answer contains.

        Args:
            observation: What was seen of the attempt.
            case: The case.
        """
        answer = self._fold(observation.text)
        missing = [text for text in self.texts if self._fold(text) not in answer]
        unwanted = [text for text in self.none_of if self._fold(text) in answer]
        problems = []
        if missing:
            problems.append(f"lacks {cut(', '.join(map(repr, missing)))}")
        if unwanted:
            problems.append(f"has {cut(', '.join(map(repr, unwanted)))}")
        if not problems:
            return Score.of(True, "the answer contains what it should")
        reason = f"the answer {' and '.join(problems)}: {cut(repr(observation.text))}"
        found = len(self.texts) - len(missing)
        return Score(0.0 if unwanted else found / len(self.texts), False, reason)

    def _fold(self, text: str) -> str:
        return text.casefold() if self.ignore_case else text


@dataclass(frozen=True, slots=True)
class Matches:
    """A regular expression matches somewhere in the answer, in a time in proportion to its length.

    Attributes:
        pattern: The expression, in the syntax that Python and Rust have in common; look-around and backreferences are not
            supported. Flags stand in it, as in ``(?i)yes``, and ``^`` and ``$`` hold it to the whole.

    Raises:
        ConfigurationError: The expression cannot be used.
    """

    pattern: str
    _compiled: LinearPattern = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Compile the expression."""
        from agent_factory.core.guardrails._regex import LinearPattern

        try:
            compiled = LinearPattern(self.pattern, name="matches")
        except ConfigurationError as error:
            reason = error.message.removeprefix("guardrail 'matches': ")
            raise ConfigurationError(f"expectation 'matches': {reason}") from None
        object.__setattr__(self, "_compiled", compiled)

    @property
    def label(self) -> str:
        """A short name for people."""
        return "matches"

    def check(self, observation: Observation, case: EvalCase) -> Score:  # noqa: ARG002
        """Say whether the expression matches.

        Args:
            observation: What was seen of the attempt.
            case: The case.
        """
        if self._compiled.search(observation.text):
            return Score.of(True, "the pattern matches")
        return Score.of(
            False, f"nothing matches {cut(repr(self.pattern))} in {cut(repr(observation.text))}"
        )
