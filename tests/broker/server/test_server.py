"""The server as a whole, in the test's own event loop, with a clock the test moves."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from kio.schema.errors import ErrorCode

from broker import BrokerError, BrokerOptions, handlers
from broker.fetch.full import FullFetch
from broker.fetch.request import FetchRequest, Wanted
from broker.handlers import fetch, permissions, table
from broker.protocol import advertised
from broker.protocol.api_keys import ApiKey
from broker.protocol.batches import encode_batch
from broker.security.principal import ANONYMOUS
from broker.server.context import RequestContext
from broker.server.server import Server
from broker.state import BrokerState
from tests.broker.log.partitions import NOW, batch


def serve(path: Path, work: Callable[[Server], Awaitable[None]], **options: Any) -> None:
    """Runs a piece of work with a server, and closes it."""

    async def run() -> None:
        server = Server(BrokerOptions(**options), path, clock=lambda: NOW)
        await server.start()
        try:
            await asyncio.wait_for(work(server), 20)
        finally:
            await server.close()

    asyncio.run(run())


def want(state: BrokerState, *offsets: int, max_wait: int = 20_000, min_bytes: int = 1, **limits: int) -> Any:
    """Fetches partition 0, 1, … of topic t from these offsets; the body's parts or a future of them."""
    lines = [
        Wanted(partition, -1, offset, limits.get("partition_bytes", 1 << 20))
        for partition, offset in enumerate(offsets)
    ]
    request = FetchRequest(4, max_wait, min_bytes, limits.get("max_bytes", 1 << 20), 0, [("t", lines)])
    wanted = FullFetch(state, request)
    size, at_once, parts = wanted.answer()
    if at_once or size >= min_bytes or max_wait <= 0:
        return parts
    return fetch.ParkedFetch(wanted, request, min_bytes - size).future


def test_retention_is_applied_every_few_minutes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def work(server: Server) -> None:
        server.state.create_topic("t", 1, {"retention.ms": "1000"})
        log = server.state.logs.get("t", 0)
        assert log is not None
        log.append(batch("old", timestamp=NOW - 5_000, producer=(7, 0, 0)))
        assert server.chore is not None
        assert server.chore.when() == pytest.approx(server.loop.time() + 300, abs=30)
        server.tidy_up()
        assert (log.start_offset, log.high_watermark) == (1, 1)

    with caplog.at_level(logging.INFO):
        serve(tmp_path / "data", work)
    assert "t-0: retention dropped 1 segments; starts at 1" in caplog.text


def test_deleted_topic_answers_those_who_wait_for_it(tmp_path: Path) -> None:
    async def work(server: Server) -> None:
        server.state.create_topic("t", 1)
        waiting = want(server.state, 0)
        assert isinstance(waiting, asyncio.Future)
        server.state.delete_topic("t")
        body = b"".join(bytes(part) for part in await waiting)
        assert ErrorCode.unknown_topic_or_partition.to_bytes(2) in body
        assert not list((tmp_path / "data" / "logs").iterdir())
        assert not list((tmp_path / "data" / "topics").iterdir())

    serve(tmp_path / "data", work)


def test_deletion_under_a_pending_group_commit_is_survived(tmp_path: Path) -> None:
    async def work(server: Server) -> None:
        server.state.create_topic("t", 1)
        server.state.create_topic("u", 1)
        gone, stays = server.state.logs.get("t", 0), server.state.logs.get("u", 0)
        assert gone is not None
        assert stays is not None
        for log in (gone, stays):
            log.append_own(encode_batch([(b"k", b"v")], NOW))
        commits = [server.state.group_commit.wait(log) for log in (gone, stays)]
        await asyncio.sleep(0)
        server.state.delete_topic("t")
        await asyncio.gather(*commits, return_exceptions=True)
        assert commits[1].result() is None
        assert stays.high_watermark == 1

    serve(tmp_path / "data", work, fsync="always")


def test_fetch_serves_partitions_in_the_clients_order_within_its_limit(tmp_path: Path) -> None:
    """The first batch always comes; the rest while there is room."""

    async def work(server: Server) -> None:
        server.state.create_topic("t", 3)
        for partition in range(3):
            log = server.state.logs.get("t", partition)
            assert log is not None
            for value in "ab":
                log.append(batch(value * 20))
        size = len(batch("a" * 20))
        for max_bytes, expected in ((1, 1), (size, 1), (size * 3, 3), (size * 100, 6)):
            records = [part for part in want(server.state, 0, 0, 0, max_bytes=max_bytes) if isinstance(part, bytes)]
            assert sum(map(len, records)) == expected * size

    serve(tmp_path / "data", work)


