"""Finds numbers that stand for a person's money or file: payment cards, bank accounts, social security numbers.

Every pattern has bounded repeats only, so that it takes time in proportion to the text.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from agent_factory.core.guardrails._findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "card_pattern",
    "find_cards",
    "find_ibans",
    "find_ssns",
    "has_iban_check",
    "has_luhn_check",
    "iban_pattern",
    "ssn_pattern",
]

# First digits from-to, and the lengths that are in use with them (ISO/IEC 7812 and the networks' own lists).
_CARDS: tuple[tuple[str, str, tuple[int, ...]], ...] = (
    ("4", "4", (13, 16, 19)),
    ("51", "55", (16,)),
    ("2221", "2720", (16,)),
    ("34", "34", (15,)),
    ("37", "37", (15,)),
    ("300", "305", (14, 16, 19)),
    ("36", "36", (14, 16, 19)),
    ("38", "39", (14, 16, 19)),
    ("3528", "3589", (16, 17, 18, 19)),
    ("6011", "6011", (16, 17, 18, 19)),
    ("644", "659", (16, 17, 18, 19)),
    ("62", "62", (16, 17, 18, 19)),
    ("5018", "5018", (12, 13, 14, 15, 16, 17, 18, 19)),
    ("5020", "5020", (12, 13, 14, 15, 16, 17, 18, 19)),
    ("5038", "5038", (12, 13, 14, 15, 16, 17, 18, 19)),
    ("5893", "5893", (12, 13, 14, 15, 16, 17, 18, 19)),
    ("6304", "6304", (12, 13, 14, 15, 16, 17, 18, 19)),
    ("6759", "6763", (12, 13, 14, 15, 16, 17, 18, 19)),
)

# Characters of an IBAN in each country that has one (the IBAN registry of SWIFT).
_IBANS = {
    length: countries.split()
    for length, countries in {
        15: "NO",
        16: "BE",
        18: "DK FI FK FO GL NL SD",
        19: "MK SI",
        20: "AT BA EE KZ LT LU MN XK",
        21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS VA",
        23: "AE GI IL IQ OM SO TL",
        24: "AD CZ ES MD PK RO SA SE SK TN VG YE",
        25: "LY PT ST",
        26: "IS TR",
        27: "BI DJ FR GR IT MC SM",
        28: "AL AZ BY CY DO GT HN HU LB NI PL SV",
        29: "BR EG PS QA UA",
        30: "JO KW MU",
        31: "MT SC",
        32: "LC",
        33: "RU",
    }.items()
}


def has_luhn_check(digits: str) -> bool:
    """Return whether the last digit of a number is its check digit (ISO/IEC 7812-1, Luhn).

    Args:
        digits: ASCII digits only.
    """
    doubled = (int(digit) * 2 for digit in digits[-2::-2])
    return (
        sum(value - 9 if value > 9 else value for value in doubled) + sum(map(int, digits[::-2]))
    ) % 10 == 0


def has_iban_check(iban: str) -> bool:
    """Return whether the check digits of an IBAN are right (ISO 13616, mod 97).

    Args:
        iban: The IBAN without spaces, in capitals.
    """
    return int("".join(str(int(character, 36)) for character in iban[4:] + iban[:4])) % 97 == 1


@cache
def card_pattern() -> re.Pattern[str]:
    """Return the pattern of what may be the number of a card: in one piece, or in its usual groups."""
    return re.compile(
        r"""
        (?<![0-9A-Za-z_])(?<![0-9]\.)
        (?:
            [0-9]{12,19}
          | (?P<groups>[0-9]{4}(?P<gap>[ -])(?:[0-9]{4}(?P=gap)[0-9]{4}(?P=gap)[0-9]{4}|[0-9]{6}(?P=gap)[0-9]{4,5}))
            (?:(?P=gap)[0-9]{1,3})?
        )
        (?![0-9A-Za-z_])
        """,
        re.VERBOSE,
    )


def find_cards(text: str) -> Iterator[Finding]:
    """Yield the numbers of payment cards in a text: known first digits, a length in use, a right check digit.

    Args:
        text: Any text.
    """
    for match in card_pattern().finditer(text):
        if _is_card(re.sub("[ -]", "", match[0])):
            yield Finding("card", *match.span())
        elif match["groups"] and _is_card(re.sub("[ -]", "", match["groups"])):
            # A security code or an amount may follow the number.
            yield Finding("card", *match.span("groups"))


def _is_card(digits: str) -> bool:
    return any(
        first <= digits[: len(first)] <= last and len(digits) in lengths
        for first, last, lengths in _CARDS
    ) and has_luhn_check(digits)


@cache
def iban_pattern() -> re.Pattern[str]:
    """Return the pattern of what an IBAN begins with."""
    return re.compile(r"(?<![0-9A-Za-z])(?P<country>[A-Za-z]{2})[0-9]{2}(?=[ -]?[0-9A-Za-z])")


@cache
def _iban_bodies() -> dict[str, re.Pattern[str]]:
    """Return the pattern of a whole IBAN of each country."""
    return {
        country: re.compile(rf"(?:[0-9A-Za-z][ -]?){{{length - 1}}}[0-9A-Za-z](?![0-9A-Za-z])")
        for length, countries in _IBANS.items()
        for country in countries
    }


def find_ibans(text: str) -> Iterator[Finding]:
    """Yield the IBANs of a text: of a known country, as long as they are there, with right check digits.

    Args:
        text: Any text.
    """
    for match in iban_pattern().finditer(text):
        body = _iban_bodies().get(match["country"].upper())
        whole = body.match(text, match.start()) if body else None
        if whole and has_iban_check(re.sub("[ -]", "", whole[0]).upper()):
            yield Finding("iban", *whole.span())


@cache
def ssn_pattern() -> re.Pattern[str]:
    """Return the pattern of social security numbers of the United States."""
    area, group, serial = r"(?!000|666|9)[0-9]{3}", r"(?!00)[0-9]{2}", r"(?!0000)[0-9]{4}"
    return re.compile(
        rf"(?<![\w-])(?<![0-9]\.){area}-{group}-{serial}(?![\w]|-[\w])"
        rf"|(?i:\bssn|\bsocial security (?:number|no\.?))[\s:#=is]{{1,6}}{area} ?{group} ?{serial}(?![\w-])",
        re.ASCII,
    )


def find_ssns(text: str) -> Iterator[Finding]:
    """Yield the social security numbers of the United States in a text.

    Nine digits without hyphens count only where they are called one.

    Args:
        text: Any text.
    """
    for match in ssn_pattern().finditer(text):
        yield Finding("ssn", *match.span())
