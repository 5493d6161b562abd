"""The commands, one module each, with a function ``create_app`` that returns its Typer application."""

__all__: list[str] = []
