"""Applies the project's rules for tests to the tests of the Pants plugins."""

from __future__ import annotations

__all__ = ["pytest_plugins"]

pytest_plugins = ("tests.pytest_policy",)