def test_fetch_is_forgotten_when_its_client_is_gone(tmp_path: Path) -> None:
    async def work(server: Server) -> None:
        server.state.create_topic("t", 1)
        log = server.state.logs.get("t", 0)
        assert log is not None
        waiting = want(server.state, 0)
        assert len(log.waiters) == 1
        waiting.cancel()
        await asyncio.sleep(0)
        assert not log.waiters
        log.append(batch("v"))

    serve(tmp_path / "data", work)


def test_appends_of_one_tick_wake_a_fetch_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = 0
    real = FullFetch.answer

    def count(wanted: FullFetch) -> Any:
        nonlocal answers
        answers += 1
        return real(wanted)

    async def work(server: Server) -> None:
        server.state.create_topic("t", 1)
        log = server.state.logs.get("t", 0)
        assert log is not None
        waiting = want(server.state, 0)
        monkeypatch.setattr(FullFetch, "answer", count)
        for value in "abc":
            log.append(batch(value))
        parts = await waiting
        assert b"".join(bytes(part) for part in parts).count(log.reader.read(0, 1 << 20, at_least_one=True)) == 1
        assert answers == 1

    serve(tmp_path / "data", work)


def test_idle_producers_are_forgotten(tmp_path: Path) -> None:
    async def work(server: Server) -> None:
        server.state.create_topic("t", 1)
        log = server.state.logs.get("t", 0)
        assert log is not None
        log.append(batch("v", producer=(7, 0, 0)))
        server.tidy_up()
        assert list(log.producers.producers) == [7]
        server.clock = lambda: NOW + 86_400_001
        server.tidy_up()
        assert not log.producers.producers

    serve(tmp_path / "data", work)


def test_unknown_topic_default_is_refused_at_the_start(tmp_path: Path) -> None:
    async def start() -> None:
        await Server(BrokerOptions(topic_defaults={"retention.mss": "1"}), tmp_path / "data").start()

    with pytest.raises(BrokerError, match=r"topic_defaults: Unknown topic config name: retention\.mss"):
        asyncio.run(start())


# -- the table ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("key", advertised.ADVERTISED, ids=lambda key: key.name)
def test_advertised_api_has_a_handler_that_serves_these_versions(key: ApiKey) -> None:
    assert table.load_handler(key).api.key == key


def test_every_handler_is_advertised() -> None:
    """One that is not would never be called."""
    modules = [f"broker.handlers.{file.stem}" for file in Path(handlers.__path__[0]).glob("*.py")]
    served = {module.handle.api.key for module in map(import_module, modules) if hasattr(module, "handle")}
    assert served == advertised.ADVERTISED.keys()


@pytest.mark.parametrize(
    ("key", "versions", "message"),
    [
        (ApiKey.METADATA, (0, 14), "METADATA is advertised for versions 0-14 but served for 0-13"),
        (ApiKey.FETCH, (0, 18), "FETCH is advertised for versions 0-18 but served for 4-18"),
    ],
)
def test_handler_that_serves_other_versions_than_are_advertised_is_refused(
    monkeypatch: pytest.MonkeyPatch, key: ApiKey, versions: tuple[int, int], message: str
) -> None:
    monkeypatch.setattr(table, "ADVERTISED", {**advertised.ADVERTISED, key: versions})
    with pytest.raises(RuntimeError, match=message):
        table.HandlerTable().operation(key, 4)


def test_handler_of_another_api_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "broker.handlers.end_txn", import_module("broker.handlers.metadata"))
    with pytest.raises(RuntimeError, match=r"broker\.handlers\.end_txn serves METADATA"):
        table.HandlerTable().operation(ApiKey.END_TXN, 0)


def test_api_that_does_not_say_who_may_use_it_stops_the_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    rights = {key: rights for key, rights in permissions.PERMISSIONS.items() if key != ApiKey.END_TXN}
    monkeypatch.setattr(table, "PERMISSIONS", rights)
    with pytest.raises(RuntimeError, match=r"END_TXN does not say in broker\.handlers\.permissions who may use it"):
        asyncio.run(Server(BrokerOptions(), tmp_path / "data").start())


def test_handlers_raise_on_nothing_a_client_can_say(tmp_path: Path) -> None:
    """Partitions and topics that are not there are answered, not stumbled over."""
    from broker.handlers import list_offsets, offset_for_leader_epoch

    line = SimpleNamespace(
        partition_index=5, partition=5, current_leader_epoch=9, leader_epoch=3, timestamp=-99, offset=-7
    )

    async def work(server: Server) -> None:
        server.state.create_topic("t", 6)
        context = RequestContext(server.state, 9, None, "/test", ANONYMOUS, server.state.endpoints[0])
        for topic in ("t", "nowhere", ""):
            for module in (list_offsets, offset_for_leader_epoch):
                answer = cast(Any, module).look_up(context, topic, line)
                expected = ErrorCode.unknown_leader_epoch if topic == "t" else ErrorCode.unknown_topic_or_partition
                assert answer["error_code"] is expected

    serve(tmp_path / "data", work)
