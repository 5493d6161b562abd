"""Makes the locks below ``3rdparty``: ``make lock``, or ``make lock LOCKS="default tools/ruff"``.

The locks are in the format of pip's requirement files, with hashes: unlike the native formats they
name no download address, so they hold on every mirror.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from uv import find_uv_bin

from lockfiles.inputs import read_inputs, render_lock

__all__ = ["main"]


def main(argv: Sequence[str]) -> int:
    """Make some locks, or all of them.

    Args:
        argv: Options for uv (``--upgrade``, ``--upgrade-package=NAME``) and the names of the locks:
            paths below ``3rdparty`` without a suffix. No name means all of them.

    Returns:
        The exit code: 0 when every lock was made.
    """
    root = Path(os.environ.get("PANTS_BUILDROOT_OVERRIDE", ".")) / "3rdparty"
    known = {
        source.relative_to(root).with_suffix("").as_posix(): source
        for source in sorted(root.rglob("*.in"))
    }
    options = [argument for argument in argv if argument.startswith("-")]
    names = [argument for argument in argv if not argument.startswith("-")]
    unknown = sorted(set(names) - set(known))
    if unknown:
        print(f"no such lock: {', '.join(unknown)}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    for name in _in_order(known, names or known):
        source = known[name]
        print(f"3rdparty/{name}.lock ...", file=sys.stderr, flush=True)
        error = _lock(root, source, options)
        if error:
            print(f"3rdparty/{name}.in: {error}", file=sys.stderr)
            return 1
    return 0


def _in_order(known: dict[str, Path], names: Iterable[str]) -> list[str]:
    """The locks by name, each after those that it is constrained by."""
    ordered: list[str] = []

    def visit(name: str) -> None:
        for constraint in read_inputs(known[name].read_text()).constraints:
            before = constraint[: -len(".lock")]
            if before in wanted:
                visit(before)
        if name not in ordered:
            ordered.append(name)

    wanted = set(names)
    for name in sorted(wanted):
        visit(name)
    return ordered


def _lock(root: Path, source: Path, options: Sequence[str]) -> str | None:
    text = source.read_text()
    inputs = read_inputs(text)
    target = source.with_suffix(".lock")
    constraints = [f"--constraints={root / name}" for name in inputs.constraints]
    with tempfile.TemporaryDirectory() as folder:
        resolved = Path(folder) / "resolved.txt"
        if target.exists():
            resolved.write_text(target.read_text())  # uv keeps the versions that still fit
        command = [
            *(find_uv_bin(), "pip", "compile", "--no-config", "--quiet"),
            *("--universal", f"--python-version={inputs.python}", "--generate-hashes"),
            *("--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"),
            *constraints,
            *options,
            str(source),
            f"--output-file={resolved}",
        ]
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            return done.stderr
        locks = {name: (root / name).read_text() for name in inputs.constraints}
        target.write_text(render_lock(source.name, text, locks, resolved.read_text()))
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
