"""What to search for, and with which tools: the first half of answering without a language model."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent_factory.integrations.extractive.words import (
    STOPWORDS,
    find_synonyms,
    split_words,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agent_factory.core.models import ToolSpec

__all__ = [
    "Question",
    "find_calculator",
    "find_search_tools",
    "plan_first_search",
    "plan_relaxed_search",
    "read_arithmetic",
    "read_question",
    "write_search_arguments",
]

MAX_KEYWORDS = 24
MAX_QUERIES = 3
MAX_QUESTION = 4000
MAX_ARITHMETIC = 600
MAX_QUERY = 600
WANTED_PASSAGES = 10

_QUOTED = re.compile(r'"([^"\n]{2,100})"|“([^”\n]{2,100})”|`([^`\n]{2,100})`')
_KEYWORD = re.compile(r"[^\W_](?:[\w./:@+-]*[\w+])?|[-_]{1,4}[^\W_][\w-]*")
_ASKING = re.compile(
    r"(?:please|can you|could you|what\s+is|what's|whats|how\s+much\s+is|calculate|compute|evaluate|work\s+out|"
    r"the\s+result\s+of|the\s+value\s+of)\b[\s,:]*",
    re.IGNORECASE,
)
_CONTRACTION = re.compile(r"(?<=\w)(?:n['\u2019]t|['\u2019](?:s|re|ve|ll|d|m))\b", re.IGNORECASE)
_HOW = re.compile(r"\bhow\s+(?:do|can|could|should|would|to|must|may)\b", re.IGNORECASE)
_SPOKEN = (
    (re.compile(r"(?<=\d),(?=\d{3}(?!\d))"), ""),
    (re.compile(r"(\d+(?:\.\d+)?)\s*(?:%|percent)\s+of\s+", re.IGNORECASE), r"\1 / 100 * "),
    (re.compile(r"\b(?:multiplied\s+by|times)\b|[\u00d7\u00b7]", re.IGNORECASE), "*"),
    (re.compile(r"\bdivided\s+by\b|[\u00f7\u2236]", re.IGNORECASE), "/"),
    (re.compile(r"\bplus\b", re.IGNORECASE), "+"),
    (re.compile(r"\bminus\b|[\u2212\u2013]", re.IGNORECASE), "-"),
    (re.compile(r"\bto\s+the\s+power\s+of\b|\^", re.IGNORECASE), "**"),
    (re.compile(r"\b(?:the\s+)?square\s+root\s+of\s+([\d.]+)", re.IGNORECASE), r"sqrt(\1)"),
)
_ARITHMETIC = re.compile(r"(?:[\d\s.,()+\-*/%]|\b(?:abs|ceil|floor|max|min|round|sqrt)(?=\s*\())+")
_DATE_OR_VERSION = re.compile(r"\d{4}\s*-\s*\d{1,2}\s*-\s*\d{1,2}|\d+\.\d+\.\d+|\d+/\d+/\d+")


@dataclass(frozen=True, slots=True)
class Question:
    """What a person asked, as far as it can be searched for.

    Attributes:
        keywords: The words that say something, as written, each once.
        phrases: What stands in quotation marks, and pairs of keywords that stand side by side.
        text: The question as it was asked.
        asks_how: Whether it asks for a way to do something.
    """

    keywords: tuple[str, ...]
    phrases: tuple[str, ...]
    text: str = ""
    asks_how: bool = False


def read_question(text: str) -> Question:
    """Find what to search for in a question.

    Args:
        text: The question; of a long one only the first 4,000 characters count.

    Returns:
        The keywords; where every word is a common one, all of them.
    """
    text = text[:MAX_QUESTION]
    quoted = [next(part for part in match if part) for match in _QUOTED.findall(text)]
    words = [word.rstrip(".:") for word in _KEYWORD.findall(_CONTRACTION.sub("", text))]
    meaningful = [word.lower() not in STOPWORDS for word in words]
    if not any(meaningful):
        meaningful = [True] * len(words)
    keywords: dict[str, str] = {}
    for word, kept in zip(words, meaningful, strict=True):
        if kept and split_words(word):
            keywords.setdefault(word.lower(), word)
    pairs = [
        f"{words[index]} {words[index + 1]}"
        for index in range(len(words) - 1)
        if meaningful[index] and meaningful[index + 1]
    ]
    return Question(
        tuple(keywords.values())[:MAX_KEYWORDS],
        tuple(dict.fromkeys([*quoted, *pairs]))[:MAX_KEYWORDS],
        text,
        _HOW.search(text) is not None,
    )


def plan_first_search(question: Question) -> tuple[str, ...]:
    """Return the queries to begin with: all keywords, then what stands side by side.

    Args:
        question: What to search for.
    """
    phrases = [f'"{phrase}"' for phrase in question.phrases]
    return _join([question.keywords, phrases])


def plan_relaxed_search(question: Question, missing: Iterable[str]) -> tuple[str, ...]:
    """Return the queries for a second try: other words of the same meaning.

    Args:
        question: What to search for.
        missing: The keywords that no passage of the first try had.

    Returns:
        The queries; none where no other words are known.
    """
    absent = set(missing)
    others = [
        other
        for keyword in question.keywords
        for word in split_words(keyword)
        for other in find_synonyms(word)
    ]
    known = [keyword for keyword in question.keywords if keyword not in absent]
    return _join([[*known, *others]]) if others else ()


def write_search_arguments(tool: ToolSpec, query: str) -> str:
    """Return the arguments of a call of a search tool as JSON.

    Args:
        tool: The tool; where it takes a ``limit`` it is asked for a few more passages than usual.
        query: What to search for.
    """
    arguments: dict[str, object] = {"query": query}
    limit = _get_property(tool, "limit")
    if limit.get("type") == "integer":
        most = limit.get("maximum", WANTED_PASSAGES)
        wanted = min(WANTED_PASSAGES, most) if isinstance(most, int) else WANTED_PASSAGES
        arguments["limit"] = wanted
    return json.dumps(arguments, ensure_ascii=False)


def find_search_tools(tools: Iterable[ToolSpec]) -> tuple[ToolSpec, ...]:
    """Return the tools that look like a search: ``search`` in the name, and all they require is a string ``query``.

    Args:
        tools: The tools to choose from.
    """
    return tuple(
        tool for tool in tools if "search" in tool.name.lower() and _requires(tool, "query")
    )


def find_calculator(tools: Iterable[ToolSpec]) -> ToolSpec | None:
    """Return the tool named ``calculate`` if all it requires is a string ``expression``.

    Args:
        tools: The tools to choose from.
    """
    for tool in tools:
        if tool.name == "calculate" and _requires(tool, "expression"):
            return tool
    return None


def read_arithmetic(text: str) -> str | None:
    """Return the expression that a question asks the value of, or None where it asks for something else.

    Args:
        text: The question, such as ``What is 12 * (3 + 4)?``.
    """
    rest = text.strip()
    if len(rest) > MAX_ARITHMETIC:
        return None
    while match := _ASKING.match(rest):
        rest = rest[match.end() :]
    rest = rest.rstrip("?!=. \t\n")
    for pattern, replacement in _SPOKEN:
        rest = pattern.sub(replacement, rest)
    if not _ARITHMETIC.fullmatch(rest) or _DATE_OR_VERSION.search(rest):
        return None
    has_operation = re.search(r"[\d)]\s*(?:\*\*|//|[-+*/%])\s*[-+\d(.a-z]|[a-z]\s*\(", rest)
    return rest.strip() if has_operation and re.search(r"\d", rest) else None


def _requires(tool: ToolSpec, name: str) -> bool:
    return list(tool.parameters.get("required", ())) == [name] and (
        _get_property(tool, name).get("type") == "string"
    )


def _get_property(tool: ToolSpec, name: str) -> dict[str, object]:
    properties = tool.parameters.get("properties")
    found = properties.get(name) if isinstance(properties, dict) else None
    return found if isinstance(found, dict) else {}


def _join(queries: Iterable[Iterable[str]]) -> tuple[str, ...]:
    joined = (_shorten(" ".join(dict.fromkeys(words))) for words in queries)
    return tuple(dict.fromkeys(query for query in joined if query))[:MAX_QUERIES]


def _shorten(query: str) -> str:
    return query if len(query) <= MAX_QUERY else query[:MAX_QUERY].rpartition(" ")[0]
