"""Events as JSON Lines, one event a line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NoReturn

from agent_factory.core.events import RunFailed, RunFinished
from agent_factory.core.records.encoding import event_from_dict, event_to_dict
from agent_factory.core.records.exceptions import RecordError
from agent_factory.core.records.rebuilding import RunRebuilder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from agent_factory.core.events import RunEvent

__all__ = ["read_events", "write_events"]


def write_events(events: Iterable[RunEvent[Any]]) -> Iterator[str]:
    """Return events as lines of JSON, as ``file.writelines`` takes them.

    Args:
        events: Events of one run, or of several.

    Yields:
        One line for each event, in ASCII, with its line break.

    Raises:
        RecordError: As `event_to_dict`.
    """
    for event in events:
        yield json.dumps(event_to_dict(event), separators=(",", ":"), allow_nan=False) + "\n"


def read_events(lines: Iterable[str]) -> Iterator[RunEvent[Any]]:
    """Return the events that lines of JSON hold, each as soon as its line is read.

    The lines may be those of several runs, in any mixture, each run from its start. Empty lines are skipped.

    Args:
        lines: What `write_events` returned, such as an open text file.

    Yields:
        The events in the order of their lines; the result in a `RunFinished` has the conversation that the events
        before it tell of.

    Raises:
        RecordError: A line is no event, or not the next one of its run; the text begins with its number. Where the
            last line was cut off, the text says so, and the events before it are good.
    """
    runs: dict[str, RunRebuilder] = {}
    numbered = enumerate(lines, start=1)
    for number, line in numbered:
        if not line or line.isspace():
            continue
        try:
            data = json.loads(line, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            is_last = all(not rest.strip() for _, rest in numbered)
            raise _describe_broken_line(number, error, is_last=is_last) from None
        try:
            event = _read_event(data, runs)
        except RecordError as error:
            raise RecordError(
                f"line {number}: {error.message}", details={"line": number, **error.details}
            ) from None
        yield event


def _read_event(data: object, runs: dict[str, RunRebuilder]) -> RunEvent[Any]:
    event = event_from_dict(data)
    run = runs.get(event.run_id)
    if run is None:
        run = runs[event.run_id] = RunRebuilder()
    run.add(event)
    if isinstance(event, RunFinished):
        event = event_from_dict(data, messages=run.messages)
    if isinstance(event, (RunFinished, RunFailed)):
        del runs[event.run_id]
    return event


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _describe_broken_line(number: int, error: Exception, *, is_last: bool) -> RecordError:
    if is_last:
        return RecordError(
            f"line {number}: the last line is no whole JSON text: it was cut off while it was written; "
            "the events before it are good",
            details={"line": number, "cut_off": True},
        )
    # The reason names a place or a constant, never the text.
    reason = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
    return RecordError(f"line {number}: this is no JSON: {reason}", details={"line": number})
