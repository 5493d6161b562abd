"""Becomes another program, after giving up what that program must not have.

A script of its own, run by ``python -I -S`` in a new process: between fork and exec of a process with threads, next to
nothing may be done. It imports nothing but the standard library. The first argument is the plan as JSON, the second the path
of the program, and the rest its arguments from its name on. What goes wrong is written to the file descriptor ``report``,
which the program does not get.

On Linux, the program is confined with Landlock (files) and seccomp (network).
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import resource
import signal
import stat
import struct
import sys
from typing import Any

__all__ = ["PROCESSORS", "get_landlock_version", "main"]

SYSTEM_FOLDERS = (
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/nix/store",
    "/opt/homebrew",
)
SYSTEM_FILES = (
    *("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/ld.so.preload"),
    *("/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/etc/localtime", "/etc/timezone"),
    *("/etc/locale.alias", "/etc/locale.conf", "/etc/alternatives", "/etc/terminfo", "/etc/magic"),
    *("/etc/mime.types", "/etc/fonts", "/etc/ssl/certs", "/etc/ssl/openssl.cnf", "/etc/pki"),
    *("/etc/ca-certificates", "/etc/gitconfig", "/etc/hosts", "/etc/resolv.conf"),
    *("/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/sys/devices/system/cpu"),
    *("/dev/random", "/dev/urandom"),
)
DEVICES = ("/dev/null", "/dev/zero", "/dev/full")

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
TRUNCATE, IOCTL_DEV = 1 << 14, 1 << 15
READ = READ_FILE | READ_DIR
# Landlock's numbers of system calls are the same on every processor.
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
SET_NO_NEW_PRIVS, SET_SECCOMP = 38, 22
# Of each processor: how seccomp names it, and the number of the system call `socket`.
PROCESSORS = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}
IO_URING_SETUP = 425


def main() -> None:
    """Carry out the plan; returns only if that fails, and then ends the process with 126."""
    plan: dict[str, Any] = json.loads(sys.argv[1])
    report: int = plan["report"]
    os.set_inheritable(report, False)
    try:
        for name, value in plan["limits"].items():
            _limit(getattr(resource, name, None), value)
        os.fchdir(plan["cwd"])
        if sys.platform == "linux":
            _forbid_new_privileges()
        if plan["confined"]:
            _confine_files(plan, sys.argv[2])
        if not plan["network"]:
            _cut_network()
        for descriptor in {plan["cwd"], *plan["read"], *plan["write"]}:
            os.close(descriptor)
        for number in (signal.SIGPIPE, signal.SIGXFSZ):
            # Python ignores them, which the program would inherit.
            signal.signal(number, signal.SIG_DFL)
        environment = {key: os.environ[key] for key in plan["environment"]}
        os.execve(sys.argv[2], sys.argv[3:], environment)  # noqa: S606 - this is what it is for
    except (OSError, ValueError) as error:
        os.write(report, f"{error}".encode()[:4000])
    os._exit(126)


def _limit(kind: int | None, value: int) -> None:
    # macOS knows the bound on the address space, and refuses it.
    if kind is None or (sys.platform == "darwin" and kind == resource.RLIMIT_AS):
        return
    hard = resource.getrlimit(kind)[1]
    bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (bound, bound))


def _get_libc() -> Any:
    return ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, value: int, pointer: bytes | None) -> int:
    zero = ctypes.c_ulong(0)
    return int(_get_libc().prctl(option, ctypes.c_ulong(value), pointer, zero, zero))


def _check(result: int, what: str) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")
    return result


def _forbid_new_privileges() -> None:
    """Make sure that no program with a setuid bit gives more rights than this process has."""
    _check(_prctl(SET_NO_NEW_PRIVS, 1, None), "no_new_privs")


def get_landlock_version() -> int:
    """Return the version of Landlock that the system has; 0 for none."""
    if sys.platform != "linux":
        return 0
    return max(int(_get_libc().syscall(CREATE_RULESET, None, ctypes.c_size_t(0), 1)), 0)


def _confine_files(plan: dict[str, Any], program: str) -> None:
    version = get_landlock_version()
    if version < 1:
        raise OSError("this system has no Landlock")
    known = {1: 13, 2: 14, 3: 15, 4: 15}.get(version, 16)
    handled = (1 << known) - 1
    scoped = 3 if version >= 6 else 0  # signals and abstract sockets of others
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    attributes = struct.pack("QQQ", handled, 0, scoped)[:size]
    libc = _get_libc()
    ruleset = _check(libc.syscall(CREATE_RULESET, attributes, ctypes.c_size_t(size), 0), "Landlock")

    def allow(descriptor: int, rights: int) -> None:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            rights &= EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
        rule = struct.pack("=Qi", rights & handled, descriptor)
        _check(libc.syscall(ADD_RULE, ruleset, 1, rule, 0), "Landlock")

    def allow_path(path: str, rights: int) -> None:
        try:
            descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            return
        allow(descriptor, rights)
        os.close(descriptor)

    for path in (*SYSTEM_FOLDERS, program):
        allow_path(path, READ | EXECUTE)
    for path in SYSTEM_FILES:
        allow_path(path, READ)
    for path in DEVICES:
        allow_path(path, READ | WRITE_FILE | TRUNCATE)
    allow_path(plan["home"], handled & ~EXECUTE)
    for descriptor in plan["read"]:
        allow(descriptor, READ)
    for descriptor in plan["write"]:
        allow(descriptor, handled & ~(EXECUTE | READ))
    _check(libc.syscall(RESTRICT_SELF, ruleset, 0), "Landlock")
    os.close(ruleset)


def _cut_network() -> None:
    """Let no socket be made any more, of any kind."""
    machine = platform.machine()
    if sys.platform != "linux" or machine not in PROCESSORS:
        raise OSError(f"the network cannot be cut off on {sys.platform}, {machine}")
    architecture, make_socket = PROCESSORS[machine]
    allow, kill, deny, missing = 0x7FFF0000, 0x80000000, 0x0005000D, 0x00050026
    load, equal, at_least, answer = 0x20, 0x15, 0x35, 0x06
    # Each is a code, where to go on if true, where if false, and a value.
    filters = [
        (load, 0, 0, 4),  # the processor, since other ones number their calls otherwise
        (equal, 1, 0, architecture),
        (answer, 0, 0, kill),
        (load, 0, 0, 0),  # the number of the call
        (at_least, 3, 0, 0x40000000),  # x32, which is another numbering too
        (equal, 3, 0, make_socket),
        (equal, 1, 0, IO_URING_SETUP),  # it can make sockets as well
        (answer, 0, 0, allow),
        (answer, 0, 0, missing),
        (answer, 0, 0, deny),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *item) for item in filters))
    program = struct.pack("HxxxxxxP", len(filters), ctypes.addressof(code))
    _check(_prctl(SET_SECCOMP, 2, program), "seccomp")


if __name__ == "__main__":
    main()
