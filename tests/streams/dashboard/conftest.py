from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.streams.query.shop import COUNTS, Group, shop

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext


@pytest.fixture
def group() -> Iterator[Group]:
    """Workers that serve, made as a test wants them: `group.worker(*tasks, web=True)`."""
    with Group(shop(), COUNTS) as group:
        yield group


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, for the tests that are marked with `needs_chromium`. It ends with its file, because Playwright keeps an
    event loop running in this thread meanwhile."""
    from tests.streams.dashboard.looking import CHROMIUM, playwright

    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def context(browser: Browser) -> Iterator[BrowserContext]:
    from tests.streams.dashboard.looking import playwright

    playwright.expect.set_options(timeout=20_000)
    with browser.new_context(color_scheme="light") as context:
        yield context
