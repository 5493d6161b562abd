"""The tool `search_files`: lines of the files below a folder that have a text or match an expression."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field

from agent_factory.core.exceptions import ConfigurationError, ToolError
from agent_factory.core.registry import ToolEntry
from agent_factory.core.tools import Tool, tool
from agent_factory.integrations.tools.expressions import LinearExpression, LiteralText, Matcher
from agent_factory.integrations.tools.folders import Folder
from agent_factory.integrations.tools.granting import need_folder
from agent_factory.integrations.tools.patterns import PathPatterns, PatternError
from agent_factory.integrations.tools.text import decode, split_lines

if TYPE_CHECKING:
    from pathlib import Path

    from agent_factory.core.permissions.roots import GrantedPath

__all__ = ["SearchBounds", "SearchFilesOptions", "create_search_files", "create_search_files_entry"]

MAX_LINE = 500
MAX_CHARACTERS = 60_000
MAX_SKIPPED = 20
# An engine that never goes back can still take some microseconds for each character.
MAX_SEARCHED = 100_000
_CHARACTERS_BETWEEN_LOOKS = 20_000


@dataclass(frozen=True, slots=True)
class SearchBounds:
    """How much one search reads at most; what it does not get to is named in the result.

    Attributes:
        max_files: Files, at least 1.
        max_file_bytes: Bytes of one file, at least 1; larger files are left out.
        max_total_bytes: Bytes of all files together, at least 1.
        seconds: Seconds after which it returns what it has; above 0.

    Raises:
        ConfigurationError: A bound is out of its range.
    """

    max_files: int = 5000
    max_file_bytes: int = 1 << 20
    max_total_bytes: int = 1 << 26
    seconds: float = 20.0

    def __post_init__(self) -> None:
        """Check the bounds."""
        if min(self.max_files, self.max_file_bytes, self.max_total_bytes) < 1 or self.seconds <= 0:
            raise ConfigurationError(
                "the bounds of a search must be at least 1, and its seconds above 0"
            )


class SearchFilesOptions(BaseModel):
    """Options of `search_files` in a blueprint.

    Attributes:
        folder: The folder to search, relative to the blueprint's own.
        hidden: Whether files and folders whose names start with a dot are searched.
        max_files: How many files one search reads, 1 to 50,000.
        max_file_bytes: The largest file to read, 1 byte to 64 MiB.
        max_total_bytes: How much one search reads, 1 byte to 1 GiB.
        seconds: Seconds after which a search returns what it has, up to 120.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    folder: str = Field(min_length=1)
    hidden: bool = False
    max_files: int = Field(default=5000, ge=1, le=50_000)
    max_file_bytes: int = Field(default=1 << 20, ge=1, le=1 << 26)
    max_total_bytes: int = Field(default=1 << 26, ge=1, le=1 << 30)
    seconds: float = Field(default=20.0, gt=0, le=120)


def create_search_files(
    folder: Path | str | GrantedPath, *, hidden: bool = False, bounds: SearchBounds | None = None
) -> Tool[object]:
    """Make the tool `search_files`.

    Args:
        folder: The folder to search; links below it are not followed.
        hidden: Whether files and folders whose names start with a dot are searched.
        bounds: How much one search reads; the defaults of `SearchBounds` if None.

    Returns:
        The tool; its result has ``matches`` (each with ``file``, ``line``, ``text``, and ``before`` and ``after`` where
        context is asked for), ``files_searched``, ``complete``, ``stopped`` where it is not complete, and ``skipped``.

    Raises:
        ConfigurationError: There is no such folder.
    """
    root = Folder(folder, hidden=hidden)
    limits = bounds or SearchBounds()

    @tool(effect="read", timeout=limits.seconds + 10)
    def search_files(
        pattern: str,
        files: str = "**/*",
        regex: bool = False,
        ignore_case: bool = False,
        context: Annotated[int, Field(ge=0, le=10)] = 0,
        limit: Annotated[int, Field(ge=1, le=200)] = 50,
    ) -> dict[str, object]:
        """Search text files line by line. Cite what you use as file:line.

        Args:
            pattern: What to look for within one line, at most 500 characters.
            files: Which files to search; '*' matches within a name, '**' any number of folders, as in 'src/**/*.py'.
            regex: Whether the pattern is a regular expression, without look-around and backreferences.
            ignore_case: Whether upper and lower case are the same.
            context: How many lines before and after each match to return.
            limit: How many matches to return at most.
        """
        try:
            wanted = PathPatterns([files])
            matcher: Matcher = (
                LinearExpression(pattern, ignore_case=ignore_case)
                if regex
                else LiteralText(pattern, ignore_case=ignore_case)
            )
        except PatternError as error:
            raise ToolError(str(error)) from None
        search = _Search(root, matcher, limits, context, limit)
        search.run(wanted)
        return {
            "matches": search.matches,
            "files_searched": search.files,
            "complete": search.stopped is None,
            **({} if search.stopped is None else {"stopped": search.stopped}),
            "skipped": search.skipped[:MAX_SKIPPED],
        }

    return search_files


