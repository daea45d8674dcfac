"""The dashboard's routes on the query server.

`/ui/` is the site: files that tell nothing of the application. `/dashboard/…` is what its pages read, as JSON, and asks
for what every question to the worker asks for (see `query.access`).
"""

from __future__ import annotations

from fastapi import APIRouter, Depends, FastAPI
from fastapi.responses import PlainTextResponse

from streams.dashboard.dead_letter_routes import dead_letter_routes
from streams.dashboard.group_routes import group_routes
from streams.dashboard.live import Live
from streams.dashboard.live_routes import live_routes
from streams.dashboard.origin import from_our_pages
from streams.dashboard.site import site_routes
from streams.dashboard.tails import Tails
from streams.dashboard.topic_routes import topic_routes
from streams.dashboard.topology_routes import topology_routes
from streams.query.placement import Placement
from streams.query.subject import Subject

PREFIX = "/dashboard"


def dashboard_routes(app: FastAPI, subject: Subject, placement: Placement, live: Live, tails: Tails) -> None:
    """Adds the site, and a router for each page that reads something of its own."""
    cluster = tails.cluster
    routers: list[APIRouter] = [live_routes(live), topology_routes(placement)]
    routers += [topic_routes(subject, tails), group_routes(subject, cluster), dead_letter_routes(subject, cluster)]
    for router in routers:
        app.include_router(router, prefix=PREFIX, dependencies=[Depends(from_our_pages)], include_in_schema=False)
    app.include_router(site_routes(), include_in_schema=False)


def without_dashboard(app: FastAPI) -> None:
    """Says to whoever looks for the site that it is switched off, and how to switch it on."""

    @app.get("/ui", include_in_schema=False)
    @app.get("/ui/", include_in_schema=False)
    async def switched_off() -> PlainTextResponse:  # pyright: ignore[reportUnusedFunction]
        cure = "start it with --web, or with HEADRACE_WEB=true, or say App(web=True)"
        return PlainTextResponse(f"this worker serves no dashboard: {cure}\n", 404)
