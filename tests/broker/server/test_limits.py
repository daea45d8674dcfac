"""What one client can take from the others: connections, memory, time."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from broker import BrokerOptions
from broker.protocol.batches import encode_batch
from broker.server import connection
from broker.server.limits import ConnectionLimits
from broker.server.server import Server
from tests.broker.server.test_connection import API_VERSIONS, fetch, frame, metadata, produce

NOW = 1_700_000_000_000


class Bench:
    """A server whose limits go by a clock that the test moves."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.now = 0.0
        self.opened: list[asyncio.StreamWriter] = []
        server.limits.clock = lambda: self.now

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        known = set(self.server.connections)
        streams = await asyncio.open_connection("127.0.0.1", self.server.port)
        self.opened.append(streams[1])
        await self.until(lambda: bool(self.server.connections - known) or streams[0].at_eof())
        for new in self.server.connections - known:
            new.active = self.now
        return streams

    async def sweep(self, after: float) -> None:
        self.now += after
        self.server.limits.sweep(self.server.connections)
        await asyncio.sleep(0)

    async def until(self, condition: Callable[[], bool]) -> None:
        while not condition():  # noqa: ASYNC110  (what is waited for tells nobody)
            await asyncio.sleep(0)

    def only(self) -> connection.Connection:
        (found,) = self.server.connections
        return found


def run(path: Path, work: Callable[[Bench], Awaitable[None]], **options: Any) -> None:
    async def serve() -> None:
        server = Server(BrokerOptions(**options), path / "data", clock=lambda: NOW)
        await server.start()
        bench = Bench(server)
        try:
            await asyncio.wait_for(work(bench), 30)
        finally:
            for out in bench.opened:
                out.transport.abort()
            await server.close()
            await asyncio.sleep(0)

    asyncio.run(serve())


async def answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    (size,) = struct.unpack(">i", await reader.readexactly(4))
    data = await reader.readexactly(size)
    return struct.unpack(">i", data[:4])[0], data[4:]


async def is_closed(reader: asyncio.StreamReader) -> bool:
    try:
        return await reader.read(1) == b""
    except ConnectionResetError:
        return True


def test_connection_beyond_the_limit_is_closed(tmp_path: Path) -> None:
    """Those that are there go on; one that leaves makes room."""

    async def work(bench: Bench) -> None:
        (first, first_out), (_, second_out) = await bench.connect(), await bench.connect()
        third, _ = await bench.connect()
        assert await is_closed(third)
        first_out.write(frame(API_VERSIONS, 0, 7))
        assert (await answer(first))[0] == 7
        second_out.close()
        await bench.until(lambda: bench.server.limits.total == 1)
        fourth, fourth_out = await bench.connect()
        fourth_out.write(frame(API_VERSIONS, 0, 8))
        assert (await answer(fourth))[0] == 8

    run(tmp_path, work, max_connections=2)


