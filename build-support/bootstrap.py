"""Installs Pants for the ``./pants`` script: everything that happens only once on a machine.

Runs on a bare CPython 3.9, before anything of the project is installed, so the standard library is
all that it may import. The result is one folder, made beside its final place and renamed at the end:
an interrupted run leaves nothing that a later one would take for complete.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

__all__ = ["SetUpError", "install", "main"]

# Pants fetches its Pex CLI from GitHub. The same release built from PyPI's wheel is the same bytes
# every time, so its digest can be stated here and Pants can verify what it is handed.
_PEX_VERSION = "2.1.137"
_PEX_SHA256 = "02252fec0a0fc8475f4ebc09edd65d81ae502b609549e059d45c4bc48cae944f"
_PLATFORMS = ("linux_x86_64", "linux_arm64", "macos_x86_64", "macos_arm64")

# What a machine needs to reach its index. The rest of pip's environment (constraints, find-links,
# targets) would change what is installed, and pip reads none of it here.
_KEPT_PIP_VARIABLES = frozenset(
    {
        "PIP_CACHE_DIR",
        "PIP_CERT",
        "PIP_CLIENT_CERT",
        "PIP_DEFAULT_TIMEOUT",
        "PIP_INDEX_URL",
        "PIP_PROXY",
        "PIP_RETRIES",
        "PIP_TRUSTED_HOST",
    }
)


class SetUpError(Exception):
    """Pants could not be installed; the message says why and what to do next."""


def main(argv: Sequence[str]) -> int:
    """Install Pants where it is not installed yet.

    Args:
        argv: The Pants version, the path of the lock to install from, and the folder to make.

    Returns:
        The exit code: 0 when the folder is there, 1 when it could not be made.
    """
    version, lock, home = argv
    try:
        install(version, Path(lock), Path(home))
    except SetUpError as error:
        print(f"./pants: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("./pants: interrupted; call it again to start over.", file=sys.stderr)
        return 130
    return 0


def install(version: str, lock: Path, home: Path) -> None:
    """Make the folder that ``./pants`` runs Pants from, unless another process made it meanwhile.

    Args:
        version: The Pants version that ``pants.toml`` names.
        lock: The hashed requirements of Pants and of Pex.
        home: The folder to make. Its parents are made too.

    Raises:
        SetUpError: The lock is for another version, or a step failed.
    """
    if not re.search(rf"^pantsbuild-pants=={re.escape(version)}\s", lock.read_text(), re.MULTILINE):
        raise SetUpError(
            f"pants.toml names Pants {version}, and {lock} locks another version.\n"
            "To change the version: put the new one in 3rdparty/bootstrap.in, run 'make lock' with "
            "the old one still in pants.toml, then change pants.toml."
        )
    try:
        home.parent.mkdir(parents=True, exist_ok=True)
        with _locked(home.with_name(home.name + ".lock")):
            if _complete(home):
                return
            for leftover in home.parent.glob(f".{home.name}-*"):
                shutil.rmtree(leftover, ignore_errors=True)
            staging = Path(tempfile.mkdtemp(prefix=f".{home.name}-", dir=home.parent))
            try:
                _build(version, lock, staging, home)
                if home.exists():
                    shutil.rmtree(home)
                staging.rename(home)
            finally:
                shutil.rmtree(staging, ignore_errors=True)
    except OSError as error:
        raise SetUpError(
            f"cannot write {home}: {error}.\nName a writable folder in XDG_CACHE_HOME."
        ) from error


def _complete(home: Path) -> bool:
    return (home / "pants.bootstrap.toml").is_file() and os.access(home / "bin/python", os.X_OK)


def _build(version: str, lock: Path, staging: Path, home: Path) -> None:
    started = time.monotonic()
    _say(f"Installing Pants {version} (once for this machine, into {home}).")
    _say(f"1/3 Making a virtual environment with {sys.executable}")
    venv.create(staging, with_pip=True, symlinks=True)
    python = str(staging / "bin/python")
    environment = _pip_environment(os.environ)

    _say("2/3 Installing Pants from PyPI (about 40 MB)")
    pip = [python, "-m", "pip", "--disable-pip-version-check", "--no-input"]
    requirements = [
        "--quiet",
        "--require-hashes",
        "--no-deps",
        "--only-binary=:all:",
        "-r",
        str(lock),
    ]
    _run([*pip, "install", *requirements], environment)
    index = subprocess.run(
        [python, "-m", "pip", "config", "get", "global.index-url"],
        env={k: v for k, v in os.environ.items() if k != "PIP_CONFIG_FILE"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=False,
    ).stdout.strip()

    _say(f"3/3 Building the Pex command line {_PEX_VERSION}, which Pants installs packages with")
    wheels = staging / "wheels"
    _run([*pip, "download", "--dest", str(wheels), *requirements], environment)
    pex = staging / "pex"
    pex_arguments = ["--no-pypi", "--find-links", str(wheels), "--console-script", "pex"]
    _run(
        [python, "-m", "pex", f"pex=={_PEX_VERSION}", *pex_arguments, "--output-file", str(pex)],
        {**environment, "PEX_ROOT": str(staging / "pex_root")},
    )
    shutil.rmtree(staging / "pex_root")
    shutil.rmtree(wheels)
    content = pex.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != _PEX_SHA256:
        raise SetUpError(
            f"the Pex command line has the digest {digest}, expected {_PEX_SHA256}.\n"
            f"Do not use it; report this together with the output of '{sys.executable} -VV'."
        )
    config = _config(home / "pex", digest, len(content), index)
    (staging / "pants.bootstrap.toml").write_text(config)
    (staging / "pants.bootstrap.toml").chmod(0o600)
    _say(f"Pants {version} is installed ({time.monotonic() - started:.0f} s). Starting it.")


def _config(pex: Path, digest: str, size: int, index: str) -> str:
    """The settings that only a machine without the launcher needs, in Pants' own format."""
    known = [f"v{_PEX_VERSION}|{platform}|{digest}|{size}" for platform in _PLATFORMS]
    lines = [
        "# Written by ./pants for this machine.",
        "[pex-cli]",
        f"version = {json.dumps('v' + _PEX_VERSION)}",
        f"url_template = {json.dumps(pex.as_uri())}",
        f"known_versions = {json.dumps(known)}",
        "",
        "[subprocess-environment]",
        # A machine-wide constraint in pip's configuration makes Pex fail for every artefact.
        'env_vars.add = ["PIP_CONFIG_FILE=/dev/null"]',
    ]
    if index:
        lines += ["", "[python-repos]", f"indexes = {json.dumps([index])}"]
    return "\n".join(lines) + "\n"


def _pip_environment(environment: Mapping[str, str]) -> dict[str, str]:
    kept = {
        name: value
        for name, value in environment.items()
        if name in _KEPT_PIP_VARIABLES or not name.startswith(("PIP_", "PEX_", "PYTHON"))
    }
    if "PIP_CONFIG_FILE" not in kept:
        kept["PIP_CONFIG_FILE"] = os.devnull
    bundle = next(
        (kept[name] for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE") if kept.get(name)), None
    )
    if bundle and "PIP_CERT" not in kept:
        kept["PIP_CERT"] = bundle
    return kept


def _run(command: Sequence[str], environment: Mapping[str, str]) -> None:
    done = subprocess.run(
        command,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        tail = "\n".join(done.stdout.splitlines()[-15:])
        raise SetUpError(
            f"this step failed (exit code {done.returncode}): {' '.join(command)}\n{tail}\n"
            "Check that PyPI can be reached (PIP_INDEX_URL, PIP_CERT and PIP_PROXY are honoured), "
            "then call ./pants again; nothing was left behind."
        )


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("Another ./pants is installing Pants; waiting for it.")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _say(message: str) -> None:
    print(f"./pants: {message}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
