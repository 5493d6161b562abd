"""An agent that calls a tool: the model is told what was wrong with its first call, and corrects itself."""

from __future__ import annotations

from agent_factory.core import Agent, Model, Tool, ToolError, ToolMessage, tool
from agent_factory.core.testing import ScriptedModel, create_tool_call

__all__ = ["create_clerk", "create_stock_tool", "main"]

STOCK = {"A-17": 12, "B-4": 0}


def create_stock_tool(stock: dict[str, int]) -> Tool[object]:
    """Return a tool that looks up how many pieces of an article are there.

    Args:
        stock: Pieces by article number.
    """

    @tool(effect="read")
    def get_stock(article: str) -> int:
        """Look up how many pieces of an article are in stock.

        Args:
            article: Article number, such as A-17.
        """
        if article not in stock:
            raise ToolError(f"there is no article {article!r}; known are {', '.join(stock)}")
        return stock[article]

    return get_stock


def create_clerk(model: Model) -> Agent[object, str]:
    """Return an agent that answers questions about the stock.

    Args:
        model: The model that answers.
    """
    return Agent(
        name="clerk",
        model=model,
        instructions="You answer questions about our stock. Look every article up.",
        tools=[create_stock_tool(STOCK)],
    )


def main() -> None:
    """Ask a question and print the answer with the tool results behind it."""
    model = ScriptedModel(
        [
            create_tool_call("get_stock", {"article": "17"}),
            create_tool_call("get_stock", {"article": "A-17"}),
            "There are 12 pieces of A-17.",
        ]
    )
    result = create_clerk(model).run_sync("How many of article 17 do we have?", deps=None)
    for message in result.messages:
        if isinstance(message, ToolMessage):
            print(f"{message.name}: {message.content}")
    print(result.output)


if __name__ == "__main__":
    main()
