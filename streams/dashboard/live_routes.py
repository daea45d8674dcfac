"""The event stream, and what workers ask each other for it."""

from __future__ import annotations

import msgspec
from fastapi import APIRouter, FastAPI, Response
from fastapi.responses import StreamingResponse

from streams.dashboard.live import FIGURES, Live
from streams.dashboard.snapshot import snapshot
from streams.query.subject import Subject


def live_routes(live: Live) -> APIRouter:
    """`/live`: see `Live.watch`."""
    router = APIRouter()

    @router.get("/live")
    async def watch() -> StreamingResponse:  # pyright: ignore[reportUnusedFunction]
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(live.watch(), media_type="text/event-stream", headers=headers)

    return router


def peer_routes(app: FastAPI, subject: Subject) -> None:
    """Every worker tells the others its figures, whether it serves the site or not."""

    @app.get(FIGURES, include_in_schema=False)
    async def figures() -> Response:  # pyright: ignore[reportUnusedFunction]
        return Response(msgspec.json.encode(snapshot(subject)), media_type="application/json")
