"""Recorded runs: files of events that are written while a run goes on."""

from agent_factory.cli.runs.recorder import RunRecorder
from agent_factory.cli.runs.records import RecordHeader
from agent_factory.cli.runs.store import RunStore

__all__ = ["RecordHeader", "RunRecorder", "RunStore"]
