"""The words of an answer without a language model: what it is, the quotations, and what would give a better one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agent_factory.core.messages import ToolMessage
    from agent_factory.integrations.extractive.findings import FoundPassage
    from agent_factory.integrations.extractive.planning import Question
    from agent_factory.integrations.extractive.ranking import Ranking

__all__ = [
    "HINT",
    "write_calculation",
    "write_failures",
    "write_no_question",
    "write_no_tool",
    "write_nothing_found",
    "write_quotations",
]

MAX_QUOTES = 3
# A passage of less worth than this part of the best one's distracts more than it helps.
RELATIVE_WORTH = 0.75
MAX_SHOWN = 5

NOT_A_MODEL = "No language model is configured; I am a search that quotes documents word for word."
HINT = "For answers in a model's own words, set OPENAI_API_KEY, or OPENAI_BASE_URL for a server of your own, and ask again."


def write_quotations(
    ranking: Ranking, skipped: Iterable[str] = (), problems: Iterable[str] = ()
) -> str | None:
    """Return the answer that quotes the best passages, each with its place as ``file:line``.

    Args:
        ranking: The passages, best first.
        skipped: What could not be searched, with reasons.
        problems: Searches that failed, with what they said.

    Returns:
        The answer, or None where no passage has anything to quote.
    """
    parts: list[str] = []
    seen: set[str] = set()
    for item in ranking.passages:
        best = ranking.passages[0].relevance
        if len(parts) == MAX_QUOTES or item.relevance < RELATIVE_WORTH * best:
            break
        quote = item.quote
        if quote.text in seen:
            continue
        seen.add(quote.text)
        quoted = "\n".join(f"> {line}".rstrip() for line in quote.text.split("\n"))
        parts.append(f"{item.passage.file}:{quote.line}{_describe_heading(item.passage)}\n{quoted}")
    if not parts:
        return None
    fit = "This passage fits" if len(parts) == 1 else "These passages fit"
    remarks = [f"No passage found has {_list_words(ranking.missing)}."] if ranking.missing else []
    remarks += _describe_gaps(skipped, problems)
    return "\n\n".join([f"{NOT_A_MODEL} {fit} the question best:", *parts, *remarks, HINT])


def write_nothing_found(
    question: Question, skipped: Iterable[str] = (), problems: Iterable[str] = ()
) -> str:
    """Return the answer for a search without result.

    Args:
        question: What was searched for.
        skipped: What could not be searched, with reasons.
        problems: Searches that failed, with what they said.
    """
    words = _list_words(question.keywords)
    found = (
        f"Nothing in the documents answers this: I searched for {words}, and for words like these."
    )
    gaps = _describe_gaps(skipped, problems)
    return "\n\n".join([f"{NOT_A_MODEL} {found}", *gaps, f"Ask with other words. {HINT}"])


def write_failures(problems: Iterable[str]) -> str:
    """Return the answer for searches that all failed.

    Args:
        problems: What each of them said.
    """
    said = "\n".join(f"- {problem}" for problem in dict.fromkeys(problems))
    return f"{NOT_A_MODEL} I cannot answer, because the search failed:\n\n{said}"


def write_no_tool(names: Sequence[str]) -> str:
    """Return the answer of an agent that has no search tool.

    Args:
        names: Names of the tools that there are.
    """
    has = f"its tools are {', '.join(names)}" if names else "it has no tools"
    return (
        f"{NOT_A_MODEL} This agent gives me nothing to search ({has}): it needs a tool such as search_documents, with "
        f"'search' in its name and 'query' as its only required argument, or a language model. {HINT}"
    )


def write_no_question() -> str:
    """Return the answer to a message without a word in it."""
    return f"{NOT_A_MODEL} There is no word in this question that I could search for: ask with a few words."


def write_calculation(expression: str, result: ToolMessage) -> str:
    """Return the answer to a question that was plain arithmetic.

    Args:
        expression: What was calculated.
        result: The result of the tool.
    """
    if result.is_error:
        return f"{NOT_A_MODEL} I had the tool {result.name} work out {expression}. {result.content}"
    value, sign = _read_value(result.content)
    return f"{NOT_A_MODEL} The tool {result.name} gives:\n\n{expression} {sign} {value}"


def _read_value(content: str) -> tuple[str, str]:
    try:
        parsed = json.loads(content)
    except ValueError:
        return content, "="
    if not isinstance(parsed, dict) or "result" not in parsed:
        return content, "="
    fraction = f" (exactly {parsed['fraction']})" if "fraction" in parsed else ""
    return f"{parsed['result']}{fraction}", "=" if parsed.get("exact", True) else "≈"


def _describe_heading(passage: FoundPassage) -> str:
    return f" ({passage.heading})" if passage.heading else ""


def _describe_gaps(skipped: Iterable[str], problems: Iterable[str]) -> list[str]:
    gaps = list(dict.fromkeys(skipped))
    parts = []
    if gaps:
        more = f"\n- and {len(gaps) - MAX_SHOWN} more" if len(gaps) > MAX_SHOWN else ""
        listed = "".join(f"\n- {gap}" for gap in gaps[:MAX_SHOWN])
        parts.append(f"Not searched:{listed}{more}")
    failures = list(dict.fromkeys(problems))
    if failures:
        parts.append("A search failed:" + "".join(f"\n- {item}" for item in failures[:MAX_SHOWN]))
    return parts


def _list_words(words: Sequence[str]) -> str:
    quoted = [f"'{word}'" for word in words]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"
