"""Gives every distribution its version and the metadata that all of them share."""
