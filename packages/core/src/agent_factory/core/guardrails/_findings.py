"""Finding things in texts and putting placeholders in their place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from agent_factory.core.guardrails._documents import MAX_DEPTH, is_document, rewrite_scalars

if TYPE_CHECKING:
    from agent_factory.core.guardrails._documents import Scalar

__all__ = ["Finding", "Redaction", "Scan", "redact"]

MAX_PASSES = 8


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that was found in a text.

    Attributes:
        kind: What it is, as its placeholder says it.
        start: Index of its first character.
        end: Index after its last character.
    """

    kind: str
    start: int
    end: int


Scan: TypeAlias = Callable[[str, str], Iterable[Finding]]
"""Finds things in a text, given also the JSON key that the text stands under, or an empty text."""


@dataclass(slots=True)
class Redaction:
    """A text without what was found in it.

    Attributes:
        text: The text with placeholders.
        found: How many of each kind were found.
    """

    text: str
    found: Counter[str] = field(default_factory=Counter)

    def describe(self) -> str:
        """Return what was found, such as ``2 email, 1 card``."""
        return ", ".join(f"{count} {kind}" for kind, count in sorted(self.found.items()))


def redact(text: str, scan: Scan, *, fallback: str) -> Redaction:
    """Return a text without what a scan finds in it.

    In a JSON object or array every key, string and number is looked at by itself, also in JSON that is a string of it, and the
    result is JSON again. Nothing is left in the result that the scan would find.

    Args:
        text: Any text.
        scan: What to look with; it must not find anything in a placeholder.
        fallback: Kind of the placeholder for a whole text that does not become clean by replacing.
    """
    result = Redaction(text)
    result.text = _clean(text, "", scan, fallback, result.found, 0)
    return result


def _clean(text: str, key: str, scan: Scan, fallback: str, found: Counter[str], depth: int) -> str:
    if depth < MAX_DEPTH and is_document(text):

        def change(scalar: Scalar) -> str:
            return _clean(scalar.text, scalar.key, scan, fallback, found, depth + 1)

        return rewrite_scalars(text, change)
    for _ in range(MAX_PASSES):
        # What one replacement takes away may have hidden something else at its edge.
        findings = _merge(scan(text, key))
        if not findings:
            return text
        found.update(finding.kind for finding in findings)
        text = _replace(text, findings)
    return f"[{fallback}]" if _merge(scan(text, key)) else text


def _merge(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings that do not overlap, in the order of the text; what begins first gives its kind."""
    merged: list[Finding] = []
    for finding in sorted(findings, key=lambda item: (item.start, -item.end)):
        if merged and finding.start < merged[-1].end:
            last = merged[-1]
            merged[-1] = Finding(last.kind, last.start, max(last.end, finding.end))
        else:
            merged.append(finding)
    return merged


def _replace(text: str, findings: list[Finding]) -> str:
    pieces: list[str] = []
    done = 0
    for finding in findings:
        pieces += text[done : finding.start], f"[{finding.kind}]"
        done = finding.end
    return "".join(pieces) + text[done:]
