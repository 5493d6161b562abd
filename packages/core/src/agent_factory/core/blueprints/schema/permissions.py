"""The permission manifest of a blueprint."""

from __future__ import annotations

from pydantic import Field

from agent_factory.core.blueprints.schema.base import Money, Section, parse_money
from agent_factory.core.permissions.manifest import Permissions

__all__ = ["FilesSection", "PermissionsSection"]


class FilesSection(Section):
    """What may be read and written in the file system."""

    read: tuple[str, ...] = Field(
        (),
        strict=False,
        description="Folders and files that may be read, with all that is below them; relative to the folder of the "
        "blueprint.",
        examples=[["docs"]],
    )
    write: tuple[str, ...] = Field(
        (),
        strict=False,
        description="Folders that may be written to; relative to the folder of the blueprint.",
        examples=[["out"]],
    )


class PermissionsSection(Section):
    """What a blueprint may touch. Everything that is not named is denied."""

    models: tuple[str, ...] = Field(
        (),
        strict=False,
        description="Models that may be asked, as written under 'use' in models.",
        examples=[["default"]],
    )
    tools: tuple[str, ...] = Field(
        (),
        strict=False,
        description="Tools that may be used: names in the registry, and 'toolset/tool' or 'toolset/*' for the tools of "
        "a toolset.",
        examples=[["calculate", "github/list_issues"]],
    )
    hosts: tuple[str, ...] = Field(
        (),
        strict=False,
        description="Hosts that tools may call, over https unless they say http. They never lead to a private address.",
        examples=[["api.example.com", "*.example.org", "http://example.com:8080"]],
    )
    private_hosts: tuple[str, ...] = Field(
        (),
        strict=False,
        description="Hosts with a private or loopback address that tools may call, written out without '*'.",
        examples=[["http://localhost:8080"]],
    )
    secrets: tuple[str, ...] = Field(
        (),
        strict=False,
        description="Secrets that tools may use: names of environment variables, never their values.",
        examples=[["GITHUB_TOKEN"]],
    )
    files: FilesSection = Field(
        default_factory=lambda: FilesSection.model_validate({}),
        description="What may be read and written in the file system.",
    )
    commands: tuple[str, ...] = Field(
        (), strict=False, description="Programs that may be run, by name.", examples=[["git"]]
    )
    spend: Money = Field(
        "0 USD",
        description="What all model calls of one run together may cost. A model whose price is not known is not called.",
    )
    timeout: float | None = Field(
        None,
        gt=0,
        le=86_400,
        description="Seconds that one run may take, questions to people excepted.",
    )

    def create_permissions(self) -> Permissions:
        """Return the manifest.

        Raises:
            ConfigurationError: An entry is empty, or no host.
        """
        return Permissions(
            models=self.models,
            tools=self.tools,
            hosts=self.hosts,
            private_hosts=self.private_hosts,
            secrets=self.secrets,
            read=self.files.read,
            write=self.files.write,
            commands=self.commands,
            spend=parse_money(self.spend),
            timeout=self.timeout,
        )
