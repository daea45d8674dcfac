"""The routes of the query server."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, HTTPException, Query, Request
from fastapi.responses import JSONResponse, PlainTextResponse

from stores import StoreClosedError
from streams.errors import QueryError
from streams.observe.exposition import CONTENT_TYPE, exposition
from streams.query.stores import NotReady, StoreQueries, UnknownStore
from streams.query.subject import Subject


def query_app(subject: Subject) -> FastAPI:
    """An ASGI application that answers for `subject`, from threads of its own."""
    app = FastAPI(title=f"headrace: {subject.application_id}", description="Stores, health and metrics of a worker.")
    queries = StoreQueries(subject)

    @app.exception_handler(QueryError)
    def cannot_answer(request: Request, error: Exception) -> JSONResponse:  # pyright: ignore[reportUnusedFunction]
        status = 404 if isinstance(error, UnknownStore) else 503 if isinstance(error, NotReady) else 400
        return JSONResponse({"detail": str(error)}, status)

    @app.exception_handler(StoreClosedError)
    def just_left(request: Request, error: Exception) -> JSONResponse:  # pyright: ignore[reportUnusedFunction]
        return JSONResponse({"detail": "the store's task is just moving to another worker: ask again"}, 503)

    @app.get("/stores", tags=["stores"])
    def stores() -> list[dict[str, Any]]:  # pyright: ignore[reportUnusedFunction]
        """All stores of the application, and which of their partitions are here."""
        return queries.describe()

    @app.get("/stores/{name}/{key:path}", tags=["stores"])
    def row(  # pyright: ignore[reportUnusedFunction]
        name: str,
        key: str,
        first: int | None = Query(None, alias="from", description="least window start, ms"),
        last: int | None = Query(None, alias="to", description="greatest window start, ms"),
        as_of: int | None = Query(None, description="time in ms, in a versioned store"),
    ) -> Any:
        """The row of a key; all its windows by start in a window store; its version of a time in a versioned one."""
        if queries.is_window_store(name) or first is not None or last is not None:
            found: Any = queries.fetch(name, key, first, last)
        else:
            found = queries.get(name, key, as_of)
        if not found:
            raise HTTPException(404, f"store {name!r} has nothing for the key {key!r} in this worker")
        return found

    @app.get("/health/live", tags=["health"])
    def live() -> dict[str, str]:  # pyright: ignore[reportUnusedFunction]
        """200 unless the worker has failed."""
        state = subject.state.value
        if state == "error":
            raise HTTPException(503, "the worker has failed")
        return {"state": state}

    @app.get("/health/ready", tags=["health"])
    def ready() -> dict[str, Any]:  # pyright: ignore[reportUnusedFunction]
        """200 while all tasks of the worker run."""
        running, coming = subject.tasks()
        state = subject.state.value
        if state != "running":
            raise HTTPException(503, f"the worker is {state}; {len(coming)} tasks are being opened or restored")
        return {"state": state, "tasks": sorted(str(task) for task in running)}

    @app.get("/metrics", tags=["health"], response_class=PlainTextResponse)
    def metrics() -> PlainTextResponse:  # pyright: ignore[reportUnusedFunction]
        """Counters in Prometheus' text format."""
        running, coming = subject.tasks()
        text = exposition(subject.application_id, subject.task_counters(), len(running), len(coming))
        return PlainTextResponse(text, media_type=CONTENT_TYPE)

    return app
