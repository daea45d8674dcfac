"""The routes of the query server."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, HTTPException, Query, Request
from fastapi.responses import JSONResponse

from stores import StoreClosedError
from streams.errors import QueryError
from streams.observe.routes import health_routes, metrics_routes
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

    health_routes(app, subject)
    metrics_routes(app, subject)
    return app
