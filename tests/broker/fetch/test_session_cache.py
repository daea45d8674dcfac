"""Who gets a fetch session, and who has to make room."""

from __future__ import annotations

from itertools import count

import pytest

from broker.fetch import session_cache
from broker.fetch.request import FetchRequest, Wanted
from broker.fetch.session_cache import EVICTION_MS, FetchSessionCache


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000

    def __call__(self) -> int:
        return self.now


def request(partitions: int, first: int = 0, *, forgotten: tuple[int, ...] = ()) -> FetchRequest:
    lines = [Wanted(first + number, -1, 0, 1_000) for number in range(partitions)]
    return FetchRequest(12, 0, 1, 1_000, 0, [("t", lines)], 0, 0, tuple(("t", number) for number in forgotten))


def cache(slots: int, clock: Clock) -> FetchSessionCache:
    return FetchSessionCache(slots, clock=clock, new_id=count(1).__next__)


def test_open_with_room_gives_a_session_of_the_partitions() -> None:
    sessions = cache(2, Clock())
    session = sessions.open(request(3))
    assert session is not None
    assert sessions.get(session.id) is session
    assert [number for _, number in session.partitions] == [0, 1, 2]
    assert (len(sessions), sessions.partitions) == (1, 3)


def test_open_with_an_id_in_use_takes_another_one() -> None:
    ids = iter((7, 7, 8))
    sessions = FetchSessionCache(2, clock=Clock(), new_id=lambda: next(ids))
    first, second = sessions.open(request(1)), sessions.open(request(1))
    assert first is not None
    assert second is not None
    assert (first.id, second.id) == (7, 8)


def test_open_in_a_full_cache_gives_no_session_while_all_are_young() -> None:
    sessions = cache(1, Clock())
    assert sessions.open(request(1)) is not None
    assert sessions.open(request(9)) is None
    assert sessions.evictions == 0


def test_open_in_a_full_cache_evicts_what_was_not_used_for_two_minutes() -> None:
    clock = Clock()
    sessions = cache(2, clock)
    idle, busy = sessions.open(request(9)), sessions.open(request(1))
    assert idle is not None
    assert busy is not None
    clock.now += EVICTION_MS + 1
    sessions.update(busy, request(0))
    assert sessions.open(request(1)) is not None
    assert sessions.get(idle.id) is None
    assert sessions.get(busy.id) is busy
    assert sessions.evictions == 1


def test_open_in_a_full_cache_of_used_sessions_evicts_a_smaller_one_only() -> None:
    """And only if it had its two minutes."""
    clock = Clock()
    sessions = cache(2, clock)
    small, large = sessions.open(request(2)), sessions.open(request(5))
    assert small is not None
    assert large is not None
    clock.now += EVICTION_MS + 1
    sessions.update(small, request(0))
    sessions.update(large, request(0))
    assert sessions.open(request(2)) is None
    assert sessions.open(request(3)) is not None
    assert sessions.get(small.id) is None
    assert sessions.open(request(4)) is None, "the one of three is young, the one of five larger"


def test_open_without_slots_gives_no_session() -> None:
    assert cache(0, Clock()).open(request(1)) is None


def test_update_adds_changes_and_forgets() -> None:
    sessions = cache(1, Clock())
    session = sessions.open(request(3))
    assert session is not None
    sessions.update(session, request(2, first=2, forgotten=(0,)))
    assert [number for _, number in session.partitions] == [1, 2, 3]
    assert sessions.partitions == 3


def test_update_that_leaves_nothing_closes_the_session() -> None:
    sessions = cache(1, Clock())
    session = sessions.open(request(2))
    assert session is not None
    sessions.update(session, request(0, forgotten=(0, 1)))
    assert (len(sessions), sessions.partitions) == (0, 0)


def test_partitions_of_all_sessions_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_cache, "MAX_PARTITIONS", 10)
    sessions = cache(100, Clock())
    session = sessions.open(request(8))
    assert session is not None
    assert sessions.open(request(3)) is None
    sessions.update(session, request(3, first=8))
    assert (len(sessions), sessions.partitions) == (0, 0), "it outgrew the bound and is closed"


def test_epoch_after_the_last_one_is_one() -> None:
    sessions = cache(1, Clock())
    session = sessions.open(request(1))
    assert session is not None
    assert (session.epoch, session.advance()) == (1, 2)
    session.epoch = 2**31 - 1
    assert session.advance() == 1
