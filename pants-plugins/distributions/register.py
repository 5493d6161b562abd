"""Registers how the metadata of ``packages/*`` is made.

A BUILD file states what is special about a distribution (its name, its description); the version
stands in ``VERSION`` beside it, the long description in ``README.md``, the rest here.
"""

from __future__ import annotations

import os.path
import re
from collections.abc import Iterable

from pants.backend.python.util_rules.package_dists import SetupKwargs, SetupKwargsRequest
from pants.engine.fs import DigestContents, GlobMatchErrorBehavior, PathGlobs
from pants.engine.rules import Get, collect_rules, rule
from pants.engine.target import Target
from pants.engine.unions import UnionRule

from distributions import namespace

__all__ = ["DistributionKwargsRequest", "read_version", "rules"]

_SHARED = {
    "license": "Apache-2.0",
    "author": "The Agent Factory authors",
    "python_requires": ">=3.11",
    "zip_safe": False,
    "project_urls": {
        "Homepage": "https://github.com/agent-factory/agent-factory",
        "Issues": "https://github.com/agent-factory/agent-factory/issues",
    },
    "classifiers": [
        "Development Status :: 3 - Alpha",
        "Framework :: AsyncIO",
        "Intended Audience :: Developers",
        "Operating System :: OS Independent",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Typing :: Typed",
    ],
}

_VERSION = re.compile(r"\d+\.\d+\.\d+((a|b|rc)\d+)?")


class DistributionKwargsRequest(SetupKwargsRequest):
    """Asks for the metadata of one distribution."""

    @classmethod
    def is_applicable(cls, target: Target) -> bool:
        """Every ``python_distribution`` below ``packages`` gets its metadata here."""
        return target.address.spec_path.startswith("packages/")


@rule
async def distribution_kwargs(request: DistributionKwargsRequest) -> SetupKwargs:
    """Put what the BUILD file says on top of what is read and what is shared."""
    folder = request.target.address.spec_path
    files = await Get(
        DigestContents,
        PathGlobs(
            (f"{folder}/VERSION", f"{folder}/README.md"),
            glob_match_error_behavior=GlobMatchErrorBehavior.ignore,
        ),
    )
    texts = {os.path.basename(file.path): file.content.decode() for file in files}
    for name in ("VERSION", "README.md"):
        if name not in texts:
            raise ValueError(f"{folder}/{name} is missing: every distribution needs one.")
    kwargs = {
        **_SHARED,
        "version": read_version(f"{folder}/VERSION", texts["VERSION"]),
        "long_description": texts["README.md"],
        "long_description_content_type": "text/markdown",
        **request.explicit_kwargs,
    }
    return SetupKwargs(kwargs, address=request.target.address)


def read_version(path: str, text: str) -> str:
    """Read a VERSION file.

    Args:
        path: Where it is, for the error message.
        text: Its content.

    Returns:
        The version.

    Raises:
        ValueError: It is not one line with a version such as 1.2.3 or 1.2.3rc1.
    """
    version = text.rstrip("\n")
    if not _VERSION.fullmatch(version):
        raise ValueError(
            f"{path}:1:1: {version!r} is no version; write one like 1.2.3 or 1.2.3rc1."
        )
    return version


def rules() -> Iterable[object]:
    """Everything that this backend adds to Pants."""
    return (
        *collect_rules(),
        *namespace.rules(),
        UnionRule(SetupKwargsRequest, DistributionKwargsRequest),
    )
