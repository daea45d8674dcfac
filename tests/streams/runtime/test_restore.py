"""Reading changelogs back."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from stores import RocksDbResources, RocksDbTaskState
from streams import App
from streams.plan.task_id import TaskId
from streams.runtime.changelog_stretch import ChangelogLag
from streams.runtime.failure_policy import FailurePolicy
from streams.runtime.listener import RestoreProgress, Silent
from streams.runtime.phase import TaskPhase
from streams.runtime.restore import Restorer
from streams.runtime.standby_task import StandbyTask
from streams.runtime.task import Task
from tests.streams.runtime.messages import partition_end, record

COUNTS, METADATA = "app-counts-changelog", "app-task-metadata-changelog"


class Log:
    """A broker and its consumer: partitions as lists of (offset, key, value), read some at a time."""

    def __init__(self) -> None:
        self.records: dict[tuple[str, int], list[tuple[int, bytes | None, bytes | None]]] = {}
        self.ends: dict[tuple[str, int], int] = {}
        self.reading: dict[tuple[str, int], int] = {}
        self.at_a_time = 1000
        self.answers = True
        self.opened = 0

    def put(self, topic: str, *records: tuple[int, bytes | None, bytes | None], end: int) -> None:
        self.records[topic, 0] = list(records)
        self.ends[topic, 0] = end

    # log ends
    def request(self, places: Collection[tuple[str, int]]) -> Log:
        return self

    def done(self) -> bool:
        return self.answers

    def result(self, timeout_s: float) -> Mapping[tuple[str, int], int]:
        return self.ends

    # consumer
    def open(self) -> Log:
        self.opened += 1
        return self

    def assign(self, offsets: Mapping[tuple[str, int], int | None]) -> None:
        self.reading |= {place: offset or 0 for place, offset in offsets.items()}

    def unassign(self, places: Collection[tuple[str, int]]) -> None:
        for place in places:
            self.reading.pop(place, None)

    def fetch(self, count: int, timeout_s: float) -> Sequence[Any]:
        found: list[Any] = []
        for (topic, partition), position in list(self.reading.items()):
            following = [r for r in self.records.get((topic, partition), ()) if r[0] >= position][: self.at_a_time]
            found += [record(topic, partition, offset, 7, value, key) for offset, key, value in following]
            position = following[-1][0] + 1 if following else position
            self.reading[topic, partition] = position
            if not any(r[0] >= position for r in self.records.get((topic, partition), ())):
                found.append(partition_end(topic, partition, self.ends[topic, partition]))
        return found

    def end(self, place: tuple[str, int]) -> int | None:
        return self.ends.get(place)

    def close(self) -> None:
        self.reading.clear()


class Told(Silent):
    def __init__(self) -> None:
        self.progress: list[RestoreProgress] = []

    def on_restore(self, progress: RestoreProgress) -> None:
        self.progress.append(progress)


class Restoring:
    def __init__(self, path: Path) -> None:
        app = App("app")
        app.stream("in", key=str, value=dict).group_by_key().count(store="counts")
        self.plan = app.plan().partitions({"in": 1})
        self.log = Log()
        self.log.put(METADATA, end=0)
        self.told = Told()
        self.now = 0.0
        self.restorer = Restorer(self.log.open, self.log, self.told, METADATA, clock=lambda: self.now)  # type: ignore
        self.path = path
        self.task = self.open()

    def open(self) -> Task:
        specs = [store.spec for store in self.plan.plan.subtopologies[0].stores]
        task = Task(
            TaskId(0, 0),
            self.plan,
            committed={},
            global_stores={},
            state=RocksDbTaskState.open(self.path, specs, RocksDbResources()),
            produce=lambda *_: None,
            produce_full=lambda *_: None,
            failures=FailurePolicy(deserialization="fail", processing="fail"),
            max_task_idle_ms=0,
            wall_clock=lambda: 0,
            now=0,
        )
        task.enter(TaskPhase.RESTORING)
        return task

    def run(self) -> list[Task]:
        """Steps until nothing is left to do; what was completed."""
        complete = self.restorer.add([self.task])
        for _ in range(100):
            if not self.restorer.tasks:
                return complete
            step = self.restorer.step(0)
            assert not step.behind
            complete += step.complete
        raise AssertionError("the restore does not end")

    def rows(self) -> dict[bytes, Any]:
        with self.task.state.store("counts").reader().all() as rows:
            return dict(rows)  # type: ignore[arg-type]


def encoded(count: int) -> bytes:
    return count.to_bytes(8, "big")


@pytest.fixture
def restoring(tmp_path: Path) -> Iterator[Restoring]:
    restoring = Restoring(tmp_path / "0_0")
    codec = restoring.plan.plan.subtopologies[0].stores[0].spec.codec
    restoring.encode = codec.encode  # type: ignore[attr-defined]
    yield restoring
    restoring.task.close()


def test_restore_applies_rows_and_tombstones_and_records_the_position(restoring: Restoring) -> None:
    one, two = restoring.encode(1), restoring.encode(2)  # type: ignore[attr-defined]
    restoring.log.put(COUNTS, (0, b"a", one), (1, b"b", one), (2, b"a", two), (3, b"b", None), end=4)
    assert restoring.run() == [restoring.task]
    assert {key: row[1] for key, row in restoring.rows().items()} == {b"a": 7}
    assert restoring.task.state.positions["counts"] == 4
    assert restoring.task.counters.restored == 4


def test_restore_goes_on_from_the_recorded_position(restoring: Restoring) -> None:
    one = restoring.encode(1)  # type: ignore[attr-defined]
    restoring.log.put(COUNTS, (0, b"a", one), end=1)
    restoring.run()
    restoring.log.put(COUNTS, (0, b"a", one), (1, b"b", one), end=2)
    restoring.run()
    assert set(restoring.rows()) == {b"a", b"b"}
    assert restoring.task.counters.restored == 2


def test_restore_with_nothing_to_read_opens_no_consumer(restoring: Restoring) -> None:
    restoring.log.put(COUNTS, end=0)
    assert restoring.run() == [restoring.task]
    assert restoring.log.opened == 0


def test_restore_tail_of_markers_ends_by_the_partitions_end(restoring: Restoring) -> None:
    """The last record lies before the end; what follows are transaction markers."""
    restoring.log.put(COUNTS, (0, b"a", restoring.encode(1)), end=9)  # type: ignore[attr-defined]
    assert restoring.run() == [restoring.task]
    assert restoring.task.state.positions["counts"] == 9


def test_restore_compacted_log_with_gaps_ends(restoring: Restoring) -> None:
    one = restoring.encode(1)  # type: ignore[attr-defined]
    restoring.log.put(COUNTS, (5, b"a", one), (900, b"b", one), end=901)
    restoring.log.at_a_time = 1
    assert restoring.run() == [restoring.task]
    assert set(restoring.rows()) == {b"a", b"b"}


def test_restore_null_keys_are_skipped(restoring: Restoring) -> None:
    one = restoring.encode(1)  # type: ignore[attr-defined]
    restoring.log.put(COUNTS, (0, None, one), (1, b"a", one), end=2)
    restoring.run()
    assert set(restoring.rows()) == {b"a"}


def test_restore_brings_clocks_and_never_turns_them_back(restoring: Restoring) -> None:
    restoring.log.put(COUNTS, end=0)
    restoring.log.put(
        METADATA, (0, b"clock/counts", b"50"), (1, b"clock/other", b"99"), (2, b"clock/counts", b"40"), end=3
    )
    restoring.run()
    assert restoring.task.remembered["clock/counts"] == b"40"
    assert "clock/other" not in restoring.task.remembered
    assert restoring.task.metadata_position == 3
    restoring.task.restore_metadata({"clock/counts": b"30"}, 4)
    assert restoring.task.remembered["clock/counts"] == b"40"


def test_restore_position_beyond_the_end_is_reported(restoring: Restoring) -> None:
    """The topic was made anew: its rows and the local ones are strangers."""
    restoring.log.put(COUNTS, (0, b"a", restoring.encode(1)), end=1)  # type: ignore[attr-defined]
    restoring.run()
    restoring.log.put(COUNTS, end=0)
    restoring.restorer.add([restoring.task])
    assert restoring.restorer.step(0).behind == [restoring.task]
    assert not restoring.restorer.tasks


def test_restore_cancelled_reads_no_more(restoring: Restoring) -> None:
    restoring.log.put(COUNTS, *[(i, b"k%d" % i, restoring.encode(1)) for i in range(9)], end=9)  # type: ignore[attr-defined]
    restoring.log.at_a_time = 2
    restoring.restorer.add([restoring.task])
    restoring.restorer.step(0)
    restoring.restorer.cancel([restoring.task.id])
    assert restoring.log.reading == {}
    assert restoring.restorer.step(0).complete == []


def test_restore_tells_start_and_end(restoring: Restoring) -> None:
    restoring.log.put(COUNTS, (0, b"a", restoring.encode(1)), end=1)  # type: ignore[attr-defined]
    restoring.run()
    assert [(each.store, each.remaining, each.done) for each in restoring.told.progress] == [
        ("counts", 1, False),
        ("counts", 0, True),
    ]


def test_restore_progress_estimates_what_is_left() -> None:
    progress = RestoreProgress(
        task=TaskId(0, 0), store="s", topic="t", start_offset=100, position=300, end_offset=700,
        records=100, records_per_s=50.0, done=False,
    )  # fmt: skip
    assert progress.remaining == 400
    assert progress.eta_s == 4.0


def following(restoring: Restoring) -> Restoring:
    """The task stands by, on the state that it would run on."""
    restoring.restorer.follow(StandbyTask(TaskId(0, 0), restoring.plan, restoring.task.state, []))
    restoring.restorer.step(0)
    return restoring


def test_follow_reads_on_as_the_changelog_grows(restoring: Restoring) -> None:
    one, two = restoring.encode(1), restoring.encode(2)  # type: ignore[attr-defined]
    restoring.log.put(COUNTS, (0, b"a", one), end=3)
    following(restoring)
    assert restoring.task.state.positions["counts"] == 3  # behind the markers
    restoring.log.put(COUNTS, (0, b"a", one), (3, b"b", two), end=7)
    assert restoring.restorer.lags() == {(TaskId(0, 0), "counts"): ChangelogLag(3, 7)}
    assert restoring.restorer.step(0) == ([], [])
    assert set(restoring.rows()) == {b"a", b"b"}
    assert restoring.restorer.lags() == {(TaskId(0, 0), "counts"): ChangelogLag(7, 7)}
    assert not restoring.restorer.tasks
    assert not restoring.told.progress


def test_follow_then_add_goes_on_with_the_same_reading_to_its_end(restoring: Restoring) -> None:
    """A standby that is promoted: what it has read is not read again, and what comes before the broker has said where
    the changelog ends does not complete the task."""
    one = restoring.encode(1)  # type: ignore[attr-defined]
    restoring.log.put(COUNTS, (0, b"a", one), end=1)
    following(restoring)
    restoring.log.put(COUNTS, (0, b"a", one), (1, b"b", one), (2, b"c", one), end=3)
    restoring.log.at_a_time = 1
    assert restoring.run() == [restoring.task]
    assert set(restoring.rows()) == {b"a", b"b", b"c"}
    assert restoring.task.counters.restored == 2
    assert restoring.log.opened == 1
    assert not restoring.restorer.followed


def test_follow_then_add_tells_of_progress_once_the_end_is_known(restoring: Restoring) -> None:
    one = restoring.encode(1)  # type: ignore[attr-defined]
    restoring.log.put(COUNTS, (0, b"a", one), end=1)
    following(restoring)
    restoring.log.put(COUNTS, (0, b"a", one), (1, b"b", one), (2, b"c", one), (3, b"d", one), end=4)
    restoring.log.at_a_time, restoring.log.answers = 1, False
    restoring.now = 1_000.0  # long after anything was told
    restoring.restorer.add([restoring.task])
    for _ in range(2):
        restoring.restorer.step(0)
    assert not restoring.told.progress
    restoring.log.answers = True
    restoring.restorer.step(0)
    assert {told.end_offset for told in restoring.told.progress} == {4}


def test_follow_at_the_end_then_add_is_complete_at_once(restoring: Restoring) -> None:
    restoring.log.put(COUNTS, (0, b"a", restoring.encode(1)), end=2)  # type: ignore[attr-defined]
    following(restoring)
    assert restoring.restorer.add([restoring.task]) == []
    assert restoring.restorer.step(0).complete == [restoring.task]
    assert restoring.task.counters.restored == 0


def test_follow_cancelled_lets_go_of_the_consumer(restoring: Restoring) -> None:
    restoring.log.put(COUNTS, end=0)
    following(restoring)
    assert restoring.log.reading
    restoring.restorer.cancel([TaskId(0, 0)])
    restoring.restorer.step(0)
    assert not restoring.log.reading


def test_follow_offset_no_longer_there_begins_anew(restoring: Restoring) -> None:
    one = restoring.encode(1)  # type: ignore[attr-defined]
    restoring.log.put(COUNTS, (0, b"a", one), end=1)
    following(restoring)
    restoring.restorer._start_anew((COUNTS, 0))
    assert restoring.rows() == {}
    restoring.log.put(COUNTS, (5, b"b", one), end=6)
    restoring.restorer.step(0)
    assert set(restoring.rows()) == {b"b"}
