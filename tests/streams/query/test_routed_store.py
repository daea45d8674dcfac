"""Typed reads from within an event loop: of this worker, of another one, and while partitions move."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest

from streams import QueryError, Windowed
from streams.query.local_store import find_store
from streams.query.peers import Peers
from streams.query.placement import Placement
from streams.query.routed_store import RoutedStore, routed_store
from streams.query.stored import PAGE, StoredReads
from streams.state import ValueAndTimestamp, VersionedRecord
from tests.streams.query.shop import COUNTS, HOUR_MS, Group, User, Worker, shop
from tests.streams.query.test_pages import KEYS, USERS, fill, of_key

Ask = Callable[[Callable[[str], Any]], Awaitable[Any]]


@pytest.fixture(scope="module")
def filled() -> Iterator[tuple[Group, Worker]]:
    """For tests that change nothing: the worker has half of the rows."""
    with Group(shop(), COUNTS) as group:
        yield fill(group)


def asked(worker: Worker, ask: Ask, patience_s: float = 0.0) -> Any:
    """What a program in the worker's process gets; it is given a function that makes stores by their names."""

    async def program() -> Any:
        peers = Peers("shop", None, None)
        reads = StoredReads(Placement(worker), peers)

        def store(name: str) -> RoutedStore:
            return routed_store(find_store(worker.partitions.plan, name), lambda: reads, patience_s)

        try:
            return await ask(store)
        finally:
            await peers.close()

    return asyncio.run(program())


async def listed(rows: AsyncIterator[Any]) -> list[Any]:
    return [row async for row in rows]


def test_row_is_the_same_here_and_elsewhere(filled: tuple[Group, Worker]) -> None:
    """With its own type, whichever worker has it."""
    _, worker = filled

    async def ask(store: Callable[[str], Any]) -> Any:
        return [await store("users").get(number) for number in range(USERS + 1)]

    rows = asked(worker, ask)
    assert rows[:USERS] == [ValueAndTimestamp(User(f"u{number}"), number) for number in range(USERS)]
    assert rows[USERS] is None
    assert {of_key(number.to_bytes(8, "big")) for number in range(USERS)} == {0, 1, 2, 3}


def test_ranges_go_through_all_partitions(filled: tuple[Group, Worker]) -> None:
    _, worker = filled

    async def ask(store: Callable[[str], Any]) -> Any:
        users, prices = store("users"), store("prices")
        return (
            await listed(users.all()),
            await listed(users.reverse_all()),
            await listed(users.range(5, 20)),
            [(await prices.get(key)) for key in KEYS],
        )

    whole, backward, some, prices = asked(worker, ask)
    assert whole == backward[::-1]
    assert sorted(key for key, _ in whole) == list(range(USERS))
    assert sorted(key for key, _ in some) == list(range(5, 21))
    assert all(value == (User(f"u{key}"), key) for key, value in whole)
    assert prices == [VersionedRecord(number, 10 + number) for number in range(len(KEYS))]


def test_windows_and_sessions_have_their_bounds(filled: tuple[Group, Worker]) -> None:
    _, worker = filled

    async def ask(store: Callable[[str], Any]) -> Any:
        hourly, visits = store("hourly"), store("visits")
        found: list[Any] = []
        for number, key in enumerate(KEYS):
            assert await hourly.get(key, 2 * HOUR_MS) == (number, 2)
            assert await hourly.get(key, 77) is None
            starts = [start for start, _ in await listed(hourly.fetch(key, HOUR_MS, 3 * HOUR_MS))]
            assert starts == [HOUR_MS, 2 * HOUR_MS, 3 * HOUR_MS]
            assert [s for s, _ in await listed(hourly.backward_fetch(key, HOUR_MS, 3 * HOUR_MS))] == starts[::-1]
            sessions = [(Windowed(key, hour * 1000, hour * 1000 + 100 * (hour + 1)), hour) for hour in range(5)]
            assert await listed(visits.fetch(key)) == sessions
            assert await listed(visits.backward_fetch(key)) == sessions[::-1]
            assert await listed(visits.find_sessions(key, 1200, 3000)) == sessions[1:4]
            assert await visits.fetch_session(key, 2000, 2300) == 2
            assert await visits.fetch_session(key, 2000, 2400) is None
        found += await listed(hourly.fetch_keys("ab", "b", HOUR_MS, HOUR_MS))
        return found, await listed(hourly.all()), await listed(visits.all())

    some, windows, sessions = asked(worker, ask)
    assert sorted(key for key, _ in some) == [Windowed(k, HOUR_MS, 2 * HOUR_MS) for k in ("ab", "abc", "b")]
    assert len({key for key, _ in windows}) == len({key for key, _ in sessions}) == len(KEYS) * 5


def test_versions_of_a_key_are_found_by_time(group: Group) -> None:
    for key, price in (("a", 1), ("b", 2), ("c", 3)):
        store = group.store("prices", of_key(key.encode()))
        store.put(key.encode(), price, 100)
        store.put(key.encode(), price * 10, 200)
    group.commit()
    group.worker(*group.of((0, 1)))
    worker = group.worker(*group.of((2, 3)))

    async def ask(store: Callable[[str], Any]) -> Any:
        prices = store("prices")
        return [
            (await prices.as_of(key, 150), await prices.as_of(key, 50), await listed(prices.versions(key, 0, 300)))
            for key in ("a", "b", "c")
        ]

    for (then, before, versions), price in zip(asked(worker, ask), (1, 2, 3), strict=True):
        assert before is None
        assert then[:2] == (price, 100)
        assert versions == [(price, 100, 200), (price * 10, 200, -1)]


def test_scan_of_more_rows_than_a_page_has_all_of_them(group: Group) -> None:
    rows = PAGE + 7
    for number in range(rows):
        group.store("users", 1).put(number.to_bytes(8, "big"), (User(""), number))
    group.commit()
    group.worker(*group.of((0, 1)))
    worker = group.worker(*group.of((2, 3)))
    for there in (worker, group.workers[0]):
        assert [key for key, _ in asked(there, lambda store: listed(store("users").all()))] == list(range(rows))


def test_read_waits_for_a_partition_that_moves_and_no_longer_than_it_may(group: Group) -> None:
    group.store("users", of_key((1).to_bytes(8, "big"))).put((1).to_bytes(8, "big"), (User("u1"), 1))
    group.commit()
    worker = group.worker()
    with pytest.raises(QueryError, match="moving from one worker to another") as raised:
        asked(worker, lambda store: store("users").get(1))
    assert raised.value.retriable

    async def ask(store: Callable[[str], Any]) -> Any:
        reading = asyncio.ensure_future(store("users").get(1))
        await asyncio.sleep(0)
        assert not reading.done()
        worker.running = frozenset(group.plan.tasks)
        return await reading

    assert asked(worker, ask, patience_s=30) == (User("u1"), 1)


def test_read_says_at_once_what_waiting_does_not_cure(filled: tuple[Group, Worker]) -> None:
    """Rows of a worker that cannot be reached are named with its address."""
    with Group(shop(), COUNTS) as group:
        fill(group)
        group.workers[0].server.stop()

        async def ask(store: Callable[[str], Any]) -> Any:
            return await listed(store("users").all())

        with pytest.raises(QueryError, match=f"the worker at {group.workers[0].endpoint} has the key"):
            asked(group.workers[1], ask)
