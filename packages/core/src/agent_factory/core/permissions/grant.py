"""The one place that decides what a blueprint may touch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from agent_factory.core.exceptions import ConfigurationError, PermissionDeniedError
from agent_factory.core.permissions.hiding import Hider
from agent_factory.core.permissions.hosts import parse_host_rule
from agent_factory.core.permissions.manifest import Need, PermissionKind, Permissions
from agent_factory.core.permissions.roots import GrantedPath, resolve_path

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["Denial", "Grant", "SecretSource"]

_KEY = {"read": "files.read", "write": "files.write"}


class SecretSource(Protocol):
    """Where secrets come from, such as the environment or a vault."""

    def get(self, name: str) -> str | None:
        """Return a secret, or None where there is none of the name.

        Args:
            name: Name of the secret.
        """
        ...


@dataclass(frozen=True, slots=True)
class Denial:
    """Something that was refused.

    Attributes:
        kind: What it was about.
        target: What was asked for.
        reason: Why it was refused, and what would permit it.
    """

    kind: PermissionKind
    target: str
    reason: str


class Grant:
    """What a blueprint was granted for a run, and the one place that decides about it. Everything else is refused.

    Tools ask it before they touch anything. Each refusal raises a `PermissionDeniedError`, which tells the model why, and
    is reported to ``on_denied``.

    Args:
        permissions: What is granted.
        folder: The folder of the blueprint, which relative paths start from.
        secrets: Where secrets come from; there are none if None.
        on_denied: Told of each refusal; quick, and raising nothing.

    Attributes:
        permissions: As given.
        folder: As given.

    Raises:
        ConfigurationError: A path of the permissions cannot be used.
    """

    __slots__ = (
        "_hider",
        "_on_denied",
        "_private",
        "_public",
        "_roots",
        "_secrets",
        "folder",
        "permissions",
    )

    def __init__(
        self,
        permissions: Permissions,
        folder: Path,
        *,
        secrets: SecretSource | None = None,
        on_denied: Callable[[Denial], None] | None = None,
    ) -> None:
        self.permissions = permissions
        self.folder = folder
        self._secrets = secrets
        self._on_denied = on_denied
        self._hider = Hider()
        self._public = tuple(parse_host_rule(item) for item in permissions.hosts)
        self._private = tuple(parse_host_rule(item) for item in permissions.private_hosts)
        self._roots = {
            "read": tuple(resolve_path(item, folder) for item in permissions.read),
            "write": tuple(resolve_path(item, folder) for item in permissions.write),
        }

    def allows(self, need: Need) -> bool:
        """Return whether something is permitted, without a word to anybody.

        Args:
            need: What is asked for; a host as in the manifest.

        Raises:
            ConfigurationError: The target is no path, or no host.
        """
        if need.kind in ("read", "write"):
            return self._find_root(need.kind, need.target) is not None
        if need.kind in ("hosts", "private_hosts"):
            wanted = parse_host_rule(need.target)
            rules = self._public if need.kind == "hosts" else self._private
            if wanted.is_pattern:
                return wanted in rules or (wanted.scheme, wanted.port) in {
                    (rule.scheme, rule.port) for rule in rules if rule.host == "*"
                }
            return any(rule.matches(wanted.scheme, wanted.host, wanted.port) for rule in rules)
        named: tuple[str, ...] = getattr(self.permissions, need.kind)
        if need.kind == "tools" and "/" in need.target:
            return need.target in named or f"{need.target.partition('/')[0]}/*" in named
        return need.target in named

    def check(self, need: Need) -> None:
        """Make sure that something is permitted.

        Args:
            need: What is asked for.

        Raises:
            PermissionDeniedError: It is not.
        """
        try:
            if self.allows(need):
                return
        except ConfigurationError as error:
            raise self.deny(need.kind, need.target, error.message) from None
        raise self.deny(need.kind, need.target)

    def check_address(self, scheme: str, host: str, port: int) -> bool:
        """Make sure that an address of the web may be called, by its name.

        Args:
            scheme: ``http`` or ``https``.
            host: The host as in a URL.
            port: The port.

        Returns:
            Whether it may be called at a private address too. Without that, the caller has to make sure that the address it
            connects to is a public one.

        Raises:
            PermissionDeniedError: It may not be called.
        """
        # As in a URL, where it may be written in capitals, and as an entry is read.
        scheme = scheme.lower()
        if any(rule.matches(scheme, host, port) for rule in self._private):
            return True
        if any(rule.matches(scheme, host, port) for rule in self._public):
            return False
        shown = f"[{host}]" if ":" in host and not host.startswith("[") else host
        usual = {"http": 80, "https": 443}.get(scheme)
        target = f"{'' if scheme == 'https' else f'{scheme}://'}{shown}{'' if port == usual else f':{port}'}"
        raise self.deny("hosts", target)

    def get_path(self, kind: PermissionKind, path: str) -> GrantedPath:
        """Return a place in the file system that may be read or written.

        Args:
            kind: ``read`` or ``write``.
            path: The path, relative to the blueprint's folder unless it is absolute.

        Returns:
            The place. It must be opened by walking its names without following links.

        Raises:
            PermissionDeniedError: It lies outside of what is granted.
        """
        try:
            found = self._find_root(kind, path)
        except ConfigurationError as error:
            raise self.deny(kind, path, error.message) from None
        if found is None:
            raise self.deny(kind, path)
        return found

    def get_secret(self, name: str) -> str:
        """Return a secret that is granted. From then on `scrub` takes it out of texts.

        Args:
            name: Name of the secret.

        Raises:
            PermissionDeniedError: It is not granted.
            ConfigurationError: It is granted, but there is none of that name.
        """
        self.check(Need("secrets", name))
        value = None if self._secrets is None else self._secrets.get(name)
        if not value:
            raise ConfigurationError(
                f"the secret {name!r} is not set: set the environment variable {name}, or take it out of the blueprint",
                details={"secret": name},
            )
        self._hider.add(value)
        return value

    def scrub(self, text: str) -> str:
        """Return a text with ``[secret]`` in place of every secret that was handed out.

        A secret is also found as JSON, URLs, HTML, base64 and hexadecimal digits write it.

        Args:
            text: Any text, such as the result of a tool.
        """
        return self._hider.hide(text)

    def deny(
        self, kind: PermissionKind, target: str, reason: str | None = None
    ) -> PermissionDeniedError:
        """Report a refusal, and return the error to raise.

        Args:
            kind: What it is about.
            target: What was asked for.
            reason: Why it is refused; that the manifest does not name it, if None.
        """
        target = self.scrub(target)
        if reason is None:
            reason = f"permissions.{_KEY.get(kind, kind)} of the blueprint does not name it"
        denial = Denial(kind, target, self.scrub(reason))
        if self._on_denied is not None:
            self._on_denied(denial)
        return PermissionDeniedError(
            f"not permitted ({_KEY.get(kind, kind)}): {target!r}: {denial.reason}",
            permission=kind,
            target=target,
        )

    def _find_root(self, kind: PermissionKind, path: str) -> GrantedPath | None:
        wanted = resolve_path(path, self.folder)
        for root in self._roots[kind]:
            if root.contains(wanted):
                # From the anchor of the grant, not of the wish: no name on the way may be a link.
                below = wanted.path.relative_to(root.anchor).parts
                return GrantedPath(root.anchor, below)
        return None
