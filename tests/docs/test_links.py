from __future__ import annotations

import posixpath

import pytest

from tests.docs.markdown import ROOT, Link, find_pages, read_anchors, read_links

READMES = sorted(
    path.relative_to(ROOT).as_posix() for path in (ROOT / "blueprints").glob("**/README.md")
)
LINKS = [link for page in [*find_pages(), *READMES] for link in read_links(page)]
RELATIVE = [link for link in LINKS if "://" not in link.target]


@pytest.mark.parametrize("link", RELATIVE, ids=str)
def test_relative_link_leads_to_a_file_and_a_heading_that_exist(link: Link) -> None:
    path, _, anchor = link.target.partition("#")
    page = posixpath.normpath(posixpath.join(posixpath.dirname(link.page), path)) if path else ""
    target = page or link.page

    assert not target.startswith(".."), f"{link} leads out of the repository"
    assert (ROOT / target).exists(), f"{link}: there is no {target}"
    if anchor:
        assert anchor in read_anchors(
            target
        ), f"{link}: {target} has {sorted(read_anchors(target))}"


def test_there_are_no_absolute_links_to_this_repository() -> None:
    assert [str(link) for link in LINKS if "/blob/" in link.target or "/tree/" in link.target] == []


def test_every_page_of_the_documentation_is_listed_in_its_table_of_contents() -> None:
    listed = {link.target for link in read_links("docs/README.md")}
    pages = {page.removeprefix("docs/") for page in find_pages() if page.startswith("docs/")}

    assert pages - {"README.md"} <= listed
