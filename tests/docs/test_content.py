from __future__ import annotations

import re

import pytest

from tests.docs.markdown import ROOT, find_pages

PAGES = find_pages()
# Written apart, so that this file passes the test itself.
MACHINE = re.compile(r"(?<![\w.])/(work|root|farm|home/\w+|Users/\w+)/")
REGISTRIES = re.compile(
    r"(pypi|pythonhosted|npmjs|debian|ubuntu|docker|ghcr|quay)\.(org|com|io|net)\b"
)
EMOJI = re.compile("[\U0001f000-\U0001faff\u2600-\u26ff\u2728]")


@pytest.mark.parametrize("page", PAGES)
def test_page_names_no_place_of_one_machine_and_no_registry(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")

    assert [match[0] for match in MACHINE.finditer(text)] == []
    assert [match[0] for match in REGISTRIES.finditer(text)] == []


@pytest.mark.parametrize("page", PAGES)
def test_page_has_one_title_and_plain_text(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)

    assert EMOJI.search(prose) is None
    assert text.endswith("\n")
    if not page.startswith(".github/"):
        assert len(re.findall(r"^# ", prose, flags=re.MULTILINE)) == 1


def test_pages_are_found() -> None:
    assert {"README.md", "CONTRIBUTING.md", "docs/concepts.md", "packages/core/README.md"} <= set(
        PAGES
    )
