"""The words of a text, in any script, as they are compared in a search."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["find_words"]

_PLAIN = re.compile(r"[a-z0-9]+")
_ACCENTS = re.compile("[\u0300-\u036f]")
# Scripts that put no spaces between words: Thai, Lao, Myanmar, Khmer, kana, Han.
_UNSPACED = re.compile(
    "([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\U00020000-\U0003ffff]+)"
)


def find_words(text: str) -> list[str]:
    """Return the words of a text, in its order, without regard to case, accents and width.

    A word is a run of letters, digits and the marks that belong to them. Where a script has no spaces between words, every
    character and every pair of neighbours is one.

    Args:
        text: The text.
    """
    if text.isascii():
        return _PLAIN.findall(text.lower())
    folded = unicodedata.normalize("NFKD", text).casefold()
    composed = unicodedata.normalize("NFC", _ACCENTS.sub("", folded))
    spaced = "".join(letter if _is_part(letter) else " " for letter in composed)
    words: list[str] = []
    for run in spaced.split():
        for part in filter(None, _UNSPACED.split(run)):
            if _UNSPACED.fullmatch(part):
                words += part
                words += (part[index : index + 2] for index in range(len(part) - 1))
            else:
                words.append(part)
    return words


def _is_part(letter: str) -> bool:
    return letter.isalnum() or unicodedata.category(letter).startswith("M")
