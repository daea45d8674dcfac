"""Gets that share requests to another worker."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import msgspec
import pytest

from streams.query.http_connection import Response
from streams.query.peers import Get, Got, Peer, decode_gets


class Echo(Peer):
    """A worker that answers each get with its key, or with whatever `answer` is."""

    def __init__(self) -> None:
        super().__init__("127.0.0.1:1", None, {})
        self.batches: list[int] = []
        self.answer: Response | None = None

    async def request(
        self,
        method: str,
        target: str,
        *,
        body: bytes = b"",
        timeout_s: float = 5.0,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        gets = decode_gets(body)
        self.batches.append(len(gets))
        await asyncio.sleep(0)
        return self.answer or Response(200, {}, msgspec.msgpack.encode([Got(200, get.key) for get in gets]))


def test_get_right_after_the_answer_to_another_is_sent_too() -> None:
    """Whoever carried the other has looked for the last time, and is not done yet."""

    async def ask() -> list[bytes]:
        peer = Echo()
        async with asyncio.timeout(5):
            return [(await peer.get(Get("s", 0, b"%d" % n))).body for n in range(3)]

    assert asyncio.run(ask()) == [b"0", b"1", b"2"]


def test_gets_that_come_while_a_request_is_under_way_share_the_next() -> None:
    async def ask() -> tuple[list[bytes], list[int]]:
        peer = Echo()
        first = peer.get(Get("s", 0, b"0"))
        await asyncio.sleep(0)
        others = [peer.get(Get("s", 0, b"%d" % n)) for n in range(1, 6)]
        return [got.body for got in await asyncio.gather(first, *others)], peer.batches

    found, batches = asyncio.run(ask())
    assert found == [b"%d" % n for n in range(6)]
    assert batches == [1, 5]


@pytest.mark.parametrize(
    ("answer", "status", "reason"),
    [
        (Response(200, {}, b"\xc1"), 503, b"unreachable"),
        (Response(200, {}, msgspec.msgpack.encode([])), 503, b"unreachable"),
        (Response(401, {}, b'{"detail": "no"}'), 503, b"unreachable"),
        (Response(409, {"retry-after": "1"}, b'{"detail": "no", "reason": "moving"}'), 409, b"moving"),
    ],
)
def test_gets_answered_with_something_else_say_so(answer: Response, status: int, reason: bytes) -> None:
    async def ask() -> list[Got]:
        peer = Echo()
        peer.answer = answer
        return list(await asyncio.gather(*(peer.get(Get("s", 0, b"k")) for _ in range(2))))

    for got in asyncio.run(ask()):
        assert (got.status, got.retry_after_s) == (status, 1)
        assert b'"reason":"%s"' % reason in got.body
