"""Cassettes: what models, tools and the clock answered, on record, so that a test can have it again."""

from agent_factory.core.testing.cassettes.cassette import Cassette, CassetteMode
from agent_factory.core.testing.cassettes.errors import (
    CassetteError,
    CassetteFormatError,
    CassetteMissError,
    CassetteUnusedError,
)
from agent_factory.core.testing.cassettes.models import CassetteModel

__all__ = [
    "Cassette",
    "CassetteError",
    "CassetteFormatError",
    "CassetteMissError",
    "CassetteMode",
    "CassetteModel",
    "CassetteUnusedError",
]
