"""Asks other workers of the application.

Gets of one row, which are many and small, share requests: those that come while one is on its way to a worker go
together in the next. So a request's cost, and the wait for the other process's interpreter lock, is that of a batch.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Mapping
from typing import Any

import msgspec

from streams.query.http_connection import HttpConnection, Response
from streams.query.problem import NotReady, Problem, Relayed

CONNECT_TIMEOUT_S = 2.0
ANSWER_TIMEOUT_S = 5.0
IDLE_S = 30.0
"""A connection that has not been used for so long is not trusted any more; the server closes it after 75 s."""
LONGEST_BATCH = 512
BATCHES_AT_ONCE = 1
"""More, and smaller ones, cost both processes more than the wait for the one before."""
FORWARDED = "X-Headrace-Forwarded"
"""Marks a question from worker to worker, with the application's id: whoever gets it answers for himself or not at all,
and not if he is another application's, which listens where a worker of ours did before."""
GETS = "/peers/gets"


class Get(msgspec.Struct, frozen=True, array_like=True):
    """One row wanted, by its serialised key."""

    store: str
    partition: int
    key: bytes


class Got(msgspec.Struct, frozen=True, array_like=True):
    """`body` is the row as JSON, b"" if there is none; with a status other than 200 and 404, why not."""

    status: int
    body: bytes = b""
    position: str = ""
    retry_after_s: int | None = None


encode_gets = msgspec.msgpack.Encoder().encode
decode_gets = msgspec.msgpack.Decoder(list[Get]).decode
decode_got = msgspec.msgpack.Decoder(list[Got]).decode


class Peer:
    """Another worker: connections to it, and the gets that wait. Owned by the query server's loop."""

    def __init__(self, endpoint: str, tls: ssl.SSLContext | None, headers: dict[str, str]) -> None:
        self.endpoint = endpoint
        self._tls = tls
        self._headers = headers
        self._free: list[HttpConnection] = []
        self._waiting: deque[tuple[Get, asyncio.Future[Got]]] = deque()
        self._carriers: set[asyncio.Task[None]] = set()
        self._carrying = 0
        """How many of them will look for more. A task that has looked for the last time is not done at once, so its
        being in the set does not tell."""

    async def request(
        self,
        method: str,
        target: str,
        *,
        body: bytes = b"",
        timeout_s: float = ANSWER_TIMEOUT_S,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Raises NotReady: the worker cannot be reached, or does not answer."""
        sent = self._headers | dict(headers or {})
        try:
            while True:
                connection = self._from_pool() or await HttpConnection.connect(
                    self.endpoint, self._tls, timeout_s=CONNECT_TIMEOUT_S
                )
                reused = connection.answered > 0
                try:
                    response = await connection.request(method, target, sent, body, timeout_s)
                except ConnectionError:
                    if reused:  # it was closed while it lay idle; nothing here changes anything, so ask again
                        continue
                    raise
                self._to_pool(connection)
                return response
        except (OSError, TimeoutError) as error:  # ConnectionError and ssl.SSLError are OSErrors
            raise NotReady(
                "unreachable",
                f"the worker at {self.endpoint} has the key and does not answer ({error or 'no answer in time'}): "
                "ask again when it is back, or others have taken over",
            ) from error

    def get(self, get: Get) -> asyncio.Future[Got]:
        """The answer to come; never an exception."""
        answer: asyncio.Future[Got] = asyncio.get_running_loop().create_future()
        self._waiting.append((get, answer))
        if self._carrying < BATCHES_AT_ONCE:
            self._carrying += 1
            carrier = asyncio.ensure_future(self._carry())
            self._carriers.add(carrier)
            carrier.add_done_callback(self._carriers.discard)
        return answer

    async def close(self) -> None:
        for carrier in self._carriers:
            carrier.cancel()
        await asyncio.gather(*self._carriers, return_exceptions=True)
        for connection in self._free:
            connection.close()
            await connection.closed

    async def _carry(self) -> None:
        """Sends batches as long as there is anything to send."""
        try:
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), LONGEST_BATCH))]
                for (_, answer), got in zip(batch, await self._answers([get for get, _ in batch])):
                    if not answer.done():
                        answer.set_result(got)
        finally:
            self._carrying -= 1

    async def _answers(self, gets: list[Get]) -> list[Got]:
        """One for each, whatever happens."""
        try:
            response = await self.request("POST", GETS, body=encode_gets(gets))
            if response.status != 200:
                raise relayed(response)
            answers = decode_got(response.body)
            if len(answers) == len(gets):
                return answers
            problem: Problem = NotReady("unreachable", f"the worker at {self.endpoint} answers something else")
        except msgspec.DecodeError as error:
            problem = NotReady("unreachable", f"the worker at {self.endpoint} speaks another version: {error}")
        except Problem as error:
            problem = error
        return [Got(problem.status, msgspec.json.encode(problem.body()), "", problem.retry_after_s)] * len(gets)

    def _from_pool(self) -> HttpConnection | None:
        now = asyncio.get_running_loop().time()
        while self._free:
            connection = self._free.pop()
            if connection.usable and now - connection.used_at < IDLE_S:
                return connection
            connection.close()
        return None

    def _to_pool(self, connection: HttpConnection) -> None:
        if connection.usable:
            connection.used_at = asyncio.get_running_loop().time()
            self._free.append(connection)


class Peers:
    """All workers that have been asked so far. Owned by the query server's loop."""

    def __init__(self, application_id: str, tls: ssl.SSLContext | None, token: str | None) -> None:
        self._tls = tls
        self._headers = {FORWARDED: application_id}
        if token is not None:
            self._headers["Authorization"] = f"Bearer {token}"
        self._peers: dict[str, Peer] = {}

    def at(self, endpoint: str) -> Peer:
        peer = self._peers.get(endpoint)
        if peer is None:
            peer = self._peers[endpoint] = Peer(endpoint, self._tls, self._headers)
        return peer

    async def close(self) -> None:
        for peer in self._peers.values():
            await peer.close()


def relayed(response: Response) -> Problem:
    """What another worker said was wrong; that it does not want to be asked (another token, another application) is no
    fault of whoever asked us."""
    try:
        body: Any = msgspec.json.decode(response.body)
    except msgspec.DecodeError:
        body = {}
    words: dict[str, Any] = dict(body) if isinstance(body, dict) else {}  # pyright: ignore[reportUnknownArgumentType]
    if response.status in (401, 421):
        return NotReady("unreachable", f"the worker that has the key refuses to be asked: {words.get('detail')}")
    after = response.headers.get("retry-after", "")
    return Relayed(response.status, words, int(after) if after.isdecimal() else None)
