"""Applies the project's rules for tests, and offers its fixtures, to every test below this folder.

The fixtures use the packages. Tests of other things (the toolchain, the release) do not depend on
them in their BUILD file, so that a change of a package does not run those tests again; where the
fixtures are then not at hand, they are left out.
"""

from __future__ import annotations

from importlib.util import find_spec

__all__ = ["pytest_plugins"]

pytest_plugins = ["tests.pytest_policy"]
if find_spec("tests.fixtures"):
    pytest_plugins.append("tests.fixtures")
