"""How well a text covers the keywords of a question."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent_factory.integrations.extractive.words import find_synonyms, split_words, stem

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agent_factory.integrations.extractive.planning import Question

__all__ = ["Terms"]

SYNONYM_WORTH = 0.6

# The language of a block of code is no word of the text.
_FENCE = re.compile(r"^[ \t]*(?:```|~~~).*$", re.MULTILINE)


class Terms:
    """The keywords of a question, and how well a text covers them.

    Args:
        question: The question.
        texts: The texts among which the rare keywords count more than the common ones.
    """

    def __init__(self, question: Question, texts: Sequence[str]) -> None:
        self._quoted = re.compile(
            f"[\"'“`]{re.escape(question.text.strip())}[\"'”`]", re.IGNORECASE
        )
        self._phrases = [_stems(phrase) for phrase in question.phrases]
        self._forms = {keyword: _Forms.read(keyword) for keyword in question.keywords}
        self._weights: dict[str, float] = {}
        sequences = [self._read(text) for text in texts]
        for keyword, forms in self._forms.items():
            having = sum(forms.measure(stems) > 0 for stems in sequences)
            # What no text has tells none from another, and would drown out what does.
            self._weights[keyword] = (
                math.log(1 + (len(texts) + 1) / (having + 0.5)) if having else 0.0
            )

    def measure(self, text: str) -> float:
        """Return which part of the keywords a text has, by weight, from 0 to 1; a synonym counts in part.

        Args:
            text: Any text.
        """
        total = sum(self._weights.values())
        if not total:
            return 0.0
        stems = self._read(text)
        reached = sum(
            self._weights[keyword] * forms.measure(stems) for keyword, forms in self._forms.items()
        )
        return reached / total

    def count(self, text: str) -> float:
        """Return which part of the keywords a text has, each counted alike, from 0 to 1; a synonym counts in part.

        Args:
            text: Any text.
        """
        stems = self._read(text)
        reached = sum(forms.measure(stems) for forms in self._forms.values())
        return reached / max(len(self._forms), 1)

    def measure_phrases(self, text: str) -> float:
        """Return which part of the question's phrases a text has, from 0 to 1.

        Args:
            text: Any text.
        """
        stems = self._read(text)
        return sum(phrase in stems for phrase in self._phrases) / max(len(self._phrases), 1)

    def find_missing(self, texts: Iterable[str]) -> tuple[str, ...]:
        """Return the keywords that no text has.

        Args:
            texts: The texts to look in.
        """
        sequences = [self._read(text) for text in texts]
        return tuple(
            keyword
            for keyword, forms in self._forms.items()
            if not any(forms.measure(stems) for stems in sequences)
        )

    def _read(self, text: str) -> str:
        return _stems(self._quoted.sub("", _FENCE.sub("", text)))


@dataclass(frozen=True, slots=True)
class _Forms:
    own: str
    synonyms: tuple[str, ...]

    @classmethod
    def read(cls, keyword: str) -> _Forms:
        words = split_words(keyword)
        # A name of several parts, such as max_files, has no synonyms.
        others = find_synonyms(words[0]) if len(words) == 1 else ()
        return cls(_stems(keyword), tuple(_stems(other) for other in others))

    def measure(self, stems: str) -> float:
        if self.own in stems:
            return 1.0
        return SYNONYM_WORTH if any(other in stems for other in self.synonyms) else 0.0


def _stems(text: str) -> str:
    """Return the stems of a text between spaces, so that looking for one, or several in a row, is a substring test."""
    return f" {' '.join(stem(word) for word in split_words(text))} "