def test_connections_of_an_address_are_limited(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        await bench.connect()
        second, _ = await bench.connect()
        assert await is_closed(second)
        await bench.until(lambda: bench.server.limits.by_host == {"/127.0.0.1": 1})

    run(tmp_path, work, max_connections_per_ip=1)


def test_connections_leave_half_of_the_open_files_to_logs() -> None:
    limits = ConnectionLimits(BrokerOptions(), clock=lambda: 0.0, open_files=20)
    assert [limits.admit("/a") is None for _ in range(11)] == [True] * 10 + [False]


def test_idle_connection_is_closed(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        idle, _ = await bench.connect()
        busy, busy_out = await bench.connect()
        await bench.sweep(599)
        busy_out.write(frame(API_VERSIONS, 0, 1))
        await answer(busy)
        await bench.sweep(2)
        assert await is_closed(idle)
        assert len(bench.server.connections) == 1

    run(tmp_path, work)


def test_waiting_fetch_is_not_idle(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        reader, out = await bench.connect()
        out.write(metadata(1, "t") + fetch(2, "t", 0, max_wait=2_000_000))
        await answer(reader)
        await bench.until(lambda: len(bench.only().answers) == 1)
        await bench.sweep(1_000)
        await bench.sweep(1_000)
        assert len(bench.server.connections) == 1

    run(tmp_path, work)


def test_request_that_drips_in_is_cut(tmp_path: Path) -> None:
    """However often a byte comes; a request that is on its way at a fair speed is not."""

    async def work(bench: Bench) -> None:
        slow, slow_out = await bench.connect()
        whole = produce(1, "t", bytes(2_000_000))
        slow_out.write(whole[:10])
        await bench.until(lambda: bench.only().end == 10)
        fair, fair_out = await bench.connect()
        fair_out.write(whole[:1_000_000])
        await bench.until(lambda: any(one.end == 1_000_000 for one in bench.server.connections))
        await bench.sweep(0)
        for number in range(10, 35):
            slow_out.write(whole[number : number + 1])
            await bench.until(lambda end=number + 1: any(one.end == end for one in bench.server.connections))
            await bench.sweep(1)
        assert len(bench.server.connections) == 2
        await bench.sweep(6)
        assert await is_closed(slow)
        fair_out.write(whole[1_000_000:])
        assert (await answer(fair))[0] == 1

    run(tmp_path, work)


def test_large_request_gets_its_memory_as_it_comes(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        reader, out = await bench.connect()
        out.write(metadata(1, "t"))
        await answer(reader)
        whole = produce(2, "t", bytes(encode_batch([(None, bytes(60_000_000))], NOW)))
        out.write(whole[:1_000])
        await bench.until(lambda: bench.only().end == 1_000)
        assert len(bench.only().buffer) <= connection.KEPT_BUFFER_SIZE
        assert bench.server.limits.reserved == 0
        out.write(whole[1_000:])
        assert (await answer(reader))[0] == 2
        assert bench.server.limits.reserved == 0
        assert len(bench.only().buffer) == connection.BUFFER_SIZE

    run(tmp_path, work, topic_defaults={"max.message.bytes": "100000000"})


def test_large_requests_share_a_bounded_memory(tmp_path: Path) -> None:
    """The second one is not read from until the first one is through; then it is served."""

    async def work(bench: Bench) -> None:
        (first, first_out), (second, second_out) = await bench.connect(), await bench.connect()
        first_out.write(metadata(1, "t"))
        await answer(first)
        whole = produce(2, "t", bytes(encode_batch([(None, bytes(20_000_000))], NOW)))
        first_out.write(whole[:-1])
        await bench.until(lambda: any(one.end == len(whole) - 1 for one in bench.server.connections))
        second_out.write(whole)
        await bench.until(lambda: len(bench.server.limits.waiting) == 1)
        (held,) = bench.server.limits.waiting
        assert not held.reading
        assert len(held.buffer) <= connection.KEPT_BUFFER_SIZE
        assert bench.server.limits.reserved == len(whole)
        await bench.sweep(0)
        await bench.sweep(20)
        assert len(bench.server.connections) == 2, "it is not the second one's fault that it waits"
        first_out.write(whole[-1:])
        assert (await answer(first))[0] == 2
        assert (await answer(second))[0] == 2
        assert bench.server.limits.reserved == 0

    run(
        tmp_path,
        work,
        queued_max_request_bytes=25_000_000,
        topic_defaults={"max.message.bytes": "100000000"},
    )


def test_memory_of_a_client_that_leaves_is_given_back(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        _, out = await bench.connect()
        out.write(produce(2, "t", bytes(20_000_000))[:-1])
        await bench.until(lambda: bench.server.limits.reserved > 20_000_000)
        out.transport.abort()
        await bench.until(lambda: not bench.server.connections)
        assert (bench.server.limits.reserved, bench.server.limits.total) == (0, 0)

    run(tmp_path, work)


def test_buffer_of_a_connection_without_requests_shrinks(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        reader, out = await bench.connect()
        out.write(produce(1, "t", bytes(1_000_000)))
        await answer(reader)
        assert len(bench.only().buffer) > 1_000_000
        await bench.sweep(5)
        assert len(bench.only().buffer) == connection.BUFFER_SIZE
        out.write(produce(2, "t", bytes(1_000_000)))
        assert (await answer(reader))[0] == 2

    run(tmp_path, work)


def test_answers_that_are_not_read_count_against_all_fetches(tmp_path: Path) -> None:
    """What is left of the bound, or one batch, is all a fetch is given; when they are read, all is as before."""
    batch = bytes(encode_batch([(None, bytes(900_000))], NOW))

    async def work(bench: Bench) -> None:
        writer, out = await bench.connect()
        out.write(metadata(1, "t"))
        await answer(writer)
        for number in range(40):
            out.write(produce(number, "t", batch))
            await answer(writer)
        reader, reading = await bench.connect()
        body = struct.pack(">iiiib", -1, 0, 1, 50 << 20, 0) + struct.pack(">i", 1) + struct.pack(">h", 1) + b"t"
        greedy = frame(1, 4, 5, body + struct.pack(">iiqi", 1, 0, 0, 50 << 20))
        reading.write(greedy)
        await bench.until(lambda: bench.server.state.unsent > 0)
        left = 10_000_000 - bench.server.state.unsent
        out.write(greedy)
        assert len((await answer(writer))[1]) < max(left, len(batch)) + 100
        assert len((await answer(reader))[1]) > 8_000_000
        await bench.until(lambda: bench.server.state.unsent == 0)
        out.write(greedy)
        assert len((await answer(writer))[1]) > 8_000_000

    run(tmp_path, work, queued_max_response_bytes=10_000_000)


def test_unread_answers_of_a_client_that_leaves_count_no_more(tmp_path: Path) -> None:
    batch = bytes(encode_batch([(None, bytes(900_000))], NOW))

    async def work(bench: Bench) -> None:
        writer, out = await bench.connect()
        out.write(metadata(1, "t"))
        await answer(writer)
        out.write(produce(2, "t", batch) + b"".join(fetch(number, "t", 0, max_wait=0) for number in range(60)))
        await bench.until(lambda: bench.server.state.unsent > 0)
        out.transport.abort()
        await bench.until(lambda: not bench.server.connections)
        assert bench.server.state.unsent == 0

    run(tmp_path, work)


def test_many_requests_at_once_leave_others_their_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "FRAMES_PER_TURN", 10)

    async def work(bench: Bench) -> None:
        reader, out = await bench.connect()
        turns: list[int] = []

        def turn() -> None:
            turns.append(bench.only().handled)
            if turns[-1] < 1_000:
                bench.server.loop.call_soon(turn)

        turn()
        out.write(b"".join(frame(API_VERSIONS, 0, number) for number in range(1_000)))
        assert [(await answer(reader))[0] for _ in range(1_000)] == list(range(1_000))
        assert max(after - before for before, after in pairwise(turns)) <= 20

    run(tmp_path, work)


def test_log_is_not_filled_by_those_who_are_closed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def work(bench: Bench) -> None:
        for _ in range(150):
            reader, out = await bench.connect()
            out.write(b"\xff\xff\xff\xff")
            assert await is_closed(reader)
        await bench.sweep(1)

    run(tmp_path, work)
    lines = [record.message for record in caplog.records if record.name == "broker.server"]
    assert len(lines) == 101
    assert lines[-1] == "50 more connections were closed for such reasons"
