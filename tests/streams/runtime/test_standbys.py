"""Tasks that stand by: fed while another worker runs them, promoted and demoted without a restore."""

from __future__ import annotations

from typing import Any

from stores import StoreReader
from streams import App
from streams.plan.task_id import TaskId
from streams.runtime.membership import Assigned, Revoked
from tests.streams.runtime.bench import Bench, RunningWorker, until

TASK = TaskId(0, 0)
KEYS = 5


def counting(bench: Bench) -> App:
    app = App(bench.tag)
    app.stream(bench.name("in"), key=str, value=dict).group_by_key().count(store="counts").to_stream().to(
        bench.name("out")
    )
    return app


def numbered(first: int, count: int) -> list[tuple[str, bytes, int]]:
    return [(f"k{i % KEYS}", b"{}", 1_000 + i) for i in range(first, first + count)]


def rows(reader: StoreReader | None) -> dict[str, int]:
    """What a store of counts has committed."""
    if reader is None:
        return {}
    with reader.all() as found:  # type: ignore[attr-defined]
        return {key.decode(): row[0] for key, row in found}


def standing_by(worker: RunningWorker, store: str = "counts") -> dict[str, int]:
    thread = worker.worker._thread
    return {} if thread is None else rows(thread.tasks.standbys.seen.stores.get((store, 0)))


def counted(worker: RunningWorker) -> int:
    """What all partitions of the store hold that are with the worker, active or standing by."""
    stores = {**worker.worker.standing_by().stores, **worker.worker.readers()}
    return sum(sum(rows(reader).values()) for (name, _), reader in stores.items() if name == "counts")


def state_of(worker: RunningWorker) -> Any:
    """The open state of the task, whatever the worker has it for."""
    thread: Any = worker.worker._thread
    fed = thread.tasks.standbys._fed
    return fed[TASK].state if TASK in fed else thread.tasks._open[TASK].state


def test_standby_follows_the_active_task_and_takes_over_without_a_restore(bench: Bench) -> None:
    bench.topics(**{"in": 1, "out": 1})
    active = bench.run(counting(bench), TASK, directory="one")
    standby = bench.run(counting(bench), directory="two")
    standby.membership.assign(standbys=[TASK])
    bench.produce("in", *numbered(0, 50))
    until(lambda: standing_by(standby) == {f"k{i}": 10 for i in range(KEYS)}, "the standby to have the counts")
    bench.produce("in", *numbered(50, 50))
    until(lambda: standing_by(standby) == {f"k{i}": 20 for i in range(KEYS)}, "the standby to follow")
    until(lambda: standby.membership.lags == {TASK: 0}, "the group to be told that nothing is missing")
    kept = state_of(standby)
    active.stop()
    standby.membership.assign(TASK)
    until(lambda: standby.running() == {TASK}, "the standby to run the task")
    assert state_of(standby) is kept
    assert standing_by(standby) == {}
    bench.produce("in", *numbered(100, 50))
    until(lambda: rows(standby.worker.readers()["counts", 0]) == {f"k{i}": 30 for i in range(KEYS)}, "all counts")
    assert not any(standby.heard.restored.values())
    until(lambda: standby.heard.standbys == [{TASK}, frozenset()], "the listener to be told")
    standby.stop()
    first, *batches, last = standby.heard.standby_updates
    assert first == ("start", "counts", 0, None)
    assert {(kind, store) for kind, store, _, _ in batches} == {("batch", "counts")}
    assert sum(records or 0 for *_, records in batches) >= 2 * KEYS  # each commit writes the rows that it changed
    assert [position for _, _, position, _ in batches] == sorted({position for _, _, position, _ in batches})
    assert last[:2] == ("promoted", "counts")
    assert last[2] <= (last[3] or 0)


def test_listener_hears_of_a_standby_that_is_wanted_elsewhere(bench: Bench) -> None:
    bench.topics(**{"in": 1, "out": 1})
    worker = bench.run(counting(bench))
    worker.membership.assign(standbys=[TASK])
    until(lambda: worker.heard.standbys == [{TASK}], "the standby")
    worker.membership.assign()
    until(lambda: worker.heard.standbys == [{TASK}, frozenset()], "its end")
    worker.stop()
    assert [kind for kind, *_ in worker.heard.standby_updates] == ["start", "migrated"]


