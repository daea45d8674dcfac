"""Links within the repository lead to a file, and to a heading where they name one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.markdown import DOCS, PAGES, ROOT, anchors, links, page_id


def broken_links(page: Path) -> list[str]:
    broken: list[str] = []
    for path, anchor in links(page):
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(f"{path}#{anchor}" if anchor else path)
    return broken


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    """Offline: what lies on other hosts is not asked for."""
    assert broken_links(page) == []


def test_links_that_lead_nowhere_are_found_out(tmp_path: Path) -> None:
    """The check above can fail: a missing file, a missing heading here and elsewhere; not what stands in code."""
    (tmp_path / "other.md").write_text("# Other\n\n## What's *new*, and why?\n")
    page = tmp_path / "page.md"
    page.write_text(
        "# Page\n[a](other.md#whats-new-and-why) [b](gone.md) [c](other.md#gone) [d](#gone) [e](#page)\n"
        "```text\n[f](also-gone.md)\n```\n"
    )
    assert broken_links(page) == ["gone.md", "other.md#gone", "#gone"]


def test_pages_are_linked_with_anchors_at_all() -> None:
    """There is something to check."""
    with_anchor = [anchor for page in PAGES for _, anchor in links(page) if anchor]
    assert len(with_anchor) > 30


def test_pictures_in_the_docs_are_shown_somewhere() -> None:
    """An image that no page shows is left over."""
    text = "".join(page.read_text() for page in PAGES) + (ROOT / "mkdocs.yml").read_text()
    assert [
        file.name for file in (DOCS / "pictures").iterdir() if file.suffix == ".svg" and file.name not in text
    ] == []
