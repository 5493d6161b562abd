"""What models cost, by name."""

from __future__ import annotations

import re
from dataclasses import KW_ONLY, dataclass
from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING

from agent_factory.core.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent_factory.core.models import Model
    from agent_factory.core.usage import Usage

__all__ = ["Price", "PriceTable", "get_price"]

_MILLION = 1_000_000
_SNAPSHOT = re.compile(r"(?P<family>.+)-(?P<date>\d{4}-\d{2}-\d{2})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Price:
    """What a model costs. Whole numbers: millionths of the currency's unit for a million tokens.

    A price of 1.25 dollars for a million tokens is ``1_250_000``.

    Attributes:
        input: For tokens read; at least 0.
        output: For tokens written, thoughts included; at least 0.
        cached_input: For tokens read that the provider had read before; from 0 to ``input``, and ``input`` again
            where there is no discount.
        per_request: Millionths of the currency's unit for each model call, besides the tokens; at least 0.

    Raises:
        ConfigurationError: A value is not a whole number in its range.
    """

    input: int
    output: int
    cached_input: int
    per_request: int = 0

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in ("input", "output", "cached_input", "per_request"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise ConfigurationError(
                    f"Price.{name} must be a whole number of at least 0, in millionths of the currency's unit, "
                    f"not {value!r}"
                )
        if self.cached_input > self.input:
            raise ConfigurationError(
                f"Price.cached_input must be at most Price.input = {self.input}, not {self.cached_input}: without a "
                "discount they are the same"
            )

    def compute(self, usage: Usage) -> int:
        """Return what a call costs, in millionths of the currency's unit, rounded up.

        Args:
            usage: What the call used; its cached tokens are a part of its input tokens. Its own cost is ignored.
        """
        cached = min(usage.cached_input_tokens, usage.input_tokens)
        tokens = (
            (usage.input_tokens - cached) * self.input
            + cached * self.cached_input
            + usage.output_tokens * self.output
        )
        return -(-tokens // _MILLION) + usage.requests * self.per_request


@dataclass(frozen=True, slots=True)
class PriceTable:
    """What models cost on a day. Immutable.

    ```python
    table = PRICES.override({"openai:qwen3": Price(0, 0, 0)}, as_of=date(2026, 11, 1))
    ```

    Attributes:
        prices: Prices by the name of the model, such as ``openai:gpt-5-mini``. A name that ends with ``*`` stands for
            every name that begins so, such as ``local:*``.
        currency: The unit that the prices are in, such as ``USD``; not empty.
        as_of: The day on which the prices were looked up.

    Raises:
        ConfigurationError: A name is empty or has a ``*`` elsewhere than at its end, something is not a `Price`,
            or there is no currency.
    """

    prices: Mapping[str, Price]
    _: KW_ONLY
    currency: str = "USD"
    as_of: date

    def __post_init__(self) -> None:
        """Check the names, and keep a copy."""
        for name, price in self.prices.items():
            if not name.strip() or "*" in name[:-1]:
                raise ConfigurationError(
                    f"a price is for the name of a model, or for the beginning of one and a final '*', not for {name!r}"
                )
            if not isinstance(price, Price):
                raise ConfigurationError(f"the price of {name!r} must be a Price, not {price!r}")
        if not self.currency.strip():
            raise ConfigurationError("a price table needs a currency, such as 'USD'")
        object.__setattr__(self, "prices", MappingProxyType(dict(self.prices)))

    def get(self, name: str) -> Price | None:
        """Return what a model costs, or None where that is not known.

        A price for the very name goes first. A name that ends with a day, such as ``openai:gpt-5-mini-2025-08-07``,
        is a snapshot and costs what its family costs. No other ending is taken off: ``gpt-5-pro`` is another model
        than ``gpt-5``. Then comes the longest beginning that fits.

        Args:
            name: `Model.name` of the model.
        """
        price = self.prices.get(name)
        if price is None and (family := _find_family(name)):
            price = self.prices.get(family)
        if price is None:
            beginnings = [
                key for key in self.prices if key[-1] == "*" and name.startswith(key[:-1])
            ]
            price = self.prices[max(beginnings, key=len)] if beginnings else None
        return price

    def override(self, prices: Mapping[str, Price], *, as_of: date | None = None) -> PriceTable:
        """Return a table in which some prices are others, or more prices are known.

        Args:
            prices: Prices by the name of the model, as for the table itself.
            as_of: The day on which they were looked up; the day of this table if None.

        Raises:
            ConfigurationError: A name is not one, or something is not a `Price`.
        """
        return PriceTable(
            {**self.prices, **prices}, currency=self.currency, as_of=as_of or self.as_of
        )


def get_price(model: Model, table: PriceTable) -> Price | None:
    """Return the most that a call of a model can cost.

    A model that may ask several others, as `FallbackModel`, has them in an attribute ``models``; each part of the
    price is then the highest of theirs.

    Args:
        model: The model that is going to be called.
        table: What models cost.

    Returns:
        The price, or None where that of one of them is not known.
    """
    models = getattr(model, "models", None)
    # A client of somebody else may have an attribute of that name and mean something else by it.
    if not isinstance(models, tuple) or not models:
        return table.get(model.name)
    prices = [get_price(item, table) for item in models]
    known = [price for price in prices if price is not None]
    if len(known) < len(prices):
        return None
    return Price(
        input=max(price.input for price in known),
        output=max(price.output for price in known),
        cached_input=max(price.cached_input for price in known),
        per_request=max(price.per_request for price in known),
    )


def _find_family(name: str) -> str | None:
    """Return the name without the day at its end, if there is one."""
    match = _SNAPSHOT.fullmatch(name)
    if match is None:
        return None
    try:
        date.fromisoformat(match["date"])
    except ValueError:
        return None
    return match["family"]
