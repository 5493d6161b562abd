"""The port through which guardrails look at what goes into a run, what comes out, and what its tools do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeAlias, get_args

from typing_extensions import TypeVar

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.messages import ToolOutcome
from agent_factory.core.waiting import is_duration

if TYPE_CHECKING:
    from agent_factory.core.models import Ask

__all__ = [
    "Guardrail",
    "GuardrailContext",
    "GuardrailDecision",
    "GuardrailMode",
    "GuardrailOrigin",
    "GuardrailStage",
    "Verdict",
]

GuardrailStage: TypeAlias = Literal["input", "output", "tool_call", "tool_result"]
"""What a guardrail looks at: the prompt, the answer, the arguments of a tool call, or its result."""

GuardrailDecision: TypeAlias = Literal["allow", "block", "replace", "retry"]
"""What a guardrail decided."""

GuardrailMode: TypeAlias = Literal["before", "parallel"]
"""Whether what follows waits for the verdict, or runs beside it and is given out only after it."""

DepsT = TypeVar("DepsT", contravariant=True, default=object)
ContextDepsT = TypeVar("ContextDepsT", covariant=True, default=object)

DEFAULT_TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a guardrail decided about one text. Made by `allow`, `block`, `replace` and `retry`.

    Attributes:
        decision: What is to happen.
        reason: Why; empty where it is allowed. It never repeats what was looked at.
        replacement: What takes the place of the text, where it is replaced.

    Raises:
        ConfigurationError: The decision is none.
    """

    decision: GuardrailDecision
    reason: str = ""
    replacement: str = ""

    def __post_init__(self) -> None:
        """Check the decision."""
        if self.decision not in get_args(GuardrailDecision):
            raise ConfigurationError(
                f"a verdict is one of {', '.join(get_args(GuardrailDecision))}, not {self.decision!r}: "
                "make it with Verdict.allow(), block(), replace() or retry()"
            )
        said: tuple[object, object] = (self.reason, self.replacement)
        if not all(isinstance(item, str) for item in said):
            raise ConfigurationError("the reason and the replacement of a verdict must be texts")

    @classmethod
    def allow(cls) -> Verdict:
        """Return the verdict that lets the text pass."""
        return _ALLOW

    @classmethod
    def block(cls, reason: str) -> Verdict:
        """Return the verdict that ends the run with a `GuardrailError`.

        Args:
            reason: Why, for the caller of the run.
        """
        return cls("block", reason)

    @classmethod
    def replace(cls, replacement: str, reason: str) -> Verdict:
        """Return the verdict that puts another text in place of this one.

        Args:
            replacement: The other text.
            reason: Why, for the record.
        """
        return cls("replace", reason, replacement)

    @classmethod
    def retry(cls, reason: str) -> Verdict:
        """Return the verdict that sends the model back.

        An answer is asked for again, a tool call is not carried out, a result is withheld; the model is told why. A prompt
        has nobody to be sent back to: there it blocks.

        Args:
            reason: Why, and what to do instead, for the model.
        """
        return cls("retry", reason)


_ALLOW = Verdict("allow")


@dataclass(frozen=True)
class GuardrailContext(Generic[ContextDepsT]):
    """What a guardrail may know of the run.

    Attributes:
        stage: What the text is.
        deps: The dependencies that the caller gave to the run.
        agent: Name of the agent.
        run_id: Identifier of the run.
        tool: Name of the tool whose arguments or result the text is; empty for prompt and answer.
        prompt: What the agent was asked, as it reached the model.
        outcome: How the tool call ended whose result the text is; what is not ``ok`` is an error that the tool told.
        ask: Asks a model within the run's limits and budgets; None outside of runs.
    """

    stage: GuardrailStage
    deps: ContextDepsT
    agent: str
    run_id: str
    tool: str = ""
    prompt: str = ""
    outcome: ToolOutcome = "ok"
    ask: Ask | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class GuardrailOrigin:
    """Where a guardrail came from, so that it can be written down in a blueprint.

    Attributes:
        made: The guardrail as it was made, before it was changed.
        use: Name of the function of core that made it.
        options: The arguments that it was given by name, the guardrail's own name left out.
    """

    made: Guardrail[Any]
    use: str
    options: Mapping[str, Any]


@dataclass(frozen=True)
class Guardrail(Generic[DepsT]):
    """A check of what goes into a run, what comes out, or what its tools do.

    The guardrails of a stage look one after the other, each at what the one before left; those of mode ``parallel``
    look at an input while the model answers already: nothing of the answer is given out, and no tool runs, before their verdict.

    Attributes:
        name: Name for people and records; not empty.
        stages: What it looks at; at least one stage.
        check: Returns the verdict on a text, at once or awaited. What it raises ends the run: a guardrail that cannot
            look lets nothing pass.
        mode: Whether what follows waits for its verdict on an input. A guardrail that may replace must be ``before``.
        timeout: Seconds that one look may take; finite and greater than 0.
        hold: Whether streamed text is held back until the output was checked. Without it, text that the guardrail objects
            to later may have been seen already.
        tools: Names of the tools whose calls and results it looks at; all if empty.
        origin: Where it came from, for writing it down; None for one that was written by hand.

    Raises:
        ConfigurationError: A value is refused.
    """

    name: str
    stages: frozenset[GuardrailStage]
    check: Callable[[str, GuardrailContext[DepsT]], Verdict | Awaitable[Verdict]]
    mode: GuardrailMode = "before"
    timeout: float = DEFAULT_TIMEOUT
    hold: bool = True
    tools: frozenset[str] = frozenset()
    origin: GuardrailOrigin | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the values."""
        stages: Any = self.stages
        if not self.name.strip():
            raise ConfigurationError("a guardrail needs a name that is not empty")
        known = get_args(GuardrailStage)
        if not isinstance(stages, frozenset) or not stages or not stages <= set(known):
            raise ConfigurationError(
                f"guardrail {self.name!r}: stages must be a frozenset of {', '.join(known)}, not {stages!r}"
            )
        if self.mode not in get_args(GuardrailMode):
            raise ConfigurationError(
                f"guardrail {self.name!r}: mode must be one of {', '.join(get_args(GuardrailMode))}, "
                f"not {self.mode!r}"
            )
        if not is_duration(self.timeout):
            raise ConfigurationError(
                f"guardrail {self.name!r}: timeout must be a finite number of seconds above 0, "
                f"not {self.timeout!r}"
            )
