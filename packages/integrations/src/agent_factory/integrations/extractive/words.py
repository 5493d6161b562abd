"""Words of English questions: which of them say nothing, and which of them mean the same."""

from __future__ import annotations

import re

__all__ = ["STOPWORDS", "find_synonyms", "split_words", "stem"]

_COMMON = """
a about all also am an and any anything are as at be because been being but by can cannot could did do does doing
done each either else ever every explain find for from get gets getting give goes going had happen happened happens
has have having he help her here his how i if in into is it its itself just kindly know let like made many may me
mean means might more most much must my need needs no nor of off on one only or other our ours out over own please
shall she should show so some something such tell than thank thanks that the their them then there these they thing
things this those through to too under up upon us very want was way we were what when where whether which while who
whom whose why will with would you your yours
"""
STOPWORDS = frozenset(_COMMON.split())
"""Words of a question that do not say what it is about."""

_GROUPS = (
    "add create new make",
    "remove delete drop uninstall",
    "run execute start launch invoke",
    "install setup installation",
    "configure configuration config settings setting option options set",
    "error errors fail fails failure failing exception raise raises",
    "test tests testing pytest",
    "key token credential credentials secret",
    "fix repair solve solution",
    "change edit modify update",
    "upgrade update bump",
    "release publish deploy",
    "folder directory",
    "dependency dependencies requirement requirements",
    "doc docs documentation document documents",
    "limit maximum max bound",
    "default defaults builtin built-in",
    "environment env variable",
    "format formatter formatting",
    "check verify validate",
    "licence license",
    "cost price",
    "begin start started",
)

_WORD = re.compile(r"[^\W_]+")
_HUMP = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")
# What may be left of a word: "us" of "used", "add" of "adding", but not "str" of "string".
_STEM = re.compile(r"[aeiouy].|.[aeiouy]")


def split_words(text: str) -> list[str]:
    """Return the words of a text in lower case, split as a search index does: at everything but letters and digits.

    A name such as ``ToolError`` counts as itself and then as its parts.

    Args:
        text: Any text.
    """
    words = []
    for word in _WORD.findall(text):
        words.append(word.lower())
        humps = _HUMP.findall(word)
        if len(humps) > 1 and "".join(humps) == word and not word.islower():
            words += [hump.lower() for hump in humps]
    return words


def stem(word: str) -> str:
    """Return what the forms of a word have in common: ``adding`` and ``add`` give the same.

    Args:
        word: One word in lower case.
    """
    if word.endswith("ies") and len(word) > 4:
        word = f"{word[:-3]}y"
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3:
        word = word[:-1]
    for suffix in ("ations", "ation", "ings", "ing", "ed"):
        rest = word.removesuffix(suffix)
        if rest != word and not word.endswith("eed") and _STEM.search(rest):
            word = rest
            break
    return _undouble(word.removesuffix("e") if len(word) > 2 else word)


def find_synonyms(word: str) -> tuple[str, ...]:
    """Return words that a text may use instead of a word, without the forms of the word itself.

    Args:
        word: One word in lower case.
    """
    return tuple(other for other in _SYNONYMS.get(stem(word), ()) if stem(other) != stem(word))


def _undouble(word: str) -> str:
    return word[:-1] if len(word) > 2 and word[-1] == word[-2] and word[-1].isalpha() else word


def _read_groups() -> dict[str, tuple[str, ...]]:
    synonyms: dict[str, tuple[str, ...]] = {}
    for group in _GROUPS:
        words = group.split()
        for word in words:
            known = synonyms.get(stem(word), ())
            synonyms[stem(word)] = (*known, *(other for other in words if other not in known))
    return synonyms


_SYNONYMS = _read_groups()
