"""Prices: what model calls cost, and the most that one can cost."""

from agent_factory.core.prices.bounds import count_input_bound
from agent_factory.core.prices.shipped import PRICES
from agent_factory.core.prices.table import Price, PriceTable, get_price

__all__ = ["PRICES", "Price", "PriceTable", "count_input_bound", "get_price"]
