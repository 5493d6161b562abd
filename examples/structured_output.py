"""An answer as a validated object: what does not fit goes back to the model with the reason."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, Field

from agent_factory.core import Agent, Model
from agent_factory.core.testing import ScriptedModel

__all__ = ["Invoice", "create_reader", "main"]


class Invoice(BaseModel):
    """What an invoice says.

    Attributes:
        number: Its number.
        due: The day until which it has to be paid.
        total_cents: The amount in cents, at least 0.
    """

    number: str
    due: date
    total_cents: int = Field(ge=0)


def create_reader(model: Model) -> Agent[None, Invoice]:
    """Return an agent that reads invoices.

    Args:
        model: The model that reads.
    """
    return Agent(
        name="invoice-reader",
        model=model,
        instructions="Read the invoice.",
        output_type=Invoice,
    )


def main() -> None:
    """Read an invoice with a model that needs a second attempt."""
    model = ScriptedModel(
        [
            '{"number": "A-17", "due": "in two weeks", "total_cents": 4200}',
            '{"number": "A-17", "due": "2026-12-06", "total_cents": 4200}',
        ]
    )
    result = create_reader(model).run_sync("Invoice A-17, 42.00 EUR, due on 6 December 2026")
    invoice = result.output
    print(f"{invoice.number}: {invoice.total_cents / 100:.2f} EUR until {invoice.due.isoformat()}")
    print(f"{result.usage.requests} model calls")


if __name__ == "__main__":
    main()
