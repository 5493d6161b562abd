"""A Pants plugin: a container image's version comes from a `VERSION` file."""
