"""The version of a container image, taken from the `VERSION` file of what it runs.

Pants can interpolate build arguments and base-image tags into an image's tags, but no file. The
field `version_file` of `docker_image` closes that gap: what the file says becomes a tag and the
label `org.opencontainers.image.version`, so that an image cannot be built under another version.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from pants.backend.docker.target_types import (
    DockerBuildOptionFieldMixin,
    DockerImageTags,
    DockerImageTagsRequest,
    DockerImageTarget,
    OptionValueFormatter,
)
from pants.base.build_environment import get_buildroot
from pants.engine.fs import DigestContents, GlobMatchErrorBehavior, PathGlobs
from pants.engine.rules import Get, Rule, collect_rules, rule
from pants.engine.target import AsyncFieldMixin, InvalidFieldException, StringField, Target
from pants.engine.unions import UnionRule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["VersionFileField", "VersionTagRequest", "rules"]

_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")


class VersionFileField(DockerBuildOptionFieldMixin, AsyncFieldMixin, StringField):
    """A file, relative to the build root, whose only line is the version of the image."""

    alias = "version_file"
    help = (
        "A file, relative to the build root, whose only line is the version of the image: a tag "
        "of it, and its label `org.opencontainers.image.version`."
    )
    docker_build_option = "--label"

    def option_values(self, *, value_formatter: OptionValueFormatter) -> Iterator[str]:
        """Yields the version label; nothing without a version file.

        Pants asks for options synchronously, so the file is read past the engine. A changed file
        is noticed all the same: the tag, read through the engine, belongs to the same build.

        Args:
            value_formatter: Replaces placeholders, of which a version has none.

        Yields:
            One `name=value` for `--label`.

        Raises:
            InvalidFieldException: The file is missing, or holds no version fit for a tag.
        """
        if self.value is None:
            return
        path = Path(get_buildroot(), self.value)
        content = path.read_bytes() if path.is_file() else None
        yield f"org.opencontainers.image.version={value_formatter(_version(self, content))}"


class VersionTagRequest(DockerImageTagsRequest):
    """Asks for the tag of an image that has a version file."""

    @classmethod
    def is_applicable(cls, target: Target) -> bool:
        """Tells whether the image has a version file.

        Args:
            target: A `docker_image`.

        Returns:
            True if its field `version_file` is set.
        """
        return target.get(VersionFileField).value is not None


@rule
async def tag_with_version(request: VersionTagRequest) -> DockerImageTags:
    """Reads the version file of an image.

    Args:
        request: The image's target, with `version_file` set.

    Returns:
        The one tag.

    Raises:
        InvalidFieldException: The file is missing, or holds no version fit for a tag.
    """
    field = request.target[VersionFileField]
    found = await Get(
        DigestContents,
        PathGlobs([str(field.value)], glob_match_error_behavior=GlobMatchErrorBehavior.ignore),
    )
    return DockerImageTags([_version(field, found[0].content if found else None)])


def _version(field: VersionFileField, content: bytes | None) -> str:
    """Returns the version in `content`, or says what is wrong with the field."""
    where = f"The `{field.alias}` of {field.address} names {field.value!r}, which"
    if content is None:
        raise InvalidFieldException(f"{where} is no file; name one relative to the build root.")
    version = content.decode("utf-8", errors="replace").strip()
    if not _TAG.fullmatch(version):
        raise InvalidFieldException(
            f"{where} says {version!r}; an image can be tagged only with up to 128 letters, "
            "digits, '_', '.' and '-'."
        )
    return version


def rules() -> Iterable[Rule | UnionRule]:
    """Registers the field and the tag of its file.

    Returns:
        What Pants registers for this plugin.
    """
    return (
        *collect_rules(),
        DockerImageTarget.register_plugin_field(VersionFileField),
        UnionRule(DockerImageTagsRequest, VersionTagRequest),
    )
