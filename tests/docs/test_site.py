"""The site is built without a warning, needs nothing from elsewhere, and has all public names."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import broker
import streams
import streams.testing
from tests.docs.markdown import DOCS, ROOT

FETCHED = re.compile(
    r"""<(?:script|img|iframe|source)[^>]+src=["']?(?:https?:)?//"""
    r"""|<link(?=[^>]+rel=["']?(?:stylesheet|preconnect|icon|preload))[^>]+href=["']?(?:https?:)?//"""
)
SHOWN = re.compile(r"^::: ([\w.]+)$", re.MULTILINE)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built with --strict: links, anchors and pages that no menu has are warnings, and warnings are errors."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_site_fetches_nothing_from_elsewhere(site: Path) -> None:
    """No fonts, scripts, styles or pictures of other hosts: it is read offline."""
    pages = list(site.rglob("*.html"))
    assert len(pages) > 30
    assert [page.name for page in pages if FETCHED.search(page.read_text())] == []
    assert [css.name for css in site.rglob("*.css") if re.search(r"url\(['\"]?https?:|@import", css.read_text())] == []


def test_what_is_fetched_from_elsewhere_is_found_out() -> None:
    """The check above can fail."""
    assert FETCHED.search('<script async src="https://cdn.example/mermaid.js">')
    assert FETCHED.search('<link href="https://fonts.example/css" rel="stylesheet">')
    assert FETCHED.search('<a href="https://example.org">') is None


def test_pages_from_outside_docs_have_links_that_fit_the_site(site: Path) -> None:
    """The README's way to the how-tos, and what is no page of the site is no link."""
    assert 'href="how-to/testing.html#test-an-application"' in (site / "index.html").read_text()
    assert "../../bench/README" not in (site / "performance.html").read_text()


def test_api_pages_show_every_public_name_once() -> None:
    """All of `streams`, `streams.testing` and `broker`."""
    shown = [name for page in (DOCS / "reference" / "api").glob("*.md") for name in SHOWN.findall(page.read_text())]
    public = {f"{module.__name__}.{name}" for module in (streams, streams.testing, broker) for name in module.__all__}
    assert public - set(shown) == set()
    assert [name for name in shown if shown.count(name) > 1] == []


def test_api_page_has_parameters_and_inherited_operators(site: Path) -> None:
    """Of `KStream`, which inherits its operators, with what docstrings say of arguments."""
    text = (site / "reference" / "api" / "streams.html").read_text()
    assert 'id="streams.KStream.left_join"' in text
    assert "with a stream, how far apart in time records may lie that meet" in re.sub(r"\s+", " ", text)
