"""What the checks of a blueprint share: the file, what it may touch, and what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.permissions import Need

if TYPE_CHECKING:
    from agent_factory.core.blueprints.adapters import Adapters
    from agent_factory.core.blueprints.document import Document
    from agent_factory.core.blueprints.document import Path as Place
    from agent_factory.core.blueprints.loading import BlueprintFile
    from agent_factory.core.permissions import Grant, PermissionKind
    from agent_factory.core.source import Problem

__all__ = ["CheckContext", "name_permission"]

_KEYS = {"read": "files.read", "write": "files.write"}


def name_permission(kind: PermissionKind) -> str:
    """Return what the list of a permission is called in a blueprint.

    Args:
        kind: What the permission is about.
    """
    return f"permissions.{_KEYS.get(kind, kind)}"


class CheckContext:
    """What the checks of a blueprint share.

    Args:
        file: The blueprint.
        adapters: What the program brings along.

    Attributes:
        file: As given.
        blueprint: What the file says.
        adapters: As given.
        grant: What the blueprint may touch; None as long as its permissions are not checked, or mean nothing.
        problems: What was found.
    """

    def __init__(self, file: BlueprintFile, adapters: Adapters) -> None:
        self.file = file
        self.blueprint = file.blueprint
        self.adapters = adapters
        self.grant: Grant | None = None
        self.problems: list[Problem] = []
        self._said: set[tuple[str, str]] = set()

    def say(
        self,
        place: Place,
        message: str,
        *,
        at_key: bool = False,
        document: Document | None = None,
    ) -> None:
        """Keep a problem.

        Args:
            place: Where it is.
            message: What is wrong, and what would be right.
            at_key: Whether the key is meant and not its value.
            document: The text that the place is in; that of the blueprint if None.
        """
        document = self.file.document if document is None else document
        self.problems.append(document.create_problem(place, message, at_key=at_key))

    def pass_over(self, kind: PermissionKind, target: str) -> None:
        """Say nothing of a permission that is missing, since the reason is told already.

        Args:
            kind: What the permission is about.
            target: What is not permitted.
        """
        self._said.add((kind, target))

    def check_need(
        self, need: Need, place: Place, *, why: str = "", document: Document | None = None
    ) -> None:
        """Make sure that the permissions name what is needed; what they do not name is told once.

        Args:
            need: What is needed.
            place: What needs it.
            why: Words on what needs it, with a space before them.
            document: The text that the place is in; that of the blueprint if None.
        """
        if self.grant is None:
            return
        try:
            if self.grant.allows(need) or (
                # Whether the address of a name is a private one shows only when it is called.
                need.kind == "hosts"
                and self.grant.allows(Need("private_hosts", need.target))
            ):
                return
        except ConfigurationError as error:
            self.say(place, error.message, document=document)
            return
        if (need.kind, need.target) in self._said:
            return  # every place would be the same word again
        self._said.add((need.kind, need.target))
        self.say(
            place,
            f"{need.target!r} is not permitted{why}: add it to {name_permission(need.kind)}, or take it out",
            document=document,
        )
