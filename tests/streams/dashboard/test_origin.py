"""Requests that change something have to come from our own pages."""

from __future__ import annotations

import asyncio

import pytest
from fastapi import Request

from streams.dashboard.origin import HEADER, ForeignPage, from_our_pages


def request(method: str, **headers: str) -> Request:
    named = [(name.lower().replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": method, "headers": named})


def test_request_that_changes_something_needs_our_header() -> None:
    """A form of somebody else's page cannot bring one."""
    for method in ("POST", "PUT", "DELETE"):
        with pytest.raises(ForeignPage, match=HEADER):
            asyncio.run(from_our_pages(request(method, content_type="text/plain")))
        asyncio.run(from_our_pages(request(method, **{HEADER: "1"})))


def test_request_that_only_reads_needs_none() -> None:
    asyncio.run(from_our_pages(request("GET")))


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_page_of_another_site_cannot_even_read(site: str) -> None:
    """It would not see the answer, but every tail it opens is work for the worker."""
    with pytest.raises(ForeignPage, match="its own pages"):
        asyncio.run(from_our_pages(request("GET", sec_fetch_site=site)))
    for own in ("same-origin", "none"):
        asyncio.run(from_our_pages(request("GET", sec_fetch_site=own)))
