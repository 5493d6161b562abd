"""Lints and fixes Python with the current ruff; Pants 2.17's own backend stops at ruff 0.4."""
