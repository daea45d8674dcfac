"""Keeps other people's pages from acting through a visitor's browser."""

from __future__ import annotations

from fastapi import Request

from streams.query.problem import Problem

HEADER = "X-Headrace-Dashboard"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class ForeignPage(Problem):
    """A request that changes something came without the header of our own pages."""

    status = 403
    reason = "foreign-page"


async def from_our_pages(request: Request) -> None:
    """Raises ForeignPage. A page of another site can have a browser send forms to this machine, but not with a header
    of its own: for that the browser asks the server first, which says no."""
    if request.method not in SAFE_METHODS and HEADER not in request.headers:
        raise ForeignPage(f"requests that change something need the header {HEADER}: 1")
