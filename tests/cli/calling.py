"""Calls the command line within the test, as its user would."""

from __future__ import annotations

import json
from typing import Any

from typer.testing import CliRunner, Result

from agent_factory.cli.main import create_app

__all__ = ["call", "read_records"]


def call(*arguments: object, stdin: str | bytes | None = None) -> Result:
    """Call the command line.

    Args:
        arguments: What follows the name of the program.
        stdin: What it reads.
    """
    return CliRunner().invoke(create_app(), [*map(str, arguments)], input=stdin)


def read_records(result: Result) -> list[dict[str, Any]]:
    """Return the JSON Lines of standard output.

    Args:
        result: What a call returned.
    """
    return [json.loads(line) for line in result.stdout.splitlines()]
