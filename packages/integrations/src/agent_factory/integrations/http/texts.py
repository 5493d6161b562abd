"""The text of an answer's body, in whatever encoding it came."""

from __future__ import annotations

import codecs
import re
from functools import cache

__all__ = ["decode_body", "is_text_type"]

_META_BYTES = 2048
_TEXTUAL = frozenset(
    {
        "application/ecmascript",
        "application/graphql",
        "application/javascript",
        "application/json",
        "application/ld+json",
        "application/sql",
        "application/toml",
        "application/x-ndjson",
        "application/x-yaml",
        "application/xhtml+xml",
        "application/xml",
        "application/yaml",
    }
)
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def is_text_type(media_type: str) -> bool:
    """Return whether a media type is one of texts.

    Args:
        media_type: The type in lower case, without parameters.
    """
    return (
        media_type.startswith("text/")
        or media_type in _TEXTUAL
        or media_type.endswith(("+json", "+xml", "+yaml"))
    )


def decode_body(body: bytes, charset: str | None, *, html: bool = False) -> str | None:
    """Return the text of a body. What is broken in it is replaced.

    Args:
        body: The bytes.
        charset: The encoding that the server named; UTF-8 if None, or if it is none that texts of the web have.
        html: Whether a page may name its encoding itself.

    Returns:
        The text; None for bytes that are none, because there are zeros in them.
    """
    for mark, name in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(name, "replace")
    if charset is None and html:
        found = _meta().search(body[:_META_BYTES])
        charset = found[1].decode("ascii").lower() if found else None
    encoding = _find_encoding(charset or "utf-8")
    if b"\0" in body and not encoding.startswith("utf-16"):
        return None
    return body.decode(encoding, "replace")


def _find_encoding(charset: str) -> str:
    """Return one of the encodings of the web. Python has codecs that are none, or cost too much."""
    if not _known().fullmatch(charset):
        return "utf-8"
    # What servers call so is nearly always this (https://encoding.spec.whatwg.org/#names-and-labels).
    if charset in ("ascii", "us-ascii", "latin1", "iso-8859-1"):
        return "cp1252"
    try:
        return codecs.lookup(charset).name
    except LookupError:
        return "utf-8"


@cache
def _known() -> re.Pattern[str]:
    return re.compile(
        r"utf-?8|utf-16(?:-?[lb]e)?|(?:us-)?ascii|latin1|iso-8859-\d{1,2}|windows-125\d|koi8-[ru]|gb2312|gbk|gb18030"
        r"|big5(?:-hkscs)?|shift_jis|euc-(?:jp|kr)|iso-2022-jp",
        re.ASCII,
    )


@cache
def _meta() -> re.Pattern[bytes]:
    return re.compile(
        rb"<meta[^>]{0,200}?charset\s{0,9}=\s{0,9}[\"']?([A-Za-z0-9_-]{1,40})", re.IGNORECASE
    )
