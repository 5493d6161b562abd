"""The errors of cassettes.

```
CoreError
└── CassetteError             root of these
    ├── CassetteMissError     a request that is not on record
    ├── CassetteUnusedError   recordings that nothing asked for
    └── CassetteFormatError   a file that is no cassette of this version
```

None of them is a `ModelError` or a `ToolError`: nothing may retry them, and no model is told.
"""

from __future__ import annotations

from agent_factory.core.exceptions import CoreError

__all__ = ["CassetteError", "CassetteFormatError", "CassetteMissError", "CassetteUnusedError"]


class CassetteError(CoreError):
    """A cassette does not fit the test that uses it.

    Args:
        message: What does not fit, and how to record again.
        cassette: Path of the file.
    """

    code = "cassette"

    def __init__(self, message: str, *, cassette: str) -> None:
        super().__init__(message, details={"cassette": cassette})
        self.cassette = cassette


class CassetteMissError(CassetteError):
    """A request is not on record.

    Args:
        message: Which request, and how the nearest recorded one differs.
        cassette: Path of the file.
        number: Number of the request among all of the test, from 1; 0 for a question to the clock.
        difference: Unified diff from the nearest recorded request to this one; empty if there is none.
    """

    code = "cassette_miss"

    def __init__(self, message: str, *, cassette: str, number: int, difference: str = "") -> None:
        super().__init__(message, cassette=cassette)
        self.details["number"] = number
        self.number = number
        self.difference = difference


class CassetteUnusedError(CassetteError):
    """A test ended, and some of what is on record was never asked for."""

    code = "cassette_unused"


class CassetteFormatError(CassetteError):
    """A file is no cassette, or one of another version, or damaged."""

    code = "cassette_format"
