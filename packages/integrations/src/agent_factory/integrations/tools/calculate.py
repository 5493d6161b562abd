"""The tool `calculate`: exact arithmetic."""

from __future__ import annotations

import decimal

from pydantic import BaseModel, ConfigDict

from agent_factory.core.registry import ToolEntry
from agent_factory.core.tools import Tool, tool
from agent_factory.integrations.tools.arithmetic import Number, evaluate

__all__ = ["CalculateOptions", "create_calculate", "create_calculate_entry"]

MAX_DECIMALS = 100
SHOWN_DIGITS = 30
MAX_FRACTION_DIGITS = 60


class CalculateOptions(BaseModel):
    """Options of `calculate` in a blueprint: there are none."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def create_calculate() -> Tool[object]:
    """Make the tool `calculate`.

    Returns:
        The tool; its result has ``result``, a number as text, ``exact``, and ``fraction`` where the exact value is a
        short fraction that no decimal number equals.
    """

    @tool(effect="read", timeout=10.0)
    def calculate(expression: str) -> dict[str, object]:
        """Calculate an arithmetic expression exactly.

        Args:
            expression: Numbers, + - * / // % **, parentheses, and abs, ceil, floor, max, min, round, sqrt, as in
                'round(2 * (3.5 + 4) / 7, 2)'. At most 500 characters; no thousands separators.
        """
        number = evaluate(expression)
        text, lossless = _format(number)
        answer: dict[str, object] = {"result": text, "exact": lossless}
        if number.exact and not lossless:
            fraction = str(number.value)
            if len(fraction) <= MAX_FRACTION_DIGITS:
                answer["fraction"] = fraction
        return answer

    return calculate


def create_calculate_entry() -> ToolEntry[CalculateOptions]:
    """Return the entry through which blueprints use `calculate`."""
    return ToolEntry(
        "calculate",
        "calculates an arithmetic expression exactly",
        CalculateOptions,
        lambda _options, _environment: create_calculate(),
    )


def _format(number: Number) -> tuple[str, bool]:
    """Return a number as decimal text, and whether the text is its value and not a rounded one."""
    value = number.value
    decimals = _count_decimals(value.denominator)
    if decimals is None or not number.exact:
        context = decimal.Context(prec=SHOWN_DIGITS, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN)
        top, bottom = decimal.Decimal(value.numerator), decimal.Decimal(value.denominator)
        return str(context.divide(top, bottom)), False
    if decimals == 0:
        return str(value.numerator), True
    digits = str(abs(value.numerator) * 10**decimals // value.denominator).rjust(decimals + 1, "0")
    sign = "-" if value < 0 else ""
    return f"{sign}{digits[:-decimals]}.{digits[-decimals:]}", True


def _count_decimals(denominator: int) -> int | None:
    """Return how many decimals write a fraction out in full, or None where none or too many do."""
    for decimals in range(MAX_DECIMALS + 1):
        if 10**decimals % denominator == 0:
            return decimals
    return None
