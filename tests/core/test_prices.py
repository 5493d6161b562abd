from __future__ import annotations

from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.fallback import FallbackModel
from agent_factory.core.prices import PRICES, Price, PriceTable, get_price
from agent_factory.core.testing import FunctionModel, ScriptedModel
from agent_factory.core.usage import Usage

DAY = date(2026, 11, 24)
CHEAP = Price(100, 400, 10)
DEAR = Price(1_000, 4_000, 1_000)


def create_model(name: str) -> FunctionModel:
    return FunctionModel(lambda request: "yes", name=name)


def test_cost_is_that_of_input_and_output() -> None:
    price = Price(1_250_000, 10_000_000, 125_000)

    assert price.compute(Usage(1, 1_000_000, 100_000)) == 1_250_000 + 1_000_000


def test_cached_tokens_are_a_part_of_the_input() -> None:
    price = Price(1_250_000, 10_000_000, 125_000)

    assert price.compute(Usage(1, 1_000_000, cached_input_tokens=800_000)) == 250_000 + 100_000


def test_more_cached_tokens_than_tokens_read_cost_what_was_read() -> None:
    assert Price(500_000, 0, 100_000).compute(Usage(1, 10, cached_input_tokens=99)) == 1


@pytest.mark.parametrize(("tokens", "cost"), [(0, 0), (1, 1), (4, 1), (5, 2), (8, 2)])
def test_cost_is_rounded_up(tokens: int, cost: int) -> None:
    assert Price(250_000, 0, 0).compute(Usage(1, tokens)) == cost


def test_each_request_may_cost_something_by_itself() -> None:
    assert Price(0, 0, 0, per_request=70).compute(Usage(requests=3, input_tokens=5)) == 210


prices = st.builds(
    lambda input_, output, cached, request: Price(input_, output, min(cached, input_), request),
    st.integers(0, 10**9),
    st.integers(0, 10**9),
    st.integers(0, 10**9),
    st.integers(0, 10**6),
)


@given(
    price=prices,
    tokens=st.integers(0, 10**7),
    cached=st.integers(0, 10**7),
    output=st.integers(0, 10**7),
    more=st.tuples(st.integers(0, 10**4), st.integers(0, 10**4)),
)
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_call_costs_more_than_one_with_more_tokens_and_nothing_cached(
    price: Price, tokens: int, cached: int, output: int, more: tuple[int, int]
) -> None:
    real = price.compute(Usage(1, tokens, output, cached_input_tokens=min(cached, tokens)))

    assert 0 <= real <= price.compute(Usage(1, tokens + more[0], output + more[1]))


@pytest.mark.parametrize("value", [-1, 0.5, True, None], ids=repr)
@pytest.mark.parametrize("field", ["input", "output", "cached_input", "per_request"])
def test_price_that_is_no_whole_number_is_refused(field: str, value: object) -> None:
    values = {"input": 10, "output": 10, "cached_input": 0, field: value}

    with pytest.raises(ConfigurationError, match=f"Price.{field} must be a whole number"):
        Price(**values)  # type: ignore[arg-type]  # what a wrong program gives


def test_cached_input_dearer_than_input_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"cached_input must be at most Price\.input = 5"):
        Price(5, 5, 6)


@pytest.mark.parametrize(
    ("name", "price"),
    [
        ("openai:small", CHEAP),
        ("openai:small-2025-08-07", CHEAP),
        ("openai:small-2024-05-13", DEAR),
        ("local:any", CHEAP),
        ("local:", CHEAP),
        ("local:large-9b", DEAR),
        ("openai:small-2025-13-40", None),
        ("openai:small-0613", None),
        ("openai:small-pro", None),
        ("openai:small-pro-2025-08-07", None),
        ("openai:small-2025-08-07-preview", None),
        ("openai:", None),
        ("other:small", None),
        ("my-local:any", None),
        ("", None),
    ],
)
def test_price_is_found_by_name_by_family_of_a_dated_snapshot_and_by_beginning(
    name: str, price: Price | None
) -> None:
    table = PriceTable(
        {
            "openai:small": CHEAP,
            "openai:small-2024-05-13": DEAR,
            "local:*": CHEAP,
            "local:large*": DEAR,
        },
        as_of=DAY,
    )

    assert table.get(name) == price


def test_beginning_comes_after_the_family_of_a_snapshot() -> None:
    table = PriceTable({"openai:*": DEAR, "openai:small": CHEAP}, as_of=DAY)

    assert table.get("openai:small-2025-08-07") == CHEAP
    assert table.get("openai:other-2025-08-07") == DEAR


