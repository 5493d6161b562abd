"""For tests of agents: scripted models, a virtual clock, and cassettes of what models and tools answered."""

from agent_factory.core.testing.cassettes import (
    Cassette,
    CassetteError,
    CassetteFormatError,
    CassetteMissError,
    CassetteMode,
    CassetteModel,
    CassetteUnusedError,
)
from agent_factory.core.testing.clock import DeadlockError, VirtualClock, run_virtual
from agent_factory.core.testing.scripted import (
    Answer,
    FunctionModel,
    ScriptedModel,
    ScriptedStream,
    create_tool_call,
)

__all__ = [
    "Answer",
    "Cassette",
    "CassetteError",
    "CassetteFormatError",
    "CassetteMissError",
    "CassetteMode",
    "CassetteModel",
    "CassetteUnusedError",
    "DeadlockError",
    "FunctionModel",
    "ScriptedModel",
    "ScriptedStream",
    "VirtualClock",
    "create_tool_call",
    "run_virtual",
]
