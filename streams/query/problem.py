"""Why a question has no answer, and what HTTP says of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from streams.errors import QueryError


class Problem(QueryError):
    """`status` is HTTP's, `reason` one word for programs; `retry_after_s` is set where asking again can help;
    `details` are further fields of the answer."""

    status = 400
    reason = "bad-question"

    def __init__(
        self,
        message: str,
        *,
        store: str | None = None,
        retry_after_s: int | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message, store=store, retriable=retry_after_s is not None)
        self.retry_after_s = retry_after_s
        self.details = details or {}

    def body(self) -> dict[str, Any]:
        """What is answered."""
        body: dict[str, Any] = {"detail": str(self), "reason": self.reason}
        if self.store is not None:
            body["store"] = self.store
        return body | dict(self.details)


class UnknownStore(Problem):
    """The topology has no store of that name."""

    status = 404
    reason = "unknown-store"


class Absent(Problem):
    """The store has nothing for the key."""

    status = 404
    reason = "absent"


class Moving(Problem):
    """The partition is on its way from one worker to another: nobody may answer for it at the moment."""

    status = 409
    reason = "moving"

    def __init__(self, message: str, *, store: str | None = None) -> None:
        super().__init__(message, store=store, retry_after_s=1)


class Behind(Problem):
    """The store has not come as far as the question asks within the time it may wait."""

    status = 412
    reason = "behind"

    def __init__(self, message: str, *, store: str, details: Mapping[str, Any]) -> None:
        super().__init__(message, store=store, retry_after_s=1, details=details)


class NotReady(Problem):
    """The answer may be here later: `restoring` (with progress), `starting`, `stopping`, `busy`, `unreachable`,
    `unsure` or `stale`."""

    status = 503

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        store: str | None = None,
        details: Mapping[str, Any] | None = None,
        retry_after_s: int = 1,
    ) -> None:
        super().__init__(message, store=store, retry_after_s=retry_after_s, details=details)
        self.reason = reason


class Unreadable(Problem):
    """A row does not decode: the state is not of the type that the topology says."""

    status = 500
    reason = "unreadable"


class Relayed(Problem):
    """What another worker answered: its status, its reason and its words."""

    def __init__(self, status: int, body: Mapping[str, Any], retry_after_s: int | None) -> None:
        super().__init__(str(body.get("detail", f"the worker asked answered {status}")), retry_after_s=retry_after_s)
        self.status = status
        self._body = dict(body)
        self.reason = str(body.get("reason", "unreachable"))

    def body(self) -> dict[str, Any]:
        return self._body or super().body()
