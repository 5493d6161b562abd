"""Budgets: what several runs together may use, reserved before it is used and settled afterwards."""

from agent_factory.core.budgets.asking import get_least_left
from agent_factory.core.budgets.combined import CombinedReservation, reserve_all
from agent_factory.core.budgets.memory import InMemoryBudget, create_run_budget
from agent_factory.core.budgets.ports import Budget, Reservation

__all__ = [
    "Budget",
    "CombinedReservation",
    "InMemoryBudget",
    "Reservation",
    "create_run_budget",
    "get_least_left",
    "reserve_all",
]
