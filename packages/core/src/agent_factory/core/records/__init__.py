"""Records of runs: events as JSON, and runs rebuilt from their events."""

from agent_factory.core.records.encoding import event_from_dict, event_to_dict
from agent_factory.core.records.exceptions import RecordedError, RecordError
from agent_factory.core.records.lines import read_events, write_events
from agent_factory.core.records.rebuilding import RecordedRun, RunStatus, rebuild_run

__all__ = [
    "RecordError",
    "RecordedError",
    "RecordedRun",
    "RunStatus",
    "event_from_dict",
    "event_to_dict",
    "read_events",
    "rebuild_run",
    "write_events",
]
