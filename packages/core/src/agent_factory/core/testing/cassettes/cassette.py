"""A cassette: it records what a test was answered, and answers the same again."""

from __future__ import annotations

from collections import defaultdict, deque
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar, get_args

from agent_factory.core.clock import SystemClock
from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.testing.cassettes.answers import scrub_answer
from agent_factory.core.testing.cassettes.canonical import compute_key
from agent_factory.core.testing.cassettes.clock import CassetteClock
from agent_factory.core.testing.cassettes.files import (
    Contents,
    Recording,
    read_file,
    write_file,
)
from agent_factory.core.testing.cassettes.misses import (
    create_damage,
    create_miss,
    create_time_miss,
    create_unused,
)
from agent_factory.core.testing.cassettes.models import CassetteModel
from agent_factory.core.testing.cassettes.scrubbing import Scrubber
from agent_factory.core.testing.cassettes.tools import wrap_tool

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike
    from types import TracebackType

    from agent_factory.core.clock import Clock
    from agent_factory.core.models import Model
    from agent_factory.core.testing.cassettes.errors import (
        CassetteFormatError,
        CassetteMissError,
    )
    from agent_factory.core.tools import Tool

__all__ = ["Cassette", "CassetteMode"]

CassetteMode: TypeAlias = Literal["replay", "record", "auto"]
"""Answer from the record only; ask the real ones and write; or replay where there is a file, else record."""

DepsT = TypeVar("DepsT")


class Cassette:
    """What models, tools and the clock answered in one test, on record in one file.

    ```python
    with Cassette("tests/cassettes/weather.json") as cassette:
        agent = Agent(name="a", model=cassette.wrap_model(model), tools=[cassette.wrap_tool(look_up)])
    ```

    Left without an error, the ``with`` block writes the file when recording, and checks that all was used when
    replaying. Secrets are replaced before anything is written. Used by one test at a time.

    Args:
        path: The file.
        mode: Whether to replay or to record. ``auto`` records only where there is no file.
        secrets: Values that must not be written, besides what looks like a secret; at least 4 characters each.
        allow_unused: Whether a replay may leave recordings unused.

    Attributes:
        path: The file.
        mode: ``replay`` or ``record``.
        misses: Every request that was not on record, oldest first.

    Raises:
        CassetteFormatError: The file is no cassette.
        ConfigurationError: The mode is unknown, or a secret is too short.
    """

    def __init__(
        self,
        path: str | PathLike[str],
        mode: CassetteMode = "replay",
        *,
        secrets: Iterable[str] = (),
        allow_unused: bool = False,
    ) -> None:
        if mode not in get_args(CassetteMode):
            raise ConfigurationError(
                f"the mode of a cassette must be one of {', '.join(get_args(CassetteMode))}, not {mode!r}"
            )
        self.path = Path(path)
        there = self.path.is_file()
        self.mode: Literal["replay", "record"] = (
            ("replay" if there else "record") if mode == "auto" else mode
        )
        self.misses: list[CassetteMissError] = []
        self._allow_unused = allow_unused
        self._scrubber = Scrubber(secrets)
        self._contents = read_file(self.path) if there and not self.recording else Contents()
        self._there = there
        self._asked = 0
        self._times = 0
        # Positions of the recordings of each key that nothing has asked for so far.
        self._left: defaultdict[str, deque[int]] = defaultdict(deque)
        for index, recording in enumerate(self._contents.recordings):
            self._left[compute_key(recording.request)].append(index)

    def __enter__(self) -> Cassette:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            self.finish()

    @property
    def recording(self) -> bool:
        """Whether the real models and tools are asked."""
        return self.mode == "record"

    @property
    def models(self) -> list[str]:
        """Names of the models on record, in the order in which they were first asked."""
        return list(
            dict.fromkeys(
                item.request["model"] for item in self._contents.recordings if item.kind == "model"
            )
        )

    def add_secret(self, secret: str) -> None:
        """Name one more value that must not be written, also where it was recorded already.

        Args:
            secret: The value, of at least 4 characters; an empty one is passed over.

        Raises:
            ConfigurationError: The value is too short.
        """
        self._scrubber.add(secret)

    def wrap_model(self, model: Model | None = None, *, name: str | None = None) -> CassetteModel:
        """Return a model that answers from this cassette, or records what another one answers.

        Args:
            model: The real model; needed for recording only.
            name: Name of the model, where there is no real one; the name on record if None.

        Raises:
            ConfigurationError: There is nothing to record from, or several models are on record and none is named.
        """
        return CassetteModel(model, self, name=name)

    def wrap_tool(self, tool: Tool[DepsT]) -> Tool[DepsT]:
        """Return a tool whose results, errors included, come from this cassette or are recorded.

        Args:
            tool: The real tool; a replay does not run it.
        """
        return wrap_tool(self, tool)

    def wrap_clock(self, clock: Clock | None = None) -> CassetteClock:
        """Return a clock that says what this cassette says, or records what another one says.

        Args:
            clock: The real clock; that of this machine if None.
        """
        return CassetteClock(self, SystemClock() if clock is None else clock)

    def begin(self, kind: Literal["model", "tool"], request: dict[str, Any]) -> Recording:
        """Put a request on record. Whoever makes it sets the recording's answer.

        Args:
            kind: Who is asked.
            request: The request in its canonical form.
        """
        recording = Recording(kind, request)
        self._contents.recordings.append(recording)
        return recording

    def replay(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the parts of the recorded answer to a request; the same request again gets the next one.

        Args:
            request: The request in its canonical form.

        Raises:
            CassetteMissError: It is not on record, or not as often.
        """
        self._asked += 1
        request = self._scrubber.request(request)
        key = compute_key(request)
        if self._left.get(key):
            return self._contents.recordings[self._left[key].popleft()].answer
        recordings = self._contents.recordings if self._there else None
        miss = create_miss(self.path, request, recordings, self._find_unused(), self._asked)
        self.misses.append(miss)
        raise miss

    def record_time(self, time: str) -> None:
        """Put on record what the clock says.

        Args:
            time: The time in ISO 8601.
        """
        self._contents.times.append(time)

    def replay_time(self) -> str:
        """Return what the clock said next. After the last reading on record, it stands still.

        Raises:
            CassetteMissError: The clock is not on record.
        """
        times = self._contents.times
        if not times:
            error = create_time_miss(self.path)
            self.misses.append(error)
            raise error
        self._times += 1
        return times[min(self._times, len(times)) - 1]

    def finish(self) -> None:
        """End the test: write what was recorded, or check that the replay was complete.

        Raises:
            CassetteMissError: A request was not on record, and the program went on without an answer.
            CassetteUnusedError: Nothing asked for some of the recordings, and that is not allowed.
            OSError: The file cannot be written.
        """
        if self.recording:
            self._save()
            return
        if self.misses:
            raise self.misses[0]
        unused = self._find_unused()
        if unused and not self._allow_unused:
            raise create_unused(self.path, self._contents.recordings, unused)

    def refuse(self, error: Exception) -> CassetteFormatError:
        """Return the error for an answer that cannot be read.

        Args:
            error: What reading it raised.
        """
        return create_damage(self.path, error)

    def _find_unused(self) -> list[int]:
        return sorted(index for left in self._left.values() for index in left)

    def _save(self) -> None:
        contents = Contents(
            [
                Recording(
                    item.kind,
                    self._scrubber.request(item.request),
                    scrub_answer(item.answer, self._scrubber),
                )
                for item in self._contents.recordings
                if item.answer
            ],
            self._contents.times,
        )
        if contents.recordings or contents.times or self._there:
            write_file(self.path, contents)
