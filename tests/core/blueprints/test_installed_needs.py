from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from agent_factory.core.blueprints import load_blueprint
from agent_factory.core.exceptions import BlueprintError
from agent_factory.core.permissions import Need
from agent_factory.core.registry import InstalledTool, ToolEntry
from tests.core.blueprints.making import (
    HEAD,
    Options,
    create_adapters,
    create_echo,
    find_messages,
)

if TYPE_CHECKING:
    from pathlib import Path


def test_tool_of_a_package_gets_no_more_than_is_permitted() -> None:
    entry = ToolEntry(
        "later", "Later.", Options, create_echo, lambda _: (Need("hosts", "evil.example.net"),)
    )
    adapters = create_adapters(installed=[InstalledTool("later", "acme", "1.0", lambda: entry)])

    [told] = find_messages(
        "permissions: {models: [default], tools: [later]}\nagent: {instructions: A, tools: [later]}\n",
        adapters,
    )

    assert "not permitted (hosts): 'evil.example.net'" in told


def test_blueprint_that_is_a_link_to_a_file_elsewhere_is_not_shown(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("PASSWORD: hunter2", encoding="utf-8")
    folder = tmp_path / "below"
    folder.mkdir()
    (folder / "a.yaml").symlink_to(secret)

    with pytest.raises(BlueprintError) as caught:
        load_blueprint(folder / "a.yaml")

    assert "hunter2" not in str(caught.value)
    assert "links to a file" in str(caught.value) or "is a link" in str(caught.value)


def test_pipe_in_place_of_a_blueprint_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.yaml")

    with pytest.raises(BlueprintError, match="no regular file"):
        load_blueprint(tmp_path / "a.yaml")


def test_link_to_a_blueprint_beside_it_is_followed(tmp_path: Path) -> None:
    text = HEAD + "agent: {instructions: A}\n"
    (tmp_path / "real.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "a.yaml").symlink_to("real.yaml")

    assert load_blueprint(tmp_path / "a.yaml").blueprint.name == "helper"
