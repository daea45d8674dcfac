"""The site's pages that come from outside docs/, and links made to fit them: a hook of MkDocs (mkdocs.yml).

README, ARCHITECTURE and their like stay where readers of the repository look for them; the site shows them under
`PAGES`, and a page for each of the examples. A link to a file that is no page of the site becomes plain text.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
PAGES: Mapping[str, str] = MappingProxyType(
    {
        "README.md": "index.md",
        "CHANGELOG.md": "changelog.md",
        "CONTRIBUTING.md": "contributing.md",
        "ARCHITECTURE.md": "internals/architecture.md",
        "bench/README.md": "internals/benchmark.md",
        "broker/SKIPPED.md": "internals/broker-skipped.md",
        "examples/README.md": "examples/index.md",
    }
)
"""File of the repository -> page of the site."""
LINK = re.compile(r"(?<!!)\[(?P<text>[^\]\[]*)\]\((?!https?:|#|mailto:)(?P<path>[^)#\s]+)(?P<anchor>#[^)\s]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    for source, page in PAGES.items():
        files.append(File.generated(config, page, content=(ROOT / source).read_text()))
    for page, text in example_pages().items():
        files.append(File.generated(config, page, content=text, inclusion=InclusionLevel.NOT_IN_NAV))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    return relinked(markdown, page.file.src_uri)


def relinked(markdown: str, page: str) -> str:
    """Relative links of the page as they are in the site."""
    here = posixpath.dirname(source_of(page))

    def fitting(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(here, link["path"]))
        if not (ROOT / target).exists():
            return link[0]  # no link at all, or a broken one, which the build names
        there = page_of(target)
        if there is None:
            return link["text"]
        return f"[{link['text']}]({posixpath.relpath(there, posixpath.dirname(page) or '.')}{link['anchor'] or ''})"

    return LINK.sub(fitting, markdown)


def source_of(page: str) -> str:
    """The file of the repository that a page is made of."""
    for source, made in PAGES.items():
        if made == page:
            return source
    return page if page.startswith("examples/") else f"docs/{page}"


def page_of(source: str) -> str | None:
    """The page of the site that shows a file of the repository, if one does."""
    if source in PAGES:
        return PAGES[source]
    if source.startswith("docs/"):
        return source.removeprefix("docs/")
    if source == "examples":
        return PAGES["examples/README.md"]
    if source.startswith("examples/") and source.endswith("/app.py"):
        return source.removesuffix("/app.py") + ".md"
    return None


def example_pages() -> dict[str, str]:
    """A page for each example: its program, which begins with what it shows, then what belongs to it."""
    pages: dict[str, str] = {}
    for program in sorted((ROOT / "examples").glob("*/app.py")):
        folder = program.parent
        others = (file for file in sorted(folder.glob("*.py")) if file != program and file.stat().st_size)
        parts = [f"## {file.name}\n\n```python\n{file.read_text()}```\n" for file in (program, *others)]
        title = folder.name.replace("_", " ").capitalize()
        pages[f"examples/{folder.name}.md"] = f"# {title}\n\n`{folder.relative_to(ROOT)}`\n\n" + "\n".join(parts)
    return pages
