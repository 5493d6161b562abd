"""Making the parts of a blueprint: models, tools, agents."""

__all__: list[str] = []
