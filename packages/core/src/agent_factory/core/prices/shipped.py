"""The prices that come with this version."""

from __future__ import annotations

from datetime import date

from agent_factory.core.prices.table import Price, PriceTable

__all__ = ["PRICES"]

_FREE = Price(0, 0, 0)

PRICES = PriceTable(
    {
        # Input, output, cached input.
        "openai:gpt-4o": Price(2_500_000, 10_000_000, 1_250_000),
        "openai:gpt-4o-2024-05-13": Price(5_000_000, 15_000_000, 5_000_000),
        "openai:gpt-4o-mini": Price(150_000, 600_000, 75_000),
        "openai:gpt-4.1": Price(2_000_000, 8_000_000, 500_000),
        "openai:gpt-4.1-mini": Price(400_000, 1_600_000, 100_000),
        "openai:gpt-4.1-nano": Price(100_000, 400_000, 25_000),
        "openai:gpt-5": Price(1_250_000, 10_000_000, 125_000),
        "openai:gpt-5-mini": Price(250_000, 2_000_000, 25_000),
        "openai:gpt-5-nano": Price(50_000, 400_000, 5_000),
        "openai:gpt-5-pro": Price(15_000_000, 120_000_000, 15_000_000),
        "openai:gpt-5.1": Price(1_250_000, 10_000_000, 125_000),
        "openai:gpt-5.2": Price(1_750_000, 14_000_000, 175_000),
        "openai:gpt-5.4-mini": Price(750_000, 4_500_000, 75_000),
        "openai:gpt-5.4-nano": Price(200_000, 1_250_000, 20_000),
        "openai:o3": Price(2_000_000, 8_000_000, 500_000),
        "openai:o3-mini": Price(1_100_000, 4_400_000, 550_000),
        "openai:o4-mini": Price(1_100_000, 4_400_000, 275_000),
        # They run in this process.
        "extractive": _FREE,
        "function": _FREE,
        "local:*": _FREE,
        "scripted": _FREE,
    },
    currency="USD",
    as_of=date(2026, 7, 24),
)
"""What models cost in US dollars, as known on the day that ``PRICES.as_of`` says.

Prices change: compare them with https://developers.openai.com/api/docs/pricing before you rely on them, and
replace what is no longer right.

```python
prices = PRICES.override({"openai:gpt-5-mini": Price(250_000, 2_000_000, 25_000)}, as_of=date(2026, 11, 24))
await agent.run(prompt, options=RunOptions(prices=prices))
```

They are those of the standard tier, without surcharges for a region or a priority. A model that costs more for a long
conversation, as gpt-5.4 does, has no price here: one price would be too low. A server of your own that speaks
OpenAI's protocol has models whose names begin with ``openai:`` too: say with `override` what they cost, which is
``Price(0, 0, 0)`` where they cost nothing.
"""
