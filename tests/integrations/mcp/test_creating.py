from __future__ import annotations

import asyncio
import importlib.util
import subprocess
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import pytest

from agent_factory.core.exceptions import ConfigurationError
from agent_factory.core.permissions import Grant, Permissions
from agent_factory.integrations.exceptions import MissingExtraError
from agent_factory.integrations.mcp import StdioServer, create_mcp_toolset


def create(folder: Path, **options: Any) -> Any:
    given = {"name": "it", **options}
    return create_mcp_toolset(StdioServer(("files",)), grant=Grant(Permissions(), folder), **given)


def test_missing_sdk_says_what_installs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find_spec = importlib.util.find_spec

    def find(name: str, package: str | None = None) -> ModuleSpec | None:
        return None if name == "mcp" else find_spec(name, package)

    monkeypatch.setattr("agent_factory.integrations.mcp.sdk.find_spec", find)

    with pytest.raises(MissingExtraError, match=r'pip install "afactory-integrations\[mcp\]"'):
        asyncio.run(create(tmp_path).list_tools())


def test_sdk_is_not_imported_before_a_toolset_connects() -> None:
    code = """
import sys
from pathlib import Path
from agent_factory.core.permissions import Grant, Permissions
from agent_factory.integrations.mcp import StdioServer, create_mcp_toolset, find_needs

server = StdioServer(("files",))
find_needs(server)
create_mcp_toolset(server, grant=Grant(Permissions(), Path(".")), name="it")
print([name for name in sys.modules if name in ("mcp", "mcp_types", "httpx2", "anyio")])
"""
    path = ":".join(item for item in sys.path if item)
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"timeout": 0}, "timeout must be"),
        ({"call_timeout": float("inf")}, "call_timeout must be"),
        ({"max_result_chars": 0}, "max_result_chars must be"),
        ({"effects": {"act": "always"}}, "the effect of 'act'"),
        ({"name": "a/b"}, "without '/'"),
        ({"name": " "}, "must be a text"),
    ],
)
def test_options_out_of_their_range_are_refused(
    tmp_path: Path, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigurationError, match=said):
        create(tmp_path, **options)
