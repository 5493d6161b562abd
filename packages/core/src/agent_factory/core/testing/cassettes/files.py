"""The file of a cassette: JSON that is stable, easy to compare, and of a size linear in the conversation."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from agent_factory.core.testing.cassettes.errors import CassetteFormatError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["FORMAT", "Contents", "Recording", "read_file", "write_file"]

FORMAT = "agent-factory/cassette@1"

_LOOK_BACK = 20  # recordings; conversations that go on at the same time are rarely more


@dataclass(slots=True)
class Recording:
    """A request and its answer.

    Attributes:
        kind: Whether a model or a tool was asked.
        request: The request in its canonical form.
        answer: The parts of the answer as plain data; empty as long as there is none.
    """

    kind: Literal["model", "tool"]
    request: dict[str, Any]
    answer: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Contents:
    """What a cassette holds.

    Attributes:
        recordings: Requests and answers in the order in which they were asked.
        times: What the clock said, in ISO 8601, oldest first.
    """

    recordings: list[Recording] = field(default_factory=list)
    times: list[str] = field(default_factory=list)


def write_file(path: Path, contents: Contents) -> None:
    """Write a cassette, whole or not at all.

    Args:
        path: Where to; its folder is made if it is missing.
        contents: What to write, free of secrets.

    Raises:
        OSError: It cannot be written.
    """
    data: dict[str, Any] = {"format": FORMAT}
    if contents.times:
        data["clock"] = contents.times
    data["recordings"] = _fold(contents.recordings)
    text = json.dumps(data, indent=1, ensure_ascii=False) + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        # Halves of surrogate pairs, which a model may write, are escaped: in JSON that is the same text.
        draft.write_bytes(text.encode(errors="backslashreplace"))
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def read_file(path: Path) -> Contents:
    """Read a cassette.

    Args:
        path: The file.

    Raises:
        CassetteFormatError: It is no cassette of this version.
        OSError: It cannot be read.
    """
    try:
        data = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise _refuse(path, f"is not JSON: {error}") from None
    found = data.get("format") if isinstance(data, dict) else None
    if found != FORMAT:
        raise _refuse(path, f"has the format {found!r}, where {FORMAT!r} is known")
    try:
        return Contents(_unfold(data["recordings"]), _read_times(data.get("clock", [])))
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise _refuse(path, f"is damaged: {type(error).__name__}: {error}") from None


def _read_times(data: Sequence[Any]) -> list[str]:
    for item in data:
        if not _is_time(item):
            raise ValueError(f"{item!r} is no time with a time zone in ISO 8601")
    return list(data)


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).utcoffset() is not None
    except ValueError:
        return False


def _refuse(path: Path, problem: str) -> CassetteFormatError:
    return CassetteFormatError(
        f"cassette {str(path)!r} {problem}: record it again with 'pytest --cassettes=record'",
        cassette=str(path),
    )


def _fold(recordings: Sequence[Recording]) -> list[dict[str, Any]]:
    """Return recordings in which a request that goes on with an earlier one tells only what is new."""
    folded = []
    for index, recording in enumerate(recordings):
        request = recording.request
        if recording.kind == "model":
            request = _continue(recordings, index)
        folded.append({"kind": recording.kind, "request": request, "answer": recording.answer})
    return folded


def _continue(recordings: Sequence[Recording], index: int) -> dict[str, Any]:
    request = recordings[index].request
    messages: list[Any] = request["messages"]
    best, length = None, 0
    for earlier in range(max(0, index - _LOOK_BACK), index):
        known = recordings[earlier].request.get("messages", [])
        if len(known) > length and messages[: len(known)] == known:
            best, length = earlier, len(known)
    if best is None:
        return request
    base = recordings[best].request
    # None, which no part of a request is, takes a part of the earlier request away.
    changed = {key: request.get(key) for key in {**base, **request} if key != "messages"}
    return {
        "continues": best + 1,
        **{key: value for key, value in changed.items() if value != base.get(key)},
        "messages": messages[length:],
    }


def _unfold(folded: Sequence[dict[str, Any]]) -> list[Recording]:
    recordings: list[Recording] = []
    for item in folded:
        request = dict(item["request"])
        number = request.pop("continues", None)
        if number is not None:
            base = recordings[_position(number)].request
            request["messages"] = [*base["messages"], *request["messages"]]
            request = {
                key: value for key, value in {**base, **request}.items() if value is not None
            }
        if item["kind"] not in ("model", "tool"):
            raise ValueError(f"kind {item['kind']!r} is neither 'model' nor 'tool'")
        if not isinstance(request.get(item["kind"]), str):
            number = len(recordings) + 1
            raise ValueError(f"recording number {number} has no name of a {item['kind']}")
        recordings.append(Recording(item["kind"], request, dict(item["answer"])))
    return recordings


def _position(number: int) -> int:
    if number < 1:
        raise ValueError(f"there is no recording number {number}")
    return number - 1
