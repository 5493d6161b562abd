"""Lints the workflows: actionlint, zizmor, and rules of our own."""
