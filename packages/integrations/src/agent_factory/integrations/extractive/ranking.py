"""Which of the passages that a search found answers a question best."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent_factory.integrations.extractive.quotes import Quote, choose_quote
from agent_factory.integrations.extractive.terms import Terms

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agent_factory.integrations.extractive.findings import FoundPassage, SearchFindings
    from agent_factory.integrations.extractive.planning import Question

__all__ = ["Ranked", "Ranking", "rank"]

COVERAGE_WORTH = 0.2
QUOTE_WORTH = 0.15
SENTENCE_WORTH = 0.15
HEADING_WORTH = 0.25
SCORE_WORTH = 0.15
PAIRS_WORTH = 0.1
STEPS_WORTH = 0.1

_STEPS = re.compile(r"^\s*(?:```|~~~|\d{1,2}[.)]\s)|`[^`\n]+ [^`\n]+`", re.MULTILINE)

_CODE = re.compile(r"^[ \t]*(```|~~~).*?(?:^[ \t]*\1|\Z)", re.MULTILINE | re.DOTALL)
_SENTENCES = re.compile(r"(?<=[.!?;])\s+|\n\s*\n|\n(?=\s*(?:[-*+|]|\d+[.)]))")


@dataclass(frozen=True, slots=True)
class Ranked:
    """A passage with its worth for a question.

    Attributes:
        passage: The passage.
        quote: What to quote of it.
        relevance: Its worth; 0 or more, and comparable within one ranking.
        coverage: Which part of the question's keywords it has, from 0 to 1.
    """

    passage: FoundPassage
    quote: Quote
    relevance: float
    coverage: float


@dataclass(frozen=True, slots=True)
class Ranking:
    """The passages of all searches in their order.

    Attributes:
        passages: The passages, best first.
        missing: The keywords that none of them has, not even as a synonym.
    """

    passages: tuple[Ranked, ...]
    missing: tuple[str, ...]


def rank(question: Question, searches: Iterable[SearchFindings]) -> Ranking:
    """Put the passages of several searches into one order.

    What counts: how many of the keywords a passage has, how many the part of it has that would be quoted, and a single sentence of that, how many its
    heading has, how the search itself rated it, and whether keywords stand side by side as in the question. Where a document
    quotes the whole question, as an example of one, that says nothing and counts for nothing.

    Args:
        question: What was asked.
        searches: The findings of each search.

    Returns:
        The passages that have anything to quote.
    """
    scores: dict[tuple[str, int], float] = {}
    passages: dict[tuple[str, int], FoundPassage] = {}
    for search in searches:
        best = max((passage.score for passage in search.passages), default=0.0)
        for passage in search.passages:
            place = passage.file, passage.line
            passages.setdefault(place, passage)
            share = max(passage.score, 0.0) / best if best > 0 else 0.0
            scores[place] = max(scores.get(place, 0.0), share)
    texts = {place: _join(passage) for place, passage in passages.items()}
    terms = Terms(question, list(texts.values()))
    ranked = []
    for place, passage in passages.items():
        quote = choose_quote(passage, terms.measure)
        if quote is None:
            continue
        relevance = (
            COVERAGE_WORTH * terms.measure(texts[place])
            + QUOTE_WORTH * terms.measure(_CODE.sub("", quote.text))
            + SENTENCE_WORTH * max(map(terms.measure, _SENTENCES.split(quote.text)))
            + HEADING_WORTH * terms.measure(_get_title(passage))
            + SCORE_WORTH * scores[place]
            + PAIRS_WORTH * terms.measure_phrases(texts[place])
            + STEPS_WORTH * (question.asks_how and _STEPS.search(quote.text) is not None)
        )
        ranked.append(Ranked(passage, quote, relevance, terms.count(texts[place])))
    # Equal worth is decided by the place, so that the same question always has the same answer.
    ranked.sort(key=lambda item: (-item.relevance, item.passage.file, item.passage.line))
    return Ranking(tuple(ranked), terms.find_missing(texts.values()))


def _join(passage: FoundPassage) -> str:
    return f"{passage.file}\n{passage.heading}\n{passage.text}"


def _get_title(passage: FoundPassage) -> str:
    """Return the innermost headings and the file's name: what an author calls a passage."""
    name = passage.file.rpartition("/")[2]
    return f"{' '.join(passage.heading.split(' > ')[-2:])} {name}"
