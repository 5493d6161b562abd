"""Whether this system can confine programs."""

from __future__ import annotations

import platform
import sys

from agent_factory.core.exceptions import ConfigurationError

__all__ = ["check_confinement"]


def check_confinement(*, confined: bool, network: bool) -> None:
    """Make sure that this system can keep programs to what is wanted.

    Args:
        confined: Whether they are confined to some files.
        network: Whether they can use the network.

    Raises:
        ConfigurationError: It cannot; or it can run no program in a restricted process at all.
    """
    if sys.platform == "win32" or not sys.executable:
        raise ConfigurationError(
            "tool 'run_command' needs a Unix and a Python that can be started: use Linux, macOS or WSL"
        )
    # Only here, since it needs modules that not every system has.
    from agent_factory.integrations.tools.launch import PROCESSORS, get_landlock_version

    missing = []
    if confined and get_landlock_version() < 1:
        missing.append("keep programs from files (Landlock, Linux 5.13 or later)")
    if not network and (sys.platform != "linux" or platform.machine() not in PROCESSORS):
        missing.append("keep programs from the network (seccomp, on Linux)")
    if missing:
        raise ConfigurationError(
            f"tool 'run_command': this system cannot {' and cannot '.join(missing)}: use one that can, or set "
            "'unconfined: true', which needs the permissions for the host '*' and to read and write '/'"
        )
