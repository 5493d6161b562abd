from __future__ import annotations

import json
import struct
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.locks import canonicalise, compute_digest, normalise_newlines
from agent_factory.core.locks.canonical import MAX_DEPTH, MAX_INTEGER, freeze

# Appendix B of RFC 8785: the bits of a number, and how it is written.
NUMBERS = {
    "0000000000000000": "0",
    "8000000000000000": "0",
    "0000000000000001": "5e-324",
    "8000000000000001": "-5e-324",
    "7fefffffffffffff": "1.7976931348623157e+308",
    "ffefffffffffffff": "-1.7976931348623157e+308",
    "4340000000000000": "9007199254740992",
    "c340000000000000": "-9007199254740992",
    "4430000000000000": "295147905179352830000",
    "44b52d02c7e14af5": "9.999999999999997e+22",
    "44b52d02c7e14af6": "1e+23",
    "44b52d02c7e14af7": "1.0000000000000001e+23",
    "444b1ae4d6e2ef4e": "999999999999999700000",
    "444b1ae4d6e2ef4f": "999999999999999900000",
    "444b1ae4d6e2ef50": "1e+21",
    "3eb0c6f7a0b5ed8c": "9.999999999999997e-7",
    "3eb0c6f7a0b5ed8d": "0.000001",
    "41b3de4355555553": "333333333.3333332",
    "41b3de4355555554": "333333333.33333325",
    "41b3de4355555555": "333333333.3333333",
    "41b3de4355555556": "333333333.3333334",
    "41b3de4355555557": "333333333.33333343",
    "becbf647612f3696": "-0.0000033333333333333333",
    "43143ff3c1cb0959": "1424953923781206.2",
}

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-MAX_INTEGER, MAX_INTEGER)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda children: st.lists(children, max_size=4)
    | st.dictionaries(st.text(), children, max_size=4),
    max_leaves=20,
)


def parse_number(text: str) -> int | float:
    """Read a whole number as ECMAScript does, which has no others than doubles."""
    return int(text) if abs(int(text)) <= MAX_INTEGER else float(text)


def shuffle(value: Any) -> Any:
    """Return equal data whose keys stand the other way round."""
    if isinstance(value, dict):
        return {key: shuffle(value[key]) for key in reversed(list(value))}
    return [shuffle(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize(("bits", "written"), NUMBERS.items())
def test_numbers_are_written_as_the_rfc_has_them(bits: str, written: str) -> None:
    [number] = struct.unpack(">d", bytes.fromhex(bits))

    assert canonicalise(number) == written.encode()


def test_example_of_the_rfc_has_its_canonical_form() -> None:
    text = (
        r'{"numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],'
        r' "string": "\u20ac$\u000F\u000aA\u0027\u0042\u0022\u005c\\\"\/", "literals": [null, true, false]}'
    )

    assert (
        canonicalise(json.loads(text))
        == (
            '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
            '"string":"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
        ).encode()
    )


def test_keys_are_sorted_by_their_utf_16_code_units() -> None:
    keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\x80", "\u00f6"]

    found = json.loads(canonicalise(dict.fromkeys(keys)))

    assert list(found) == ["\r", "1", "\x80", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]


def test_control_characters_have_their_short_escapes() -> None:
    assert canonicalise("\b\t\n\f\r\x00\x1f\x7f/") == b'"\\b\\t\\n\\f\\r\\u0000\\u001f\x7f/"'


def test_whole_number_is_the_same_as_integer_and_as_float() -> None:
    assert compute_digest({"a": 60}) == compute_digest({"a": 60.0})


def test_true_is_not_one() -> None:
    assert compute_digest(True) != compute_digest(1)


def test_digest_is_the_sha256_of_the_canonical_form() -> None:
    assert compute_digest({}) == (
        "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    )


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"a": [float("nan")]}, "the value.a[0] is nan, which JSON does not have"),
        (float("-inf"), "the value is -inf, which JSON does not have"),
        (2**53, "beyond 2^53-1"),
        (-(2**53), "beyond 2^53-1"),
        ("\ud800", "half of a surrogate pair"),
        ({"\udc00": 1}, "half of a surrogate pair"),
        ({1: 2}, "has the key 1, which is no text"),
        (b"", "is a bytes, which is no JSON"),
        ({"a": {1, 2}}, "the value.a is a set, which is no JSON"),
    ],
)
def test_what_json_cannot_hold_exactly_is_refused_with_its_place(value: object, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        canonicalise(value)

    assert said in caught.value.message


def test_nesting_is_bounded() -> None:
    value: list[object] = []
    for _ in range(MAX_DEPTH - 1):
        value = [value]
    assert canonicalise(value) == b"[" * MAX_DEPTH + b"]" * MAX_DEPTH

    with pytest.raises(ConfigurationError, match="nested deeper than 64 levels"):
        canonicalise([value])


def test_endless_data_is_refused() -> None:
    value: list[object] = []
    value.append(value)

    with pytest.raises(ConfigurationError, match="nested deeper"):
        canonicalise(value)


def test_read_only_mappings_and_tuples_are_objects_and_arrays() -> None:
    assert canonicalise(MappingProxyType({"a": (1, 2)})) == b'{"a":[1,2]}'


def test_frozen_data_is_a_copy() -> None:
    value = {"a": [1]}
    frozen = freeze(value)
    value["a"].append(2)

    assert canonicalise(frozen) == b'{"a":[1]}'
    with pytest.raises(TypeError):
        frozen["b"] = 1


@pytest.mark.parametrize("text", ["a\nb\n", "a\r\nb\r\n", "a\rb\r"])
def test_line_ends_have_one_form(text: str) -> None:
    assert normalise_newlines(text) == "a\nb\n"


@given(json_values)
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_canonical_form_of_what_it_says_is_itself(value: Any) -> None:
    once = canonicalise(value)

    assert canonicalise(json.loads(once, parse_int=parse_number)) == once


@given(json_values)
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_order_of_keys_means_nothing(value: Any) -> None:
    assert compute_digest(shuffle(value)) == compute_digest(value)