def create_search_files_entry() -> ToolEntry[SearchFilesOptions]:
    """Return the entry through which blueprints use `search_files`."""
    return ToolEntry(
        "search_files",
        "finds lines in the files below a folder",
        SearchFilesOptions,
        lambda options, environment: create_search_files(
            environment.grant.get_path("read", options.folder),
            hidden=options.hidden,
            bounds=SearchBounds(
                options.max_files,
                options.max_file_bytes,
                options.max_total_bytes,
                options.seconds,
            ),
        ),
        need_folder("read"),
    )


@dataclass(slots=True)
class _Search:
    """One search, and what it has so far."""

    root: Folder
    matcher: Matcher
    bounds: SearchBounds
    context: int
    limit: int
    matches: list[dict[str, object]] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    files: int = 0
    stopped: str | None = None
    characters: int = 0

    def run(self, patterns: PathPatterns) -> None:
        end = time.monotonic() + self.bounds.seconds
        found = self.root.find(patterns)
        self.skipped += found.skipped
        left = self.bounds.max_total_bytes
        for file in found.files:
            if self.files >= self.bounds.max_files:
                self.stopped = f"{self.bounds.max_files} files were searched"
            elif left <= 0:
                self.stopped = f"{self.bounds.max_total_bytes} bytes were searched"
            elif time.monotonic() > end:
                self.stopped = f"{self.bounds.seconds:g} seconds are over"
            if self.stopped is not None:
                return
            try:
                data = self.root.read(file.path, max_bytes=self.bounds.max_file_bytes)
                lines = split_lines(decode(file.path, data))
            except ToolError as error:
                self.skipped.append(f"{file.path}: {error.message}")
                continue
            left -= len(data)
            self.files += 1
            self._look(file.path, lines, end)

    def _look(self, path: str, lines: list[str], end: float) -> None:
        unwatched = 0
        for number, line in enumerate(lines, 1):
            unwatched += len(line) + 1
            if unwatched > _CHARACTERS_BETWEEN_LOOKS:
                unwatched = 0
                if time.monotonic() > end:
                    self.stopped = f"{self.bounds.seconds:g} seconds are over"
                    return
            if len(line) > MAX_SEARCHED:
                self.skipped.append(
                    f"{path}:{number}: only the first {MAX_SEARCHED} characters were searched"
                )
            place = self.matcher.find(line[:MAX_SEARCHED])
            if place is None:
                continue
            if len(self.matches) >= self.limit:
                self.stopped = f"there are more than {self.limit} matches"
                return
            first = max(number - 1 - self.context, 0)
            before = [_cut(item) for item in lines[first : number - 1]]
            after = [_cut(item) for item in lines[number : number + self.context]]
            text = _cut(line, place)
            self.characters += sum(map(len, (path, text, *before, *after)))
            if self.matches and self.characters > MAX_CHARACTERS:
                self.stopped = f"there are more than {MAX_CHARACTERS} characters of matches"
                return
            match: dict[str, object] = {"file": path, "line": number, "text": text}
            if self.context:
                match |= {"before": before, "after": after}
            self.matches.append(match)


def _cut(line: str, place: int = 0) -> str:
    """Return the part of a line around a place, which says so where the line is longer."""
    if len(line) <= MAX_LINE:
        return line
    start = max(min(place - MAX_LINE // 4, len(line) - MAX_LINE), 0)
    return f"{line[start : start + MAX_LINE]} [cut: the line has {len(line)} characters]"
