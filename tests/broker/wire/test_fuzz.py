"""Whatever bytes come, the broker goes on, and nothing is left of who sent them.

The long run with real clients' traffic is `python -m tests.soak.wire`; this is the quick one, with a server in this
process, so that what stays behind can be counted.
"""

from __future__ import annotations

import asyncio
import logging
import struct
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broker.protocol.batches import encode_batch
from broker.server.listener import Endpoint
from broker.server.server import Server
from tests.broker.security.authority import Authority
from tests.broker.server.test_connection import API_VERSIONS, fetch, frame, metadata, produce
from tests.soak.wire_frames import VERSIONS, FrameMaker, with_size
from tests.soak.wire_gate import Call, GateMaker, client_context, guarded_options, hold
from tests.soak.wire_traffic import NOW

SEEDS = [
    frame(API_VERSIONS, 0, 1),
    metadata(2, "fuzz-plain"),
    produce(3, "fuzz-plain", bytes(encode_batch([(b"k", b"v")], NOW))),
    fetch(4, "fuzz-plain", 0, max_wait=0),
]
"""What is damaged here; the long run has recordings."""


class FuzzBench:
    """A server in an event loop of the test's own, which runs while something is sent."""

    def __init__(self, path: Path) -> None:
        self.loop = asyncio.new_event_loop()
        options = guarded_options(Authority.new(), auto_create_topics=False, topic_defaults={"retention.ms": "-1"})
        self.server = Server(options, path)
        self.loop.run_until_complete(self.server.start())
        for name in ("fuzz-plain", "bystander"):
            self.server.state.create_topic(name, 2)
        self.tasks = len(asyncio.all_tasks(self.loop))

    def close(self) -> None:
        self.loop.run_until_complete(self.server.close())
        self.loop.close()

    def send(self, data: bytes) -> None:
        self.loop.run_until_complete(asyncio.wait_for(self.talk(data), 20))

    def hold(self, endpoint: Endpoint, call: Call) -> None:
        """Makes a call to one of the listeners, from a thread, and waits until nothing is left of it."""
        work = self.loop.run_in_executor(None, hold, endpoint, call, CLIENT)
        self.loop.run_until_complete(asyncio.wait_for(work, 20))
        self.loop.run_until_complete(asyncio.wait_for(self.settle(), 20))

    async def settle(self) -> None:
        await self.serve_bystander()
        while self.server.connections or len(asyncio.all_tasks()) > self.tasks + 2:  # noqa: ASYNC110
            await asyncio.sleep(0)

    async def talk(self, data: bytes) -> None:
        """Sends it, waits until the broker hangs up, and has somebody else served."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.server.port)
        try:
            writer.write(data)
            writer.write_eof()
            await reader.read(-1)
        except ConnectionError:
            pass
        finally:
            writer.transport.abort()
        await self.serve_bystander()
        while self.server.connections:  # noqa: ASYNC110  (the end of a connection tells nobody)
            await asyncio.sleep(0)

    async def serve_bystander(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.server.port)
        log = self.server.state.logs.get("bystander", 0)
        assert log is not None
        end = log.end_offset
        writer.write(produce(1, "bystander", bytes(encode_batch([(b"k", b"value")], NOW))))
        writer.write(fetch(2, "bystander", end, max_wait=5_000))
        for number in (1, 2):
            (size,) = struct.unpack(">i", await reader.readexactly(4))
            answer = await reader.readexactly(size)
            assert struct.unpack(">i", answer[:4])[0] == number
        assert b"value" in answer
        writer.transport.abort()

    def check(self) -> None:
        """Nobody is left: no connection, no task, no waiting fetch, no memory."""
        server, state = self.server, self.server.state
        assert server.limits.total == 0
        assert server.limits.reserved == 0
        assert not server.limits.by_host
        assert state.unsent == 0
        for log in state.logs:
            assert not log.waiters
            assert not log.stable.waiters
        self.loop.run_until_complete(asyncio.sleep(0))
        assert len(asyncio.all_tasks(self.loop)) <= self.tasks


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FuzzBench]:
    made = FuzzBench(tmp_path_factory.mktemp("wire") / "data")
    yield made
    made.close()


CLIENT = client_context()
QUICK = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(autouse=True)
def no_handler_fails(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """What nobody foresaw is logged as an error; a client that is cut off is a warning."""
    with caplog.at_level(logging.ERROR):
        yield
    assert [record.message for record in caplog.records if record.levelno >= logging.ERROR] == []


@QUICK
@given(data=st.binary(max_size=200))
def test_noise_leaves_nothing_behind(bench: FuzzBench, data: bytes) -> None:
    bench.send(data)
    bench.check()


@QUICK
@given(operation=st.sampled_from(VERSIONS), body=st.binary(max_size=120), tags=st.booleans())
def test_noise_behind_a_good_header_leaves_nothing_behind(
    bench: FuzzBench, operation: tuple[int, int], body: bytes, tags: bool
) -> None:
    key, version = operation
    head = struct.pack(">hhih", key, version, 7, 4) + b"fuzz" + (b"\0" if tags else b"")
    bench.send(with_size(head + body))
    bench.check()


@QUICK
@given(
    seed=st.sampled_from(SEEDS),
    edits=st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), min_size=1, max_size=4),
    cut=st.integers(0, 8),
)
def test_damaged_requests_leave_nothing_behind(
    bench: FuzzBench, seed: bytes, edits: list[tuple[int, int]], cut: int
) -> None:
    content = bytearray(seed[4 : len(seed) - cut])
    for position, value in edits:
        content[position % len(content)] = value
    bench.send(with_size(bytes(content)))
    bench.check()


@QUICK
@given(seed=st.integers(0, 2**32))
def test_strange_but_well_formed_requests_are_answered(bench: FuzzBench, seed: int) -> None:
    """Of any API and version, several on one connection."""
    maker = FrameMaker(Random(seed), SEEDS)
    bench.send(b"".join(maker.well_formed() for _ in range(5)))
    bench.check()


@QUICK
@given(seed=st.integers(0, 2**32))
def test_calls_to_guarded_listeners_leave_nothing_behind(bench: FuzzBench, seed: int) -> None:
    """Conversations by SASL, right and wrong; TLS, whole, broken off, or none at all."""
    random = Random(seed)
    gate = GateMaker(random, FrameMaker(random, SEEDS))
    for accepting in bench.server.listeners[1:]:
        bench.hold(accepting.endpoint, gate.call(accepting.endpoint))
    bench.check()


@pytest.mark.parametrize("size", [2**31 - 1, -1, -(2**31), 0, 9, 104_857_601])
def test_impossible_sizes_are_cut(bench: FuzzBench, size: int) -> None:
    bench.send(struct.pack(">i", size) + b"x" * 20)
    bench.check()


def test_announced_size_takes_no_memory(bench: FuzzBench) -> None:
    bench.send(struct.pack(">i", 100_000_000) + b"x" * 20)
    bench.check()


@pytest.mark.parametrize(
    "body",
    [
        struct.pack(">hhii", -1, 1, 1_000, 2**31 - 1) + struct.pack(">hi", -6, 0) * 3,
        struct.pack(">hhii", -1, 1, 1_000, 2**31 - 1) + struct.pack(">hi", -32_768, 0) * 3,
    ],
)
def test_negative_length_does_not_make_reading_go_round(bench: FuzzBench, body: bytes) -> None:
    """It led back to where the count of two billion topics began anew."""
    bench.send(frame(0, 3, 1, body))
    bench.check()
