"""Settings, from the environment and from the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_factory.cli.addresses import is_own_server
from agent_factory.cli.container import create_container
from agent_factory.cli.exceptions import SettingsError
from agent_factory.cli.settings import load_settings, read_settings
from agent_factory.cli.settings.file import check_text
from agent_factory.core.prices import PRICES, Price

if TYPE_CHECKING:
    from pathlib import Path

WHOLE = """\
model = "extractive"
color = "never"

[openai]
base_url = "http://127.0.0.1:8000/v1"

[prices."openai:qwen3"]
input = "0.25"
output = "2"
cached_input = "0.000001"

[runs.keep]
number = 10
days = 5
"""


@pytest.fixture
def file(home: Path) -> Path:
    path = home / "config/agent-factory/config.toml"
    path.parent.mkdir(parents=True)
    return path


def problems(text: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        check_text(text.encode(), "config.toml")
    return str(caught.value).splitlines()[1:]


def test_everything_has_a_default() -> None:
    found = load_settings()

    assert (found.model, found.color, found.openai.base_url) == (None, "auto", None)
    assert (found.runs.keep.number, found.runs.keep.days) == (1000, 90)


def test_file_is_read(file: Path) -> None:
    file.write_text(WHOLE)

    found = load_settings()

    assert (found.model, found.color, found.runs.keep.days) == ("extractive", "never", 5)
    assert found.prices["openai:qwen3"].to_price() == Price(250_000, 2_000_000, 1)


def test_environment_goes_before_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text(WHOLE)
    monkeypatch.setenv("AGENT_FACTORY_MODEL", "local")

    found = read_settings()

    assert found.settings.model == "local"
    assert found.settings.openai.base_url == "http://127.0.0.1:8000/v1"
    assert found.find_origin(("model",)) == "environment"
    assert found.find_origin(("openai", "base_url")) == "file"
    assert found.find_origin(("openai", "api_key")) == "default"


def test_empty_variable_counts_as_not_set(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text('model = "local"')
    monkeypatch.setenv("AGENT_FACTORY_MODEL", "")

    assert load_settings().model == "local"


def test_file_may_be_somewhere_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "other.toml"
    other.write_text('model = "local"')
    monkeypatch.setenv("AGENT_FACTORY_CONFIG", str(other))

    assert load_settings().model == "local"


def test_file_that_is_named_has_to_be_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENT_FACTORY_CONFIG", str(tmp_path / "none.toml"))

    with pytest.raises(SettingsError, match=r"there is no file .*none\.toml"):
        load_settings()


def test_text_that_is_no_toml_is_refused_at_its_place() -> None:
    (said,) = problems('model = "a"\ncolor = never\n')

    assert said.startswith("config.toml:2:9: this is no TOML: ")


def test_bytes_that_are_no_utf8_are_refused_at_their_place() -> None:
    with pytest.raises(SettingsError) as caught:
        check_text(b'model = "a"\n# \xff', "config.toml")

    assert "config.toml:2:3: this is not UTF-8" in str(caught.value)


def test_every_problem_is_told_at_its_place() -> None:
    text = (
        'modle = "x"\n[runs.keep]\n  days = 0\n[prices]\n"openai:a" = {input = 1, output = "2"}\n'
    )

    assert problems(text) == [
        "config.toml:1:1: unknown key 'modle': did you mean 'model'?",
        "config.toml:3:3: runs.keep.days: input should be greater than or equal to 1",
        'config.toml:5:1: prices.openai:a.input: must be an amount in quotes, such as "1.25"',
    ]


def test_unknown_keys_within_are_answered_with_those_that_there_are() -> None:
    text = '[openai]\nurl = "http://x"\n[prices."m"]\ninput = "1"\nouput = "2"\n'

    assert problems(text) == [
        "config.toml:2:1: unknown key 'openai.url': there are: base_url",
        "config.toml:3:1: the key 'prices.m.output' is missing",
        "config.toml:5:1: unknown key 'prices.m.ouput': did you mean 'output'?",
    ]


@pytest.mark.parametrize(
    "text",
    [
        '[openai]\napi_key = "hunter2"\n',
        'OPENAI_API_KEY = "hunter2"\n',
        'token = "hunter2"\n',
        '[openai]\nbase_url = "https://me:hunter2@host/v1"\n',
        'model = "sk-hunter2"\n',
    ],
)
def test_secret_in_the_file_is_refused_and_not_shown(text: str) -> None:
    (said,) = problems(text)

    assert "looks like a secret" in said
    assert "OPENAI_API_KEY" in said
    assert "hunter2" not in said


def test_model_may_have_any_name_where_it_has_a_price() -> None:
    values = check_text(b'[prices]\n"local:token-7b" = {input = "0", output = "0"}\n', "c")

    assert list(values["prices"]) == ["local:token-7b"]


@pytest.mark.parametrize("amount", ["-1", "1e3", "0.0000001", "1,5", "1234567890", ""])
def test_amount_that_is_no_plain_decimal_is_refused(amount: str) -> None:
    (said,) = problems(f'[prices.m]\ninput = "{amount}"\noutput = "1"\n')

    assert said.startswith("config.toml:2:1: prices.m.input: must be an amount")


@given(st.integers(0, 10**15 - 1))
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_digit_of_an_amount_is_lost(millionths: int) -> None:
    whole, rest = divmod(millionths, 1_000_000)
    text = f'[prices.m]\ninput = "{whole}.{rest:06d}"\noutput = "0"\n'

    from agent_factory.cli.settings.tree import PriceSettings

    price = PriceSettings(**check_text(text.encode(), "c")["prices"]["m"]).to_price()

    assert (price.input, price.cached_input) == (millionths, millionths)


@given(st.binary(max_size=200))
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_file_is_read_or_refused_with_places(content: bytes) -> None:
    found = 0
    try:
        values = check_text(content, "config.toml")
    except SettingsError as error:
        found = len(error.problems)
        values = None
    assert (found > 0) == (values is None)


def test_deeply_nested_file_is_refused_and_no_crash() -> None:
    with pytest.raises(SettingsError):
        check_text(b"a = " + b"[" * 100_000, "config.toml")


def test_prices_of_the_settings_go_before_those_that_come_along(file: Path) -> None:
    file.write_text('[prices."openai:gpt-5"]\ninput = "9"\noutput = "9"\n')

    prices = create_container(read_settings()).create_prices()

    assert prices.get("openai:gpt-5") == Price(9_000_000, 9_000_000, 9_000_000)
    assert prices.get("openai:o3") == PRICES.get("openai:o3")


def test_models_of_an_own_server_cost_nothing_unless_they_are_priced(file: Path) -> None:
    file.write_text(WHOLE)

    prices = create_container(read_settings()).create_prices()

    assert prices.get("openai:gpt-5") == Price(0, 0, 0)
    assert prices.get("openai:qwen3") == Price(250_000, 2_000_000, 1)


@pytest.mark.parametrize(
    ("address", "own"),
    [
        ("http://localhost:8000/v1", True),
        ("http://127.0.0.1/v1", True),
        ("http://[::1]:80/v1", True),
        ("https://10.2.3.4/v1", True),
        ("http://192.168.1.5:11434/v1", True),
        ("https://api.openai.com/v1", False),
        ("https://8.8.8.8/v1", False),
        ("https://localhost.example.com/v1", False),
        ("https://127.0.0.1.example.com/v1", False),
    ],
)
def test_own_server_is_one_with_a_private_address(address: str, own: bool) -> None:
    assert is_own_server(address) is own


def test_key_does_not_reach_what_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-hunter2")

    container = create_container(read_settings())

    assert container.scrub("the key is sk-hunter2.") == "the key is [secret]."
