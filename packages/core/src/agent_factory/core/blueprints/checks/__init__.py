"""The checks of a blueprint as a whole, by section. They import nothing that is named, and run nothing."""

__all__: list[str] = []
