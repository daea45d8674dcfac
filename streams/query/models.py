"""What the OpenAPI page says of answers."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field


class StoreModel(BaseModel):
    """A store of the application."""

    name: str
    kind: str = Field(description="key_value, window, session, versioned, custom, buffer or keyed_buffer")
    key_type: str
    changelog: str | None
    is_global: bool = Field(alias="global", description="every worker has all of it")
    topics: list[str] = Field(description="what positions of the store are of")
    partitions: list[int] = Field(description="those that this worker has")
    standbys: dict[str, int] = Field(
        description="partition -> records of its changelog that this worker's standby lacks, where it has one"
    )
    owners: dict[str, str | None] = Field(description="partition -> host:port of the worker that answers for it")


class RowModel(BaseModel):
    """A row. Key and value are JSON by the store's types; times are ms since the epoch."""

    key: Any
    value: Any
    timestamp: int
    start: int | None = Field(None, description="of windows and sessions")
    end: int | None = Field(None, description="of windows (exclusive) and sessions (inclusive)")
    valid_to: int | None = Field(None, description="of versions: when the next one begins; null: the latest")


class PageModel(BaseModel):
    """Rows, and the cursor of the next page; null: these were the last."""

    rows: list[RowModel]
    next: str | None


class ProblemModel(BaseModel):
    """Why there is no answer: in words, and in one word for programs."""

    detail: str
    reason: str
    store: str | None = None
    progress: dict[str, Any] | None = Field(None, description="of a store that is being restored")
    position: str | None = Field(None, description="how far the store is, where it is not far enough")
    wanted: str | None = Field(None, description="what is missing of the position asked for")


REASONS = {
    400: "the question is wrong, and how",
    401: "a token is needed",
    404: "`absent`: the store has nothing for the key; `unknown-store`",
    409: "`moving`: the partition goes from one worker to another; `Retry-After` says when to ask again",
    412: "`behind`: the store has not reached the position in time",
    503: "`restoring` (with progress), `starting`, `unreachable` (its worker is gone or silent), `unsure` or "
    "`stale` (no standby is close enough); see `Retry-After`",
}
PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": ProblemModel, "description": text} for status, text in REASONS.items()
}
