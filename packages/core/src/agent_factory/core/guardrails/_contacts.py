"""Finds addresses: of mail, of telephones, and of machines.

Every pattern takes time in proportion to the text: repeats are bounded or possessive, and begin where a run of their
characters begins.
"""

from __future__ import annotations

import ipaddress
import re
from functools import cache
from typing import TYPE_CHECKING

from agent_factory.core.guardrails._findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["email_pattern", "find_emails", "find_ips", "find_phones", "ip_pattern", "phone_pattern"]

MIN_PHONE_DIGITS = 8
MAX_PHONE_DIGITS = 15
MIN_HEX_DIGITS = 4


@cache
def email_pattern() -> re.Pattern[str]:
    """Return the pattern of mail addresses."""
    return re.compile(r"(?<![\w.%+'-])[\w.%+'-]++@(?:[\w-]{1,63}+\.){1,10}[^\W\d_]{2,24}")


def find_emails(text: str) -> Iterator[Finding]:
    """Yield the mail addresses of a text.

    Args:
        text: Any text.
    """
    if "@" in text:
        for match in email_pattern().finditer(text):
            yield Finding("email", *match.span())


@cache
def phone_pattern() -> re.Pattern[str]:
    """Return the pattern of telephone numbers: E.164 with separators, and the common ways to write national ones."""
    return re.compile(
        r"""
        (?<![\w+])(?<![\w)][./-])                       # not in a longer number, an identifier or a date
        (?:
            \+[1-9](?:[ .-]?(?:[0-9]|\([0-9]{1,4}\))){6,16}    # +49 (0)30 1234567
          | (?:1[ .-])?\([2-9][0-9]{2}\)[ .-]?[2-9][0-9]{2}[ .-][0-9]{4}   # (415) 555-0123
          | (?:1-)?[2-9][0-9]{2}-[2-9][0-9]{2}-[0-9]{4}                    # 415-555-0123
          | (?:1\.)?[2-9][0-9]{2}\.[2-9][0-9]{2}\.[0-9]{4}                 # 415.555.0123
          | (?:1[ ])?[2-9][0-9]{2}[ ][2-9][0-9]{2}-[0-9]{4}                # 415 555-0123
          | 1[ ][2-9][0-9]{2}[ ][2-9][0-9]{2}[ ][0-9]{4}                   # 1 415 555 0123
          | 0[1-9](?P<gap>[ .-])[0-9]{2}(?:(?P=gap)[0-9]{2}){3}            # 01 23 45 67 89
          | (?:0[1-9][0-9]|\(0[1-9][0-9]\))[ ][0-9]{4}[ ][0-9]{4}     # 020 7946 0958
          | (?:0[1-9][0-9]{2}|\(0[1-9][0-9]{2}\))[ ][0-9]{3}[ ][0-9]{3,4}     # 0161 496 0000
          | (?:0[1-9][0-9]{3}|\(0[1-9][0-9]{3}\))[ ][0-9]{3}[ ]?[0-9]{3}      # 07700 900123
          | (?:0[1-9][0-9]{1,3}|\(0[1-9][0-9]{1,3}\))[ ]?[/ -][ ]?[0-9]{6,8}    # 030 1234567, 0171/1234567
        )
        (?![\w]|[.,/-][0-9]|-[A-Za-z])
        """,
        re.VERBOSE | re.ASCII,
    )


def find_phones(text: str) -> Iterator[Finding]:
    """Yield the telephone numbers of a text.

    Digits in a row without a plus sign are not taken for one: too many other numbers look like that.

    Args:
        text: Any text.
    """
    for match in phone_pattern().finditer(text):
        number = match[0]
        while sum(map(str.isdigit, number)) > MAX_PHONE_DIGITS and " " in number:
            # The last group is a number of its own.
            number = number.rpartition(" ")[0]
        if MIN_PHONE_DIGITS <= sum(map(str.isdigit, number)) <= MAX_PHONE_DIGITS:
            yield Finding("phone", match.start(), match.start() + len(number))


@cache
def ip_pattern() -> re.Pattern[str]:
    """Return the pattern of what may be an IP address."""
    octet = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
    return re.compile(
        rf"(?P<four>(?<![\w.])(?<![A-Za-z]-)(?:{octet}\.){{3}}{octet}(?!\w|\.[0-9]|-[A-Za-z]))"
        r"|(?P<six>(?<![\w:.])(?=[0-9A-Fa-f]{0,4}:)[0-9A-Fa-f:]++(?:\.[0-9]{1,3}){0,3}(?![\w:]))",
        re.ASCII,
    )


@cache
def _version() -> re.Pattern[str]:
    return re.compile(r"(?i)(?:\bv|version|release|build|==|>=|<=|~=|@)[\s:=\"']{0,4}\Z")


def find_ips(text: str) -> Iterator[Finding]:
    """Yield the addresses of machines in a text.

    Loopback and unspecified addresses are nobody's. Four numbers that are called a version are a version.

    Args:
        text: Any text.
    """
    for match in ip_pattern().finditer(text):
        # A sentence may go on with a colon behind an address, but no address ends with a single one.
        found = re.sub("(?<!:):$", "", match[0])
        if match["six"] is not None and not _has_shape_of_address(found):
            continue
        try:
            address = ipaddress.ip_address(found)
        except ValueError:
            continue
        before = text[max(0, match.start() - 16) : match.start()]
        if address.is_loopback or address.is_unspecified or _version().search(before):
            continue
        yield Finding("ip", match.start(), match.start() + len(found))


def _has_shape_of_address(text: str) -> bool:
    """Return whether something with colons is more likely an address than ``A::B``, ``[1::2]`` or a time."""
    digits = len(text) - text.count(":")
    return text.count(":") > 1 and digits >= MIN_HEX_DIGITS and any(map(str.isdigit, text))
