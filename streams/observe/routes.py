"""The HTTP routes of metrics and health, for whatever server a worker has."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from streams.observe.exposition import Exposition, Observed
from streams.observe.health import HealthAnswer, live, ready


def health_routes(app: FastAPI, worker: Observed) -> None:
    """`/health/live` and `/health/ready`: 200 or 503, with a body that says why."""

    @app.get("/health/live", tags=["health"], responses={503: {"description": "It has failed or ended."}})
    def is_live() -> Any:  # pyright: ignore[reportUnusedFunction]
        """200 unless the worker has failed or ended."""
        return answer(live(worker.reading()))

    @app.get("/health/ready", tags=["health"], responses={503: {"description": "Tasks are on their way, or it stops."}})
    def is_ready() -> Any:  # pyright: ignore[reportUnusedFunction]
        """200 while all tasks of the worker run; the body has its tasks, and the progress of those being restored."""
        return answer(ready(worker.reading()))


def metrics_routes(app: FastAPI, worker: Observed) -> None:
    """`/metrics`: Prometheus' text format, or OpenMetrics for those who accept it."""
    exposition = Exposition(worker)

    @app.get("/metrics", tags=["metrics"])
    def metrics(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        """Metrics of the worker, of its process, and the application's own."""
        text, content_type = exposition.answer(request.headers.get("accept", ""))
        return Response(text, media_type=content_type)


def answer(health: HealthAnswer) -> JSONResponse:
    return JSONResponse(health.body, 200 if health.well else 503)
