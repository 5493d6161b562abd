"""The command line of Agent Factory: `agent-factory`."""

__all__: list[str] = []
