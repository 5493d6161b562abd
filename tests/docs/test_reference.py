"""Compares the tables of the documentation with the code that they describe."""

from __future__ import annotations

from dataclasses import fields
from typing import get_args, get_origin

import pytest
import typer.main
from pydantic import BaseModel

from agent_factory.cli.exceptions import ExitCode
from agent_factory.cli.main import create_app
from agent_factory.cli.places import CONFIG_VARIABLE
from agent_factory.cli.settings.tree import VARIABLES
from agent_factory.core import Limits, RunEvent
from agent_factory.core.blueprints import Blueprint, PermissionsSection
from agent_factory.core.blueprints.schema.workflows import KEYS_BY_KIND
from agent_factory.core.registry import ToolEntry
from agent_factory.integrations.tools import create_builtin_entries
from tests.docs.markdown import read_anchors, read_table

ENTRIES = create_builtin_entries()


def names(rows: list[list[str]]) -> list[str]:
    return [row[0].split("`")[1] if "`" in row[0] else row[0] for row in rows]


def keys(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


@pytest.mark.parametrize(
    ("page", "heading", "model"),
    [
        ("docs/blueprints.md", "Keys", Blueprint),
        ("docs/permissions.md", "Keys of `permissions`", PermissionsSection),
    ],
)
def test_table_has_the_keys_of_the_schema(page: str, heading: str, model: type[BaseModel]) -> None:
    assert names(read_table(page, heading)) == keys(model)


def test_table_has_the_kinds_of_steps_and_their_keys() -> None:
    rows = read_table("docs/workflows.md", "In a blueprint")

    assert names(rows) == list(KEYS_BY_KIND)
    for row in rows:
        needed, possible = KEYS_BY_KIND[names([row])[0]]
        missing = {key for key in needed | possible if f"`{key}`" not in row[1] + row[2]}
        assert missing == set(), row


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_table_has_the_options_of_the_tool(entry: ToolEntry[BaseModel]) -> None:
    rows = read_table("docs/blueprint-tools.md", f"`{entry.name}`")

    assert names(rows) == keys(entry.options)
    for row in rows:
        field = entry.options.model_fields[names([row])[0]]
        assert (row[2] == "required") == field.is_required(), row
        if isinstance(field.default, bool):
            assert row[2] == str(field.default).lower()
        elif isinstance(field.default, int):
            number, *unit = row[2].replace(",", "").split()
            assert int(number) * {"MiB": 1 << 20}.get("".join(unit), 1) == field.default, row


def test_every_built_in_tool_has_its_section() -> None:
    assert {entry.name for entry in ENTRIES} <= read_anchors("docs/blueprint-tools.md")


def test_table_has_the_defaults_of_the_limits() -> None:
    # What has no bound of its own begins with a word instead of a number.
    shown = {
        names([row])[0]: float(first) if (first := row[1].split()[0])[0].isdigit() else None
        for row in read_table("docs/concepts.md", "Limits")
    }

    assert shown == {name: getattr(Limits(), name) for name in shown}
    assert "timeout" in shown


def test_table_of_limits_has_every_limit() -> None:
    shown = names(read_table("docs/concepts.md", "Limits"))

    assert shown == [field.name for field in fields(Limits)]


def test_table_has_every_event() -> None:
    events = [get_origin(event) or event for event in get_args(RunEvent)]

    assert names(read_table("docs/concepts.md", "Events")) == [event.__name__ for event in events]


def test_table_has_every_exit_code() -> None:
    rows = read_table("docs/cli.md", "Exit codes")

    assert [int(row[0]) for row in rows] == [int(code) for code in ExitCode]


def test_table_has_every_option_of_run() -> None:
    command = typer.main.get_command(create_app()).commands["run"]  # type: ignore[attr-defined]
    options = {
        option
        for parameter in command.params
        if parameter.param_type_name == "option"
        for option in parameter.opts
    }
    rows = read_table("docs/cli.md", "`agent-factory run FILE [INPUT]`", first="option")
    shown = {word.strip("`,").split()[0] for row in rows for word in row[0].split(", ")}

    assert shown == options | {"--help", "-h"}


def test_table_has_every_variable_that_is_read() -> None:
    shown = set(names(read_table("docs/cli.md", "Environment")))
    folders = {"XDG_CONFIG_HOME", "XDG_STATE_HOME", CONFIG_VARIABLE}

    assert shown - {"NO_COLOR", "FORCE_COLOR"} == {*VARIABLES.values(), *folders}
