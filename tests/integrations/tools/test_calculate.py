from __future__ import annotations

import operator
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_factory.core.exceptions import ToolArgumentsError, ToolError
from agent_factory.integrations.tools import create_calculate
from agent_factory.integrations.tools.arithmetic import evaluate
from tests.integrations.tools.calling import call_tool


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("0.1 + 0.2", "0.3"),
        ("2 * (3 + 4)", "14"),
        ("-7 // 2", "-4"),
        ("-7 % 3", "2"),
        ("2 ** -3", "0.125"),
        ("-2 ** 2", "-4"),
        ("4 ** 0.5", "2"),
        ("8 ** 1.5 ** 0", "8"),
        ("sqrt(2.25)", "1.5"),
        ("round(2.675, 2)", "2.68"),
        ("round(1250, -2)", "1200"),
        ("floor(-1.5) + ceil(1.2)", "0"),
        ("max(1, 2.5, -3) - min(4, 2)", "0.5"),
        ("abs(-1_000)", "1000"),
        ("0x1F + 1e3", "1031"),
        ("1\n +\t2", "3"),
        ("0 ** 99999999", "0"),
        ("(-1) ** 99999999", "-1"),
        ("0 ** 0", "1"),
        ("0 ** 0.3", "0"),
        ("-0.05", "-0.05"),
        ("1+" * 200 + "1", "201"),
    ],
)
def test_an_exact_result_is_written_in_full(expression: str, result: str) -> None:
    assert call_tool(create_calculate(), expression=expression) == {"result": result, "exact": True}


def test_a_short_fraction_comes_with_its_rounded_decimals() -> None:
    assert call_tool(create_calculate(), expression="1/3") == {
        "result": "0." + "3" * 30,
        "exact": False,
        "fraction": "1/3",
    }


@pytest.mark.parametrize(
    ("expression", "start"),
    [
        ("sqrt(2)", "1.41421356237309504880"),
        ("2 ** 0.5", "1.41421356237309504880"),
        ("10 ** 0.3", "1.99526231496887960135"),
        ("round(sqrt(2), 3)", "1.414"),
        ("1 / 3 + sqrt(2) * 0", "0.33333333"),
    ],
)
def test_a_rounded_result_says_so(expression: str, start: str) -> None:
    answer = call_tool(create_calculate(), expression=expression)
    assert answer["result"].startswith(start)
    assert answer["exact"] is False
    assert "fraction" not in answer


@pytest.mark.parametrize(
    ("expression", "advice"),
    [
        ("", "write one such as"),
        ("1 / 0", "division by zero"),
        ("5 % 0", "division by zero"),
        ("0 ** -1", "division by zero"),
        ("10 ^ 2", r"write '\*\*' for powers"),
        ("1,000 + 1", "write 1000, not 1,000"),
        ("sqrt(-1)", "no real value"),
        ("(-8) ** 0.5", "no real value"),
        ("max", "write it as in"),
        ("(1)(2)", "write it as in"),
        ("max()", "takes 1 to 500 arguments, not 0"),
        ("sqrt(1, 2)", "takes 1 arguments, not 2"),
        ("round(1, 0.5)", "whole number of digits"),
        ("round(1, 9999)", "whole number of digits"),
        ("1 +", "check its operators and parentheses"),
        ("007", "check its operators and parentheses"),
        ("(" * 249 + "1" + ")" * 249, "parentheses"),
        ("-" * 400 + "1", "nested more than 250 deep"),
        ("1" * 501, "501 characters"),
        ("__import__('os')", "no name '__import__'"),
        ("1if 1else 2", "no name 'if'"),
        ("'a' * 3", "cannot stand in an expression"),
        ("9 ** 9 ** 9", "use smaller numbers"),
        ("2 ** 1e300", "use smaller numbers"),
        ("2.5 ** 99999.5", "use smaller numbers"),
        ("0.5 ** 1e9", "use smaller numbers"),
        ("1e999999999", "use smaller numbers"),
        ("1e-99999", "use smaller numbers"),
        ("(2 ** 8000) * (2 ** 8000)", "use smaller numbers"),
    ],
)
def test_what_cannot_be_calculated_is_refused_with_advice(expression: str, advice: str) -> None:
    with pytest.raises(ToolError, match=advice):
        call_tool(create_calculate(), expression=expression)


def test_an_expression_must_be_text() -> None:
    with pytest.raises(ToolArgumentsError, match="expression"):
        call_tool(create_calculate(), expression=3)


OPERATORS = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "//": operator.floordiv,
    "%": operator.mod,
}


@given(
    st.integers(-(10**30), 10**30),
    st.sampled_from(sorted(OPERATORS)),
    st.integers(-(10**30), 10**30).filter(bool),
)
def test_whole_numbers_agree_with_python(left: int, sign: str, right: int) -> None:
    number = evaluate(f"({left}) {sign} ({right})")
    assert number.value == OPERATORS[sign](left, right)
    assert number.exact


@given(st.fractions(max_denominator=10**9), st.fractions(max_denominator=10**9))
def test_fractions_agree_with_python(left: Fraction, right: Fraction) -> None:
    written = f"({left.numerator}/{left.denominator}) * ({right.numerator}/{right.denominator})"
    assert evaluate(written).value == left * right


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=6, min_value=-(10**9), max_value=10**9
    )
)
def test_decimal_numbers_come_back_as_written(number: object) -> None:
    answer = call_tool(create_calculate(), expression=f"{number:f}")
    assert Fraction(answer["result"]) == Fraction(str(number))
    assert answer["exact"] is True


TOKENS = st.sampled_from(
    [
        "0",
        "1",
        "7",
        "0.5",
        "9999",
        "1e9",
        "1e2000",
        "(",
        ")",
        "(",
        ")",
        "+",
        "-",
        "*",
        "/",
        "//",
        "%",
        "**",
        "**",
        ",",
        "sqrt(",
        "round(",
        "max(",
        "abs(",
        "floor(",
        "x",
        "^",
        "'",
        "0x",
    ]
)


@given(st.lists(TOKENS, max_size=40).map(" ".join) | st.text(max_size=60))
def test_any_text_gives_a_number_or_a_tool_error(expression: str) -> None:
    try:
        answer = call_tool(create_calculate(), expression=expression)
    except ToolError:
        return
    assert len(answer["result"]) < 4300
