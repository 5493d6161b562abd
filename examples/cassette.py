"""A cassette: what a model and a tool answered once is answered again, without them, and a miss is loud."""

from __future__ import annotations

import tempfile
from pathlib import Path

from agent_factory.core import Agent, Model, tool
from agent_factory.core.testing import (
    Cassette,
    CassetteMissError,
    ScriptedModel,
    create_tool_call,
)

__all__ = ["ask", "get_weather", "main"]


@tool(effect="read")
def get_weather(city: str) -> str:
    """Look up the weather of a city."""
    print(f"(looking up {city})")
    return "sunny, 19 degrees"


def ask(cassette: Cassette, model: Model | None, prompt: str) -> str:
    """Ask an agent whose model and tool are on the cassette.

    Args:
        cassette: The cassette.
        model: The real model; None for a replay.
        prompt: What is asked.
    """
    agent = Agent(
        name="reporter",
        model=cassette.wrap_model(model),
        tools=[cassette.wrap_tool(get_weather)],
    )
    return agent.run_sync(prompt).output


def main() -> None:
    """Record one question, ask it again, and ask another one. In pytest, the fixture `cassette` does this."""
    # Stands for a real model, which would need a key while it is recorded.
    model = ScriptedModel([create_tool_call("get_weather", {"city": "Bern"}), "Sunny."])
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "weather.json"
        with Cassette(file, "record") as cassette:
            print("recorded:", ask(cassette, model, "How is the weather in Bern?"))
        with Cassette(file, "replay") as cassette:
            print("replayed:", ask(cassette, None, "How is the weather in Bern?"))
        try:
            ask(Cassette(file, "replay"), None, "How is the weather in Rome?")
        except CassetteMissError as error:
            print("missed:")
            print(error.difference)


if __name__ == "__main__":
    main()
