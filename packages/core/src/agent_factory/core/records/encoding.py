"""Events as plain JSON-compatible data, and back.

A record has the ``type`` of its event and the event's fields, those at their default left out, so that fields that
come later do not change the records of today. Two events are not written field by field: ``run_failed`` has the error
as `CoreError.to_dict` gives it, and ``run_finished`` has the output as JSON data, the usage and the agent, but not the
messages, which the events before it have already.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, get_args, get_origin

from agent_factory.core.events import RunEvent, RunFailed, RunFinished
from agent_factory.core.records.codecs import read_fields, write_fields
from agent_factory.core.records.exceptions import RecordedError, RecordError
from agent_factory.core.records.values import MismatchError
from agent_factory.core.result import RunResult
from agent_factory.core.suggestions import describe_choices
from agent_factory.core.usage import Usage

if TYPE_CHECKING:
    from agent_factory.core.messages import Message

__all__ = ["event_from_dict", "event_to_dict"]


@dataclass(frozen=True, slots=True)
class _FinishedRecord:
    """What the record of a `RunFinished` has."""

    run_id: str
    sequence: int
    time: datetime
    output: Any
    usage: Usage = field(default_factory=Usage)
    agent: str = ""


@dataclass(frozen=True, slots=True)
class _ErrorRecord:
    """What a record has of an error."""

    code: str
    message: str
    retryable: bool = False
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _FailedRecord:
    """What the record of a `RunFailed` has."""

    run_id: str
    sequence: int
    time: datetime
    error: _ErrorRecord


_CLASSES: dict[str, type[Any]] = {
    cls.type: cls for cls in (get_origin(member) or member for member in get_args(RunEvent))
}


def event_to_dict(event: RunEvent[Any]) -> dict[str, Any]:
    """Return an event as data that JSON can hold.

    Times are written in UTC as RFC 3339 has them, with microseconds. Numbers that JSON does not have are written as the
    texts ``NaN``, ``Infinity`` and ``-Infinity``.

    Args:
        event: Any event of a run.

    Raises:
        RecordError: The output of the run is nothing that JSON can hold, or a time has no time zone.
    """
    try:
        return {"type": event.type, **write_fields(_shape(event))}
    except MismatchError as mismatch:
        raise _explain(event.type, mismatch) from None


def event_from_dict(data: object, *, messages: tuple[Message, ...] = ()) -> RunEvent[Any]:
    """Return the event that data holds.

    Args:
        data: What `event_to_dict` returned, or the same read from JSON.
        messages: The conversation of the run, for the result in a `RunFinished`, whose record has none. `read_events`
            makes it of the events before.

    Returns:
        An event equal to the one that was written, but for two: the error in a `RunFailed` is a `RecordedError`, and
        the output in a `RunFinished` is plain JSON data.

    Raises:
        RecordError: It is no event; the text says which field is wrong, and never what it holds.
    """
    if not isinstance(data, dict):
        raise RecordError(f"an event must be a JSON object, not {type(data).__name__}")
    name = data.get("type")
    if not isinstance(name, str):
        raise RecordError("an event must say its type: a text such as 'run_started'")
    cls = _CLASSES.get(name)
    if cls is None:
        raise RecordError(
            f"there is no event of type {name[:40]!r}: {describe_choices(name, _CLASSES)}"
        )
    shape = _SHAPES.get(cls, cls)
    try:
        values = read_fields(shape, data, others=("type",))
    except MismatchError as mismatch:
        raise _explain(name, mismatch) from None
    if shape is _FinishedRecord:
        output, usage, agent = (values.pop(name) for name in ("output", "usage", "agent"))
        values["result"] = RunResult(output, messages, usage, values["run_id"], agent)
    elif shape is _FailedRecord:
        error: _ErrorRecord = values["error"]
        values["error"] = RecordedError(
            error.message, code=error.code, retryable=error.retryable, details=error.details
        )
    event: RunEvent[Any] = cls(**values)
    return event


_SHAPES: dict[type, type] = {RunFinished: _FinishedRecord, RunFailed: _FailedRecord}


def _shape(event: RunEvent[Any]) -> Any:
    if isinstance(event, RunFinished):
        result = event.result
        return _FinishedRecord(
            event.run_id, event.sequence, event.time, result.output, result.usage, result.agent
        )
    if isinstance(event, RunFailed):
        error = event.error
        record = _ErrorRecord(error.code, error.message, error.retryable, error.details)
        return _FailedRecord(event.run_id, event.sequence, event.time, record)
    return event


def _explain(name: str, mismatch: MismatchError) -> RecordError:
    return RecordError(
        f"{'.'.join([name, *mismatch.path])} {mismatch.wrong}",
        details={"type": name, "field": ".".join(mismatch.path)},
    )
