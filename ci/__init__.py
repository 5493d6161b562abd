"""Decisions that continuous integration makes."""
