"""Keeps other people's pages from asking and acting through a visitor's browser."""

from __future__ import annotations

from fastapi import Request

from streams.query.problem import Problem

HEADER = "X-Headrace-Dashboard"
OWN_PAGES = frozenset({"same-origin", "none"})
"""What browsers say of them; `none`: an address that somebody typed."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class ForeignPage(Problem):
    """A page of another site asks, or a request that changes something came without the header of our own pages."""

    status = 403
    reason = "foreign-page"


async def from_our_pages(request: Request) -> None:
    """Raises ForeignPage. A page of another site can have a browser send forms to this machine, but not with a header
    of its own: for that the browser asks the server first, which says no. What it reads is kept from it, but the worker
    would have the work: browsers say who asks."""
    if request.headers.get("sec-fetch-site", "none") not in OWN_PAGES:
        raise ForeignPage("the dashboard answers its own pages only: open it by its address")
    if request.method not in SAFE_METHODS and HEADER not in request.headers:
        raise ForeignPage(f"requests that change something need the header {HEADER}: 1")
