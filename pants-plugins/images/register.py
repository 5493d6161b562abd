"""Entry point of the plugin `images`."""

from __future__ import annotations

from images.version import rules

__all__ = ["rules"]
