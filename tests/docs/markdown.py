"""Our Markdown pages: their blocks of code, their links, and the anchors of their headings."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), ROOT / "examples" / "README.md"])
BLOCK = re.compile(
    r'^(?:<!-- in place of: (?P<replaces>[^\n]*) -->\n)?```(?P<language>\w+)(?: title="(?P<title>[^"\n]*)")?\n'
    r"(?P<text>.*?)^```",
    re.MULTILINE | re.DOTALL,
)
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?://|mailto:)([^)#\s]*)(?:#([^)\s]*))?\)")
HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)


def blocks(page: Path, language: str) -> list[str]:
    return [block["text"] for block in BLOCK.finditer(page.read_text()) if block["language"] == language]


def page_id(page: Path) -> str:
    return str(page.relative_to(ROOT))


def links(page: Path) -> list[tuple[str, str]]:
    """Path and anchor of every link within the repository; either may be empty."""
    return [(path, anchor) for path, anchor in LINK.findall(FENCED.sub("", page.read_text())) if path or anchor]


def anchors(page: Path) -> set[str]:
    """As code hosts and the site make them of headings: lower case, no punctuation, a hyphen for each blank."""
    found: set[str] = set()
    for heading in HEADING.findall(FENCED.sub("", page.read_text())):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
        slug = re.sub(r"[^\w\- ]", "", text).strip().replace(" ", "-")
        number = 0
        while (slug if not number else f"{slug}-{number}") in found:
            number += 1
        found.add(slug if not number else f"{slug}-{number}")
    return found
