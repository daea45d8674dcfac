"""Asks one worker's query server for one key."""

from __future__ import annotations

import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Any

import msgspec

TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`status` is HTTP's, 0 where no answer came; `body` is decoded JSON; `problem` says in words what is wrong."""

    status: int
    body: Any = None
    problem: str = ""

    @property
    def retriable(self) -> bool:
        """The worker is starting, moving tasks or restoring."""
        return self.status in (0, 503)

    @property
    def rank(self) -> int:
        """Order of usefulness among the answers of several workers: found, not ready, not found, no answer."""
        return {200: 0, 503: 1, 421: 3, 404: 2}.get(self.status, 4)


def ask(endpoint: str, store: str, key: str) -> Answer:
    """`GET /stores/{store}/{key}` at `host:port`."""
    path = "/".join(urllib.parse.quote(part, safe="") for part in ("stores", store, key))
    url = f"http://{endpoint}/{path}"
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as response:
            return Answer(status=response.status, body=msgspec.json.decode(response.read()))
    except urllib.error.HTTPError as error:
        return Answer(status=error.code, problem=_detail(error.read(), f"{url}: {error.code} {error.reason}"))
    except OSError as error:
        return Answer(status=0, problem=f"no answer from the worker at {endpoint}: {error}")


def _detail(body: bytes, otherwise: str) -> str:
    """What the server says is wrong (FastAPI's `detail`)."""
    try:
        detail = msgspec.json.decode(body)["detail"]
    except (msgspec.DecodeError, KeyError, TypeError):
        return otherwise
    return detail if isinstance(detail, str) else otherwise
