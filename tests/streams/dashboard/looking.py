"""A tab of Chromium, and what is seen in it."""

from __future__ import annotations

import shutil

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright's Python package drives the browser")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: apt-get install chromium")


class Looking:
    """A tab, and what its console said."""

    def __init__(self, tab: playwright.Page, endpoint: str | None) -> None:
        self.tab = tab
        self.endpoint = endpoint
        self.said: list[str] = []
        tab.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        tab.on("pageerror", lambda error: self.said.append(f"uncaught: {error}"))

    def open(self, place: str) -> None:
        """Anew, with the focus nowhere: another place of the same page alone would be no new page."""
        self.tab.goto("about:blank")
        self.tab.goto(f"http://{self.endpoint}/ui/#/{place}")

    def sees(self, text: str) -> None:
        """Waits for it."""
        playwright.expect(self.tab.locator("main")).to_contain_text(text)

    def focused(self) -> str:
        return self.tab.evaluate(
            "document.activeElement.getAttribute('aria-label') ?? document.activeElement.innerText"
        )
