"""Reads of standbys, for whoever says how much may be missing."""

from __future__ import annotations

import pytest

from tests.streams.query.shop import Group, User, Worker, ask
from tests.streams.query.test_gets import home, key_of, put_users

KEY = 7
LAG = 20


@pytest.fixture
def pair(group: Group) -> tuple[Worker, Worker]:
    """One worker with all tasks, and one where they stand by."""
    put_users(group, 40)
    active, standby = group.worker(*group.of(range(4))), group.worker()
    standby.standbys = dict.fromkeys(group.of(range(4)), LAG)
    group.tell()
    return active, standby


def test_stale_read_is_answered_by_the_standby_that_is_asked(group: Group, pair: tuple[Worker, Worker]) -> None:
    active, standby = pair
    active.server.stop()  # nobody else could
    for path in (f"/stores/users/{KEY}", "/stores/users"):
        reply = ask(standby, f"{path}?max_lag={LAG}")
        assert reply.status == 200
        assert "X-Position" not in reply.headers
    assert ask(standby, f"/stores/users/{KEY}?max_lag={LAG}").body["value"] == {"name": f"u{KEY}"}
    assert len(ask(standby, f"/stores/users?max_lag={LAG}").body["rows"]) == 40


def test_stale_read_standby_too_far_behind_asks_the_active_task(pair: tuple[Worker, Worker]) -> None:
    _, standby = pair
    assert ask(standby, f"/stores/users/{KEY}?max_lag={LAG - 1}").status == 200


def test_stale_read_active_task_gone_is_relayed_to_a_standby(group: Group, pair: tuple[Worker, Worker]) -> None:
    active, _ = pair
    other = group.worker()
    active.server.stop()
    assert ask(other, f"/stores/users/{KEY}").status == 503
    reply = ask(other, f"/stores/users/{KEY}?max_lag={LAG}")
    assert (reply.status, reply.body["value"]) == (200, {"name": f"u{KEY}"})
    assert ask(other, f"/stores/users/{KEY}?max_lag={LAG - 1}").status == 503


def test_stale_read_while_the_task_moves_is_answered(group: Group, pair: tuple[Worker, Worker]) -> None:
    active, standby = pair
    active.running = frozenset()
    group.tell()
    assert ask(standby, f"/stores/users/{KEY}").status == 409
    assert ask(standby, f"/stores/users/{KEY}?max_lag={LAG}").status == 200
    assert ask(active, f"/stores/users/{KEY}?max_lag={LAG}").status == 200


def test_stale_read_of_a_worker_that_may_be_cut_off_is_refused(group: Group, pair: tuple[Worker, Worker]) -> None:
    """Its lag is as old as what it last heard."""
    active, standby = pair
    active.server.stop()
    standby.held = False
    assert ask(standby, f"/stores/users/{KEY}?max_lag={LAG}").status == 503


def test_stale_read_rows_of_the_active_task_come_first(group: Group, pair: tuple[Worker, Worker]) -> None:
    active, _ = pair
    group.store("users", home(KEY)).put(key_of(KEY), (User("new"), 9_000))
    group.commit()
    assert ask(active, f"/stores/users/{KEY}?max_lag=0").body["value"] == {"name": "new"}


@pytest.mark.parametrize("words", ["max_lag=-1", "max_lag=x", f"max_lag={LAG}&position=users:0:1"])
def test_stale_read_wrong_words_are_refused(pair: tuple[Worker, Worker], words: str) -> None:
    reply = ask(pair[1], f"/stores/users/{KEY}?{words}")
    assert reply.status == 400
    assert "max_lag" in reply.body["detail"]


def test_stores_tells_how_far_this_workers_standbys_are(pair: tuple[Worker, Worker]) -> None:
    active, standby = pair
    described = {store["name"]: store["standbys"] for store in ask(standby, "/stores").body}
    assert described["users"] == {str(partition): LAG for partition in range(4)}
    assert not any(store["standbys"] for store in ask(active, "/stores").body)
