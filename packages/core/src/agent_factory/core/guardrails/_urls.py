"""Finds the hosts that the URLs of a text lead to, as any of the usual readers of URLs would read them.

Browsers (the URL standard of WHATWG) and libraries (RFC 3986) do not agree on backslashes, user names and white space. Where
they differ, every reading counts, and what cannot be read counts as a host that nobody allowed.
"""

from __future__ import annotations

import html
import ipaddress
import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import unquote

from agent_factory.core.guardrails._documents import is_document, read_strings

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["find_hosts", "normalize_host", "url_pattern"]

MAX_ROUNDS = 3
# They are other hosts to a browser than to the codec of Python (UTS 46, section 4).
_DEVIATIONS = frozenset("\u00df\u03c2\u200c\u200d")
_DELIMITERS = frozenset("/\\?#@:[]%")
# No reader takes a text with one of them for a host.
_FORBIDDEN = _DELIMITERS | frozenset("<>^|")
MAX_HOST = 253
# What ends a sentence, a link of Markdown or a quotation; no host ends with it.
_TRAILING = ".,;:!?'\"()[]{}<>*_`|"


@cache
def url_pattern() -> re.Pattern[str]:
    """Return the pattern of what stands before the host of a URL."""
    return re.compile(
        r"""
        # Browsers take any number of slashes, and none; slashes may come out of escapes yet.
        (?i:https?|wss?|ftps?):(?:[/\\]++|(?!%[0-9A-Fa-f]{2}|&(?:\#|(?i:b?sol);)))
      | ://
      | (?P<relative>(?<![\w:/\\.%)\]])[/\\]{2,}+)
      | (?P<bare>(?<![\w.@/\\-])(?=[wW]{3}\.))
        """,
        re.VERBOSE,
    )


@cache
def _authority(*, whole: bool) -> re.Pattern[str]:
    # In a text, quotation marks end a URL; in a string of its own, a reader may take them for a part of the host.
    return re.compile(r"[^\s/?#\x00-\x1f]*+" if whole else r"[^\s/?#\"<>`\x00-\x1f]*+")


@cache
def _name() -> re.Pattern[str]:
    return re.compile(
        r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*+"
    )


def normalize_host(host: str) -> str | None:
    """Return a host as it is compared: in small ASCII letters, without trailing dots, addresses in their shortest form.

    Args:
        host: A name, an IPv4 address, or an IPv6 address in brackets.

    Returns:
        The host, or None for what no host looks like, or what different readers take for different hosts.
    """
    if host.startswith("["):
        try:
            return f"[{ipaddress.IPv6Address(host[1:-1])}]" if host.endswith("]") else None
        except ValueError:
            return None
    if len(host) > MAX_HOST:
        return None
    if not host.isascii():
        if not _DEVIATIONS.isdisjoint(host.lower()):
            return None
        if not _DELIMITERS.isdisjoint(unicodedata.normalize("NFKC", host)):
            return None
        try:
            host = host.encode("idna").decode("ascii")
        except UnicodeError:
            return None
    host = host.lower().rstrip(".")
    return host if _name().fullmatch(host) else None


def find_hosts(text: str, *, is_json: bool) -> Iterator[str | None]:
    """Yield the hosts of the URLs of a text; None for each URL whose host cannot be told.

    Looked at are the text, the strings of the JSON that it is, and what becomes of them when escapes of JSON, HTML and
    URLs are read.

    Args:
        text: Any text.
        is_json: Whether the strings in it may be used as URLs as they are, without any words around.
    """
    document = is_document(text)
    for string in read_strings(text):
        # The source of JSON has nothing that its strings do not have, and has it escaped.
        if not (document and string is text):
            yield from _read(string, whole=is_json and document)


def _read(text: str, *, whole: bool) -> Iterator[str | None]:
    """Yield the hosts in a text and in what its escapes stand for."""
    seen = {text}
    yield from _scan(text, whole=whole)
    for _ in range(MAX_ROUNDS):
        before = text
        for decode in (_unescape, html.unescape, unquote):
            text = decode(text)
            if text not in seen:
                seen.add(text)
                yield from _scan(text, whole=whole)
        if text == before:
            return
    if any(decode(text) != text for decode in (html.unescape, unquote)):
        # Nobody needs more layers of escapes, unless to hide something.
        yield None


@cache
def _escapes() -> re.Pattern[str]:
    return re.compile(r"\\(?:u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|(/))")


def _unescape(text: str) -> str:
    """Return a text with the escapes of JSON and JavaScript read that may stand in a URL."""
    if "\\" not in text:
        return text
    return _escapes().sub(lambda match: match[3] or chr(int(match[1] or match[2], 16)), text)


def _scan(text: str, *, whole: bool) -> Iterator[str | None]:
    """Yield the hosts that stand in a text as it is."""
    start = len(text) - len(text.lstrip()) if whole else -1
    for match in url_pattern().finditer(text):
        authority = _authority(whole=whole).match(text, match.end())
        run = authority[0] if authority else ""
        if not run.strip(_TRAILING):
            continue
        relative = match["relative"] is not None and match.start() != start
        if relative and not re.search(r"[.@\[\]%]|^\d+$|^localhost\b", run.rstrip(_TRAILING)):
            # A comment of code, or a path: names without a dot are hosts only behind a scheme.
            continue
        yield from _hosts(run)
    if whole:
        yield from _scan_joined(text.strip())


def _scan_joined(text: str) -> Iterator[str | None]:
    """Yield the host of a URL that is broken into lines: readers of URLs take tabs and ends of lines out."""
    lines = re.split(r"[\t\r\n]+", text)
    if len(lines) < 2 or " " in text or all(url_pattern().match(line) for line in lines):
        return
    joined = "".join(lines)
    if url_pattern().match(joined):
        yield from _scan(joined, whole=False)


def _hosts(run: str) -> Iterator[str | None]:
    """Yield every host that a reader of URLs may see in what stands before the path.

    Args:
        run: All up to the next slash, question mark, number sign, quotation mark or white space.
    """
    bracket = run.startswith("[") and "]" in run
    whole = run[: run.index("]") + 1] if bracket else ""
    whole += run[len(whole) :].rstrip(_TRAILING)
    if whole.count("@") > 1:
        yield None
        return
    before, _, host = whole.rpartition("@")
    if "\\" in before:
        # A browser goes to what stands before the backslash, a library to what stands behind the at sign.
        yield _first_host(before)
    yield _first_host(host)
    # A browser ends the host at a backslash, a library does not; other signs may stand in it for both.
    for part in {host, host.partition("\\")[0]}:
        longest = part.partition(":")[0]
        sign = re.search(r"[^\w.-]", longest)
        if (
            sign
            and re.search(r"\.\w", longest[sign.start() :])
            and _FORBIDDEN.isdisjoint(longest.replace("\\", ""))
        ):
            yield None


def _first_host(run: str) -> str | None:
    """Return the host that a text begins with; what comes behind it must be a port, or cannot belong to a host."""
    match = re.match(r"\[[^\]]*\]|[^:\\,;!'\"<>`(){}|*\[\]^&$~+=]*", run)
    host = match[0] if match else ""
    after = run[len(host) :]
    if after.startswith(":") and not re.match(r":\d{0,5}(?![\w.])", after):
        return None
    if after[:1] in tuple("&$~+=^") or (host.startswith("[") and re.match(r"[\w.%-]", after)):
        return None
    return normalize_host(host)
