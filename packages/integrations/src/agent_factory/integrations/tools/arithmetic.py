"""Exact arithmetic on an expression that somebody else wrote, within bounds of time and memory.

Numbers are fractions, so ``0.1 + 0.2`` is ``0.3``; only roots and broken powers are rounded, and the result says so.
Nothing is evaluated by Python itself: the expression is parsed, and a short list of operators and functions is carried out
here.
"""

from __future__ import annotations

import ast
import decimal
import math
import operator
import re
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from agent_factory.core.exceptions import ToolError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Number", "evaluate"]

MAX_EXPRESSION = 500
MAX_DEPTH = 250
MAX_BITS = 8192
MAX_DIGITS = 2000
PRECISION = 50

_TOKEN = re.compile(
    r"\s*(?:(?P<number>0[xX][0-9a-fA-F]+|(?:[0-9][0-9_]*\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z_]\w*)|(?P<sign>\*\*|//|[-+*/%(),]))\s*",
    re.ASCII,
)
_CONTEXT = decimal.Context(
    prec=PRECISION,
    Emax=decimal.MAX_EMAX,
    Emin=decimal.MIN_EMIN,
    traps=[decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow],
)


@dataclass(frozen=True, slots=True)
class Number:
    """The value of an expression.

    Attributes:
        value: The value.
        exact: Whether it is exact; otherwise it is rounded to 50 significant digits somewhere on the way.
    """

    value: Fraction
    exact: bool = True