def test_override_replaces_and_adds_and_leaves_the_table_as_it_is() -> None:
    table = PriceTable({"a": CHEAP, "b": CHEAP}, currency="EUR", as_of=date(2026, 1, 1))

    other = table.override({"b": DEAR, "c": DEAR}, as_of=DAY)

    assert [other.get(name) for name in "abc"] == [CHEAP, DEAR, DEAR]
    assert (other.currency, other.as_of) == ("EUR", DAY)
    assert [table.get(name) for name in "abc"] == [CHEAP, CHEAP, None]
    assert table.override({"c": DEAR}).as_of == table.as_of


def test_table_cannot_be_changed() -> None:
    given = {"a": CHEAP}
    table = PriceTable(given, as_of=DAY)

    given["b"] = CHEAP
    with pytest.raises(TypeError):
        table.prices["b"] = CHEAP  # type: ignore[index]  # what must not work

    assert table.get("b") is None


@pytest.mark.parametrize("name", ["", " ", "a*b", "**", "*a"])
def test_name_with_a_star_in_its_middle_and_no_name_are_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="a price is for the name of a model"):
        PriceTable({name: CHEAP}, as_of=DAY)


def test_price_that_is_a_number_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="price of 'a' must be a Price, not 3"):
        PriceTable({"a": 3}, as_of=DAY)  # type: ignore[dict-item]  # what a wrong program gives


def test_table_without_a_currency_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="needs a currency"):
        PriceTable({}, currency="", as_of=DAY)


@pytest.mark.parametrize(
    ("name", "dollars"),
    [
        ("openai:gpt-4o", (2.5, 10, 1.25)),
        ("openai:gpt-4o-2024-08-06", (2.5, 10, 1.25)),
        ("openai:gpt-4o-2024-05-13", (5, 15, 5)),
        ("openai:gpt-4.1-nano", (0.1, 0.4, 0.025)),
        ("openai:gpt-5-mini-2025-08-07", (0.25, 2, 0.025)),
        ("openai:gpt-5.4-mini", (0.75, 4.5, 0.075)),
        ("openai:o4-mini", (1.1, 4.4, 0.275)),
    ],
)
def test_shipped_table_has_dollars_for_a_million_tokens(
    name: str, dollars: tuple[float, float, float]
) -> None:
    price = PRICES.get(name)

    assert PRICES.currency == "USD"
    assert price is not None
    assert (price.input / 1e6, price.output / 1e6, price.cached_input / 1e6) == dollars


@pytest.mark.parametrize("name", ["scripted", "function", "extractive", "local:SmolLM2-135M"])
def test_models_in_this_process_cost_nothing(name: str) -> None:
    price = PRICES.get(name)

    assert price is not None
    assert price.compute(Usage(1, 10**9, 10**9)) == 0


def test_names_of_the_test_models_are_in_the_shipped_table() -> None:
    models = [ScriptedModel([]), FunctionModel(lambda request: "yes")]

    assert [get_price(model, PRICES) for model in models] == [Price(0, 0, 0)] * 2


@pytest.mark.parametrize("name", ["openai:gpt-5.4", "openai:qwen3", "anthropic:claude", "x"])
def test_model_that_is_not_in_the_shipped_table_has_no_price(name: str) -> None:
    assert PRICES.get(name) is None


def test_chain_of_models_costs_the_highest_of_each_part() -> None:
    table = PriceTable({"a": Price(5, 50, 1, 9), "b": Price(7, 20, 7, 3)}, as_of=DAY)
    chain = FallbackModel([create_model("a"), create_model("b")])

    assert get_price(chain, table) == Price(7, 50, 7, 9)


def test_chain_with_one_unpriced_model_has_no_price() -> None:
    # pydantic-ai#7133 adds up the prices that it knows and shows the sum as if it were the whole.
    table = PriceTable({"a": CHEAP}, as_of=DAY)
    chain = FallbackModel([create_model("a"), create_model("unpriced")])

    assert get_price(chain, table) is None
    assert get_price(FallbackModel([create_model("a"), chain]), table) is None


def test_chain_within_a_chain_is_looked_into() -> None:
    table = PriceTable({"a": CHEAP, "b": DEAR}, as_of=DAY)
    chain = FallbackModel([create_model("a"), FallbackModel([create_model("b")])])

    assert get_price(chain, table) == DEAR


def test_other_things_called_models_are_not_looked_into() -> None:
    class Client(FunctionModel):
        models = object()

    table = PriceTable({"function": CHEAP}, as_of=DAY)

    assert get_price(Client(lambda request: "yes"), table) == CHEAP
