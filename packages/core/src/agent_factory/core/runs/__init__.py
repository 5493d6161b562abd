"""Runs: the loop behind `Agent`, and its parts. Programs use `Agent`; nothing here is meant for them."""

__all__: list[str] = []
