"""The recipe for a new package, followed with the real Pants."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.workspace.scratch import Scratch

pytestmark = [pytest.mark.integration, pytest.mark.slow]


def test_the_recipe_makes_a_package_that_passes_and_is_built(repository: Scratch) -> None:
    page = (repository.root / "docs" / "adding-a-package.md").read_text(encoding="utf-8")
    (recipe,) = re.findall(r"^```sh recipe\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)

    done = repository.follow(recipe)
    built = [path.name for path in (repository.root / "dist").glob("afactory_greetings-*.whl")]
    repository.restore()

    assert done.returncode == 0, done.stdout
    assert built == ["afactory_greetings-0.1.0-py3-none-any.whl"]