def evaluate(expression: str) -> Number:
    """Calculate an arithmetic expression.

    Args:
        expression: Numbers, ``+ - * / // % **``, parentheses, and the functions abs, ceil, floor, max, min, round,
            sqrt; at most 500 characters.

    Raises:
        ToolError: It is no such expression, has no value, or the value is too large.
    """
    source = expression.strip()
    if not source:
        raise ToolError("the expression is empty: write one such as '2 * (3 + 4)'")
    if len(source) > MAX_EXPRESSION:
        raise ToolError(
            f"the expression has {len(source)} characters, and {MAX_EXPRESSION} are allowed: split it"
        )
    source = _normalise(source)
    try:
        tree = ast.parse(source, mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise ToolError(
            f"{expression.strip()!r} is no complete expression: check its operators and parentheses"
        ) from None
    return _evaluate(tree.body, source, 0)


def _normalise(source: str) -> str:
    """Check that there are only known tokens, so that Python's parser sees nothing else."""
    tokens = []
    position = 0
    while position < len(source):
        match = _TOKEN.match(source, position)
        if match is None:
            raise ToolError(_describe_unknown(source[position:].lstrip()[0]))
        name = match["name"]
        if name is not None and name not in _FUNCTIONS:
            known = ", ".join(sorted(_FUNCTIONS))
            raise ToolError(f"there is no name {name!r}: only numbers and {known} may be used")
        tokens.append(match[0].strip())
        position = match.end()
    return " ".join(tokens)


def _describe_unknown(character: str) -> str:
    if character == "^":
        return "'^' is no operator here: write '**' for powers"
    return (
        f"{character!r} cannot stand in an expression: use numbers, + - * / // % ** and parentheses"
    )


def _evaluate(node: ast.expr, source: str, depth: int) -> Number:
    if depth > MAX_DEPTH:
        raise ToolError(f"the expression is nested more than {MAX_DEPTH} deep: split it")
    if isinstance(node, ast.Constant):
        return Number(_read_number(ast.get_source_segment(source, node) or ""))
    if isinstance(node, ast.UnaryOp):
        operand = _evaluate(node.operand, source, depth + 1)
        return Number(
            -operand.value if isinstance(node.op, ast.USub) else operand.value, operand.exact
        )
    if isinstance(node, ast.BinOp):
        left = _evaluate(node.left, source, depth + 1)
        right = _evaluate(node.right, source, depth + 1)
        return _check(_OPERATORS[type(node.op)](left, right))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        values = [_evaluate(argument, source, depth + 1) for argument in node.args]
        return _check(_call(node.func.id, values))
    if isinstance(node, ast.Tuple):
        raise ToolError("a comma stands outside of a function: write 1000, not 1,000")
    raise ToolError("a function's name stands alone: write it as in 'sqrt(2)'")


def _read_number(text: str) -> Fraction:
    digits = text.lower().replace("_", "")
    if digits.startswith("0x"):
        return _check(Number(Fraction(int(digits, 16)))).value
    mantissa, _, exponent = digits.partition("e")
    # The exponent is written in a few characters and filled in with any number of digits.
    if len(mantissa) > MAX_DIGITS or len(exponent) > 6 or abs(int(exponent or 0)) > MAX_DIGITS:
        raise _too_large()
    return _check(Number(Fraction(digits))).value


def _check(number: Number) -> Number:
    value = number.value
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > MAX_BITS:
        raise _too_large()
    return number


def _too_large() -> ToolError:
    return ToolError(
        f"a number on the way has more than about {MAX_BITS * 3 // 10} digits: use smaller numbers"
    )


def _exact(function: Callable[[Fraction, Fraction], Fraction | int]) -> Callable[..., Number]:
    def apply(left: Number, right: Number) -> Number:
        try:
            value = function(left.value, right.value)
        except ZeroDivisionError:
            raise ToolError("a division by zero has no value") from None
        return Number(Fraction(value), left.exact and right.exact)

    return apply


def _power(base: Number, exponent: Number) -> Number:
    power = exponent.value
    exact = base.exact and exponent.exact
    if base.value == 0 and power < 0:
        raise ToolError("a division by zero has no value: 0 has no negative power")
    if power.denominator == 1:
        bits = max(base.value.numerator.bit_length(), base.value.denominator.bit_length())
        if abs(power) * max(bits - 1, 0) > MAX_BITS:
            raise _too_large()
        # Powers of 0, 1 and -1 stay small, however large the exponent; its parity is all that counts.
        small = int(power) if bits > 1 else int(power) % 2 or (2 if power else 0)
        return Number(Fraction(base.value**small), exact)
    if base.value < 0:
        raise ToolError("a broken power of a negative number has no real value")
    if power.denominator == 2:
        root = _square_root(base)
        if root.exact:
            return _power(root, Number(Fraction(power.numerator), exponent.exact))
    if base.value == 0:
        return Number(Fraction(0), exact)
    if abs(float(power)) * (abs(_log2(base.value)) + 1) > MAX_BITS:
        raise _too_large()
    try:
        value = _CONTEXT.power(_to_decimal(base.value), _to_decimal(power))
    except decimal.DecimalException:
        raise _too_large() from None
    return Number(Fraction(value), exact=False)


def _square_root(number: Number) -> Number:
    value = number.value
    if value < 0:
        raise ToolError("the square root of a negative number has no real value")
    top, bottom = math.isqrt(value.numerator), math.isqrt(value.denominator)
    if top * top == value.numerator and bottom * bottom == value.denominator:
        return Number(Fraction(top, bottom), number.exact)
    return Number(Fraction(_CONTEXT.sqrt(_to_decimal(value))), exact=False)


def _log2(value: Fraction) -> float:
    return math.log2(value.numerator) - math.log2(value.denominator)


def _to_decimal(value: Fraction) -> decimal.Decimal:
    return _CONTEXT.divide(decimal.Decimal(value.numerator), decimal.Decimal(value.denominator))


def _round(values: list[Number]) -> Number:
    digits = values[1].value if len(values) > 1 else Fraction(0)
    if digits.denominator != 1 or abs(digits) > MAX_DIGITS:
        raise ToolError(
            f"round takes a whole number of digits from -{MAX_DIGITS} to {MAX_DIGITS} as its second argument"
        )
    return Number(Fraction(round(values[0].value, int(digits))), values[0].exact)


def _call(name: str, values: list[Number]) -> Number:
    least, most, function = _FUNCTIONS[name]
    if not least <= len(values) <= most:
        wanted = f"{least}" if least == most else f"{least} to {most}"
        raise ToolError(f"{name} takes {wanted} arguments, not {len(values)}")
    return function(values)


def _value(number: Number) -> Fraction:
    return number.value


_OPERATORS: dict[type[ast.operator], Callable[[Number, Number], Number]] = {
    ast.Add: _exact(operator.add),
    ast.Sub: _exact(operator.sub),
    ast.Mult: _exact(operator.mul),
    ast.Div: _exact(operator.truediv),
    ast.FloorDiv: _exact(operator.floordiv),
    ast.Mod: _exact(operator.mod),
    ast.Pow: _power,
}

_FUNCTIONS: dict[str, tuple[int, int, Callable[[list[Number]], Number]]] = {
    "abs": (1, 1, lambda values: Number(abs(values[0].value), values[0].exact)),
    "ceil": (1, 1, lambda values: Number(Fraction(math.ceil(values[0].value)), values[0].exact)),
    "floor": (1, 1, lambda values: Number(Fraction(math.floor(values[0].value)), values[0].exact)),
    "max": (1, MAX_EXPRESSION, lambda values: max(values, key=_value)),
    "min": (1, MAX_EXPRESSION, lambda values: min(values, key=_value)),
    "round": (1, 2, _round),
    "sqrt": (1, 1, lambda values: _square_root(values[0])),
}
