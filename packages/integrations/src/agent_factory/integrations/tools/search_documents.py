"""The tool `search_documents`: passages of the documents below a folder, best first."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.registry import ToolEntry
from agent_factory.core.tools import Tool, tool
from agent_factory.integrations.tools.folders import Folder
from agent_factory.integrations.tools.granting import need_folder
from agent_factory.integrations.tools.index import DocumentIndex, IndexBounds
from agent_factory.integrations.tools.patterns import PathPatterns, PatternError

if TYPE_CHECKING:
    from agent_factory.core.permissions.roots import GrantedPath

__all__ = ["SearchDocumentsOptions", "create_search_documents", "create_search_documents_entry"]

DEFAULT_PATTERNS = ("**/*.md", "**/*.rst", "**/*.txt")
MAX_QUERY = 1000
MAX_TEXT = 4000
MAX_SKIPPED = 20


class SearchDocumentsOptions(BaseModel):
    """Options of `search_documents` in a blueprint.

    Attributes:
        folder: The folder to search, relative to the blueprint's own.
        patterns: Which files below it are documents, such as ``docs/**/*.md``.
        prefix: What stands before the path of a file in results; where it is left out, what leads from the current
            directory to the folder.
        hidden: Whether files and folders whose names start with a dot are searched.
        max_files: How many files to take in, 1 to 20,000.
        max_file_bytes: The largest file to take in, 1 byte to 64 MiB.
        max_total_bytes: How much to take in, 1 byte to 256 MiB.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    folder: str = Field(min_length=1)
    patterns: list[str] = Field(default=list(DEFAULT_PATTERNS), min_length=1, max_length=50)
    prefix: str | None = None
    hidden: bool = False
    max_files: int = Field(default=2000, ge=1, le=20_000)
    max_file_bytes: int = Field(default=1 << 20, ge=1, le=1 << 26)
    max_total_bytes: int = Field(default=1 << 25, ge=1, le=1 << 28)


def create_search_documents(
    folder: Path | str | GrantedPath,
    *,
    patterns: tuple[str, ...] = DEFAULT_PATTERNS,
    prefix: str | None = None,
    hidden: bool = False,
    bounds: IndexBounds | None = None,
) -> Tool[object]:
    """Make the tool `search_documents`.

    Nothing is read before the first search; the index lives in memory and follows changes of the files.

    Args:
        folder: The folder to search; links below it are not followed.
        patterns: Which files below it are documents.
        prefix: What stands before the path of a file in results, such as ``docs``; where it is None, what leads from
            the current directory to the folder, so that people can open what is cited.
        hidden: Whether files and folders whose names start with a dot are searched.
        bounds: What to take in at most; the defaults of `IndexBounds` if None.

    Returns:
        The tool; its result has ``passages`` (each with ``file``, ``line``, ``end_line``, ``heading``, ``text`` of at most
        4,000 characters, and ``score``), ``files_searched`` and ``skipped``.

    Raises:
        ConfigurationError: There is no such folder, or a pattern cannot be used.
    """
    root = Folder(folder, hidden=hidden)
    try:
        compiled = PathPatterns(patterns)
    except PatternError as error:
        raise ConfigurationError(f"tool 'search_documents': {error}") from None
    index = DocumentIndex(root, compiled, bounds or IndexBounds())
    before = _find_prefix(root.path) if prefix is None else prefix.rstrip("/")

    @tool(effect="read", timeout=60.0)
    def search_documents(
        query: Annotated[str, Field(max_length=MAX_QUERY)],
        limit: Annotated[int, Field(ge=1, le=20)] = 5,
    ) -> dict[str, object]:
        """Search the documents for passages, best first. Cite what you use as file:line.

        Args:
            query: Words to look for, and exact phrases in double quotes; passages with more of them come first.
            limit: How many passages to return at most.
        """
        result = index.search(query, limit)
        return {
            "passages": [
                {
                    "file": f"{before}/{hit.file}" if before else hit.file,
                    "line": hit.passage.line,
                    "end_line": hit.passage.end_line,
                    "heading": hit.passage.heading,
                    "text": hit.passage.text[:MAX_TEXT],
                    "score": round(hit.score, 4),
                }
                for hit in result.hits
            ],
            "files_searched": result.files,
            "skipped": list(result.skipped[:MAX_SKIPPED]),
        }

    return search_documents


def create_search_documents_entry() -> ToolEntry[SearchDocumentsOptions]:
    """Return the entry through which blueprints use `search_documents`."""
    return ToolEntry(
        "search_documents",
        "finds passages in the documents of a folder",
        SearchDocumentsOptions,
        lambda options, environment: create_search_documents(
            environment.grant.get_path("read", options.folder),
            patterns=tuple(options.patterns),
            prefix=options.prefix,
            hidden=options.hidden,
            bounds=IndexBounds(options.max_files, options.max_file_bytes, options.max_total_bytes),
        ),
        need_folder("read"),
    )


def _find_prefix(folder: Path) -> str:
    """Return what leads from the current directory to a folder: nothing for itself, absolute for one not below it."""
    resolved = folder.resolve()
    current = Path.cwd().resolve()
    if resolved.is_relative_to(current):
        relative = resolved.relative_to(current).as_posix()
        return "" if relative == "." else relative
    return resolved.as_posix()
