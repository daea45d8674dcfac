"""Asks the query server of a worker."""

from __future__ import annotations

import os
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, TypeVar

import msgspec

TIMEOUT_S = 15.0
CERTIFICATES = ("HEADRACE_QUERY_TLS_CA", "HEADRACE_QUERY_TLS_CERTIFICATE")
LOOK_UP_S = 0.2

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`status` is HTTP's, 0 where no answer came; `body` is decoded JSON; `problem` says in words what is wrong."""

    status: int
    body: Any = None
    problem: str = ""
    reason: str = ""

    @property
    def retriable(self) -> bool:
        """The worker is starting, moving tasks or restoring."""
        return self.status in (0, 409, 412, 503)

    @property
    def rank(self) -> int:
        """Order of usefulness among the answers of several workers, which may be of several applications."""
        if self.reason == "unknown-store":
            return 5
        return {200: 0, 503: 2, 409: 2, 412: 2, 0: 6}.get(self.status, 1)


class QueryClient:
    """Asks one worker. `endpoint` is `host:port`, or a URL; without a scheme it is https where a certificate is named
    in the environment (see `CERTIFICATES`)."""

    def __init__(self, endpoint: str, token: str | None) -> None:
        self.endpoint = endpoint
        certificate = next((os.environ[name] for name in CERTIFICATES if os.environ.get(name)), None)
        scheme = "http" if certificate is None else "https"
        self._url = endpoint.rstrip("/") if "://" in endpoint else f"{scheme}://{endpoint}"
        self._tls = ssl.create_default_context()
        if certificate is not None:
            self._tls.load_verify_locations(certificate)
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}

    def get(self, path: tuple[str, ...], words: Mapping[str, str | None]) -> Answer:
        """`GET /path?words`, JSON."""
        try:
            with closing(self._open(path, words, TIMEOUT_S)) as response:
                return Answer(status=response.status, body=msgspec.json.decode(response.read()))
        except urllib.error.HTTPError as error:
            with error:
                return refused(error)
        except OSError as error:
            return Answer(status=0, problem=f"no answer from the worker at {self.endpoint}: {error}")

    def changes(self, store: str, key: str | None) -> Iterator[tuple[str, Any]]:
        """(event, data) of the store's changes, for ever. The first one is `ready`. Raises what `urllib` does."""
        with closing(self._open(("changes", store), {"key": key}, None)) as response:
            name = ""
            for line in response:
                field, _, text = line.rstrip(b"\r\n").partition(b": ")
                if field == b"event":
                    name = text.decode()
                elif field == b"data":
                    yield name, msgspec.json.decode(text)

    def _open(self, path: tuple[str, ...], words: Mapping[str, str | None], timeout_s: float | None) -> Any:
        asked = urllib.parse.urlencode({word: text for word, text in words.items() if text is not None})
        where = "/".join(urllib.parse.quote(part, safe="") for part in path)
        request = urllib.request.Request(f"{self._url}/{where}{'?' if asked else ''}{asked}", headers=self._headers)
        return urllib.request.urlopen(request, timeout=timeout_s, context=self._tls)


def interruptible(items: Iterator[Item]) -> Iterator[Item]:
    """The same items, read by another thread: a Ctrl-C that comes just before this one would block in a read is only
    seen when that read returns, and nothing may come for hours. Raises what reading them does."""
    arrived: SimpleQueue[tuple[Item] | BaseException | None] = SimpleQueue()

    def read() -> None:
        try:
            for item in items:
                arrived.put((item,))
            arrived.put(None)
        except BaseException as error:
            arrived.put(error)

    Thread(target=read, name="changes", daemon=True).start()
    while True:
        try:
            found = arrived.get(timeout=LOOK_UP_S)
        except Empty:
            continue
        if found is None:
            return
        if isinstance(found, BaseException):
            raise found
        yield found[0]


def refused(error: urllib.error.HTTPError) -> Answer:
    """What the server says is wrong."""
    try:
        body: Any = msgspec.json.decode(error.read())
    except (msgspec.DecodeError, OSError):
        body = None
    words: dict[str, Any] = dict(body) if isinstance(body, dict) else {}  # pyright: ignore[reportUnknownArgumentType]
    problem = str(words.get("detail", f"{error.url}: {error.code} {error.reason}"))
    return Answer(status=error.code, problem=problem, reason=str(words.get("reason", "")))
