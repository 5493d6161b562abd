"""Ranking texts by the words that they share with a question: BM25."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["WordIndex"]

# The usual constants of BM25: how soon repeating a word stops to count, and how much a long text is held against it.
_SATURATION = 1.2
_LENGTH = 0.75


class WordIndex:
    """Texts with numbers, and which words they have. Its methods take time in proportion to the words given or to the hits."""

    __slots__ = ("_lengths", "_places", "_total", "_words")

    def __init__(self) -> None:
        self._words: dict[int, tuple[str, ...]] = {}
        self._lengths: dict[int, int] = {}
        self._places: dict[str, dict[int, int]] = {}
        self._total = 0

    def add(self, number: int, words: Iterable[str]) -> None:
        """Add a text.

        Args:
            number: Its number, one that no text has.
            words: Its words.
        """
        counted = Counter(words)
        self._words[number] = tuple(counted)
        self._lengths[number] = counted.total()
        self._total += counted.total()
        for word, times in counted.items():
            self._places.setdefault(word, {})[number] = times

    def remove(self, number: int) -> None:
        """Remove a text.

        Args:
            number: Its number.
        """
        self._total -= self._lengths.pop(number)
        for word in self._words.pop(number):
            places = self._places[word]
            del places[number]
            if not places:
                del self._places[word]

    def rank(self, words: Iterable[str]) -> dict[int, float]:
        """Return how well texts fit a question: the part of the best score possible, greater than 0 and less than 1.

        Args:
            words: The words of the question.

        Returns:
            The score of every text that has one of the words, by its number.
        """
        scores: dict[int, float] = {}
        best = 0.0
        size = len(self._words)
        mean = self._total / size if size else 0.0
        for word in dict.fromkeys(words):
            places = self._places.get(word, {})
            weight = math.log1p((size - len(places) + 0.5) / (len(places) + 0.5))
            best += weight
            for number, times in places.items():
                length = self._lengths[number] / mean
                damping = _SATURATION * (1 - _LENGTH + _LENGTH * length)
                scores[number] = scores.get(number, 0.0) + weight * times / (times + damping)
        return {number: score / best for number, score in scores.items()}