def test_active_task_given_away_stands_by_with_its_state_and_comes_back(bench: Bench) -> None:
    """Two workers swap the task twice; nobody opens a store or restores one."""
    bench.topics(**{"in": 1, "out": 1})
    app, offsets = counting(bench), bench.offsets
    workers = [
        bench.run(app, *tasks, directory=name, offsets=offsets) for name, tasks in (("one", [TASK]), ("two", []))
    ]
    workers[1].membership.assign(standbys=[TASK])
    bench.produce("in", *numbered(0, 50))
    until(lambda: sum(standing_by(workers[1]).values()) == 50, "the standby to have the counts")
    states = [state_of(worker) for worker in workers]
    for number in (1, 2):
        old, new = workers
        old.membership.push(
            Revoked(frozenset({TASK}), frozenset({TASK})), Assigned(frozenset(), number, frozenset({TASK}))
        )
        until(lambda old=old, number=number: len(old.membership.released_tasks) == (number + 1) // 2, "the release")
        new.membership.assign(TASK)
        until(lambda new=new: new.running() == {TASK}, "the task to have moved")
        bench.produce("in", *numbered(50 * number, 50))
        until(
            lambda old=old, number=number: sum(standing_by(old).values()) == 50 * (number + 1),
            "the old owner to follow the new one",
        )
        workers.reverse()
        assert [state_of(worker) for worker in workers] == (states if number == 2 else states[::-1])
    for worker in workers:
        assert not any(worker.heard.restored.values())
        worker.stop()


def test_standby_far_behind_is_promoted_and_restores_the_rest(bench: Bench) -> None:
    """It need not have caught up: then it goes on reading, as an active task."""
    bench.topics(**{"in": 1, "out": 1})
    active = bench.run(counting(bench), TASK, directory="one")
    bench.produce("in", *numbered(0, 200))
    until(lambda: active.processed() == 200, "200 records")
    active.stop()
    late = bench.run(counting(bench), directory="two")
    late.membership.push(
        Assigned(frozenset(), 1, frozenset({TASK}), frozenset()), Assigned(frozenset({TASK}), 2, frozenset())
    )
    until(lambda: late.running() == {TASK}, "the task to run")
    assert rows(late.worker.readers()["counts", 0]) == {f"k{i}": 40 for i in range(KEYS)}
    late.stop()


def test_standby_dropped_and_wanted_again_goes_on_where_it_was(bench: Bench) -> None:
    bench.topics(**{"in": 1, "out": 1})
    active = bench.run(counting(bench), TASK, directory="one")
    standby = bench.run(counting(bench), directory="two")
    for round_number in (1, 2):
        standby.membership.assign(standbys=[TASK])
        bench.produce("in", *numbered(0, 50))
        until(lambda round_number=round_number: sum(standing_by(standby).values()) == 50 * round_number, "the counts")
        standby.membership.assign()
        until(lambda: standing_by(standby) == {}, "the standby to be closed")
    active.stop()
    standby.stop()


def test_warm_up_that_has_caught_up_asks_for_its_rebalance_once(bench: Bench) -> None:
    bench.topics(**{"in": 1, "out": 1})
    active = bench.run(counting(bench), TASK, directory="one")
    bench.produce("in", *numbered(0, 50))
    until(lambda: active.processed() == 50, "50 records")
    standby = bench.run(counting(bench), directory="two", acceptable_recovery_lag=0)
    standby.membership.assign(standbys=[TASK], warming=[TASK])
    until(lambda: standby.membership.wanted_rebalances, "the rebalance to be asked for")
    assert sum(standing_by(standby).values()) == 50
    bench.produce("in", *numbered(50, 50))
    until(lambda: sum(standing_by(standby).values()) == 100, "the standby to follow")
    assert standby.membership.wanted_rebalances == ["warm-up replicas have caught up: 0_0"]
    active.stop()
    standby.stop()


def test_group_worker_gone_its_tasks_go_on_at_the_standby(bench: Bench) -> None:
    bench.topics(**{"in": 4, "out": 4})
    app = counting(bench)
    tasks = frozenset(bench.partition_plan(app, **{"in": 4}).tasks)
    first = bench.run_in_group(app, directory="one", num_standby_replicas=1)
    until(lambda: first.running() == tasks, "the tasks")
    bench.produce("in", *numbered(0, 50))
    until(lambda: first.processed() == 50, "50 records")
    second = bench.run_in_group(app, directory="two", num_standby_replicas=1)
    workers = [first, second]
    until(lambda: all(len(worker.running()) == 2 for worker in workers), "the tasks to be shared")
    until(lambda: all(len(worker.worker.standing_by().tasks) == 2 for worker in workers), "the standbys to be shared")
    assert first.worker.standing_by().tasks == second.running()
    bench.produce("in", *numbered(50, 50))
    until(lambda: all(counted(worker) == 100 for worker in workers), "100 records, at the standbys too")
    second.heard.restored.clear()
    moved = first.running()
    first.stop()
    until(lambda: second.running() == tasks, "the second worker to have all tasks")
    assert not any(records for (task, _), records in second.heard.restored.items() if task in moved)
    bench.produce("in", *numbered(100, 100))
    until(lambda: counted(second) == 200, "200 records")
    second.stop()
    assert {key: int.from_bytes(value or b"", "big") for key, value in bench.latest("out").items()} == {
        f"k{i}": 40 for i in range(KEYS)
    }


def test_group_newcomer_is_warmed_up_before_tasks_move_to_it(bench: Bench) -> None:
    """The tasks run on where they are until the newcomer has their state."""
    bench.topics(**{"in": 2, "out": 2})
    app = counting(bench)
    first = bench.run_in_group(app, directory="one", acceptable_recovery_lag=0)
    until(lambda: len(first.running()) == 2, "the tasks")
    bench.produce("in", *numbered(0, 100))
    until(lambda: counted(first) == 100, "the commit of 100 records")
    second = bench.run_in_group(app, directory="two", acceptable_recovery_lag=0)
    until(lambda: len(second.running()) == 1, "a task to move")
    assert len(first.running()) == 1
    assert not any(second.heard.restored.values())
    bench.produce("in", *numbered(100, 100))
    until(lambda: counted(first) + counted(second) == 200, "200 records")
    first.stop()
    second.stop()
    assert {key: int.from_bytes(value or b"", "big") for key, value in bench.latest("out").items()} == {
        f"k{i}": 40 for i in range(KEYS)
    }


def test_group_standby_of_a_source_topic_follows_it_as_far_as_it_was_processed(bench: Bench) -> None:
    bench.topics(prices=1, sales=1, out=1)
    app = App(bench.tag, topology_optimization="reuse_ktable_source_topics")
    prices = app.table(bench.name("prices"), key=str, value=int, store="prices")
    app.stream(bench.name("sales"), key=str, value=int).join(prices, lambda n, price: n * price, value=int).to(
        bench.name("out")
    )
    options: dict[str, Any] = {"num_standby_replicas": 1}
    workers = [bench.run_in_group(app, directory=name, **options) for name in ("one", "two")]
    until(lambda: any(worker.running() for worker in workers), "the task")
    until(lambda: any(worker.worker.standing_by().tasks for worker in workers), "the standby")
    active, standby = sorted(workers, key=lambda worker: not worker.running())
    bench.produce("prices", *((f"k{n}", n.to_bytes(8, "big"), 1) for n in range(KEYS)))
    until(lambda: standing_by(standby, "prices") == {f"k{n}": n for n in range(KEYS)}, "the standby to follow")
    active.stop()
    until(lambda: standby.running() == {TASK}, "the task to move")
    assert not any(standby.heard.restored.values())
    bench.produce("sales", ("k3", (2).to_bytes(8, "big"), 60))
    until(lambda: standby.processed() == 1, "the sale")
    standby.stop()
    assert bench.latest("out") == {"k3": (6).to_bytes(8, "big")}
