"""The order of a commit, and what stays as it was when a step fails."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stores import RocksDbResources, RocksDbTaskState
from streams import App
from streams.errors import ProduceError
from streams.plan.task_id import TaskId
from streams.runtime.at_least_once import AtLeastOnce
from streams.runtime.broker_wait import BrokerWait
from streams.runtime.change_writer import ChangeWriter
from streams.runtime.changelog_positions import ChangelogPositions
from streams.runtime.commit import Committer, nothing
from streams.runtime.failure_policy import FailurePolicy
from streams.runtime.membership import CommitFailedError, CommittedOffset
from streams.runtime.task import Task
from tests.streams.runtime.messages import record
from tests.streams.runtime.test_changelog_positions import Ends

COUNTS, METADATA = "app-counts-changelog", "app-task-metadata-changelog"


class Script:
    """Producer, membership and state in one: writes down who did what in which order; fails where told to."""

    def __init__(self) -> None:
        self.did: list[str] = []
        self.sent: list[tuple[str, bytes | None, bytes | None]] = []
        self.failures: dict[str, Exception] = {}
        self.offsets: dict[tuple[str, int], CommittedOffset] = {}

    def do(self, what: str) -> None:
        if what in self.failures:
            raise self.failures.pop(what)
        self.did.append(what)

    # producer
    def produce(self, topic: str, value: bytes | None, key: bytes | None, *_: Any) -> None:
        self.did.append(f"output {topic}")

    def send(self, topic: str, value: bytes | None, key: bytes | None, partition: int, timestamp: int) -> None:
        self.did.append(f"changelog {topic}")
        self.sent.append((topic, key, value))

    def hurry(self) -> None:
        """Changes nothing but the time."""

    def flush(self, *, give_up: Any) -> None:
        self.do("flush")

    # membership
    def commit(self, offsets: dict[tuple[str, int], CommittedOffset]) -> None:
        self.do("offsets")
        self.offsets.update(offsets)


class Committing:
    """A counting task on RocksDB and what commits it."""

    def __init__(self, path: Path) -> None:
        app = App("app")
        app.stream("in", key=str, value=dict).group_by_key().count(store="counts").to_stream().to("out", value=int)
        self.plan = app.plan().partitions({"in": 1})
        self.script = Script()
        self.ends = Ends()
        self.positions = ChangelogPositions(self.ends)
        self.waiting = BrokerWait()
        self.committer = self.under(AtLeastOnce)
        self.path = path
        self.task = self.open()

    def under(self, guarantee: Any) -> Committer:
        changes = ChangeWriter(self.script, self.positions, METADATA)  # type: ignore[arg-type]
        return Committer(
            self.script,  # type: ignore[arg-type]
            guarantee(self.script, self.script, changes, self.waiting),
            changes,
        )

    def open(self) -> Task:
        specs = [store.spec for store in self.plan.plan.subtopologies[0].stores]
        state = RocksDbTaskState.open(self.path, specs, RocksDbResources())
        task = Task(
            TaskId(0, 0),
            self.plan,
            committed={("in", 0): self.script.offsets.get(("in", 0))},
            global_stores={},
            state=state,
            produce=self.script.produce,  # type: ignore[arg-type]
            produce_full=self.script.produce,  # type: ignore[arg-type]
            failures=FailurePolicy(deserialization="fail", processing="fail"),
            max_task_idle_ms=0,
            wall_clock=lambda: 0,
            now=0,
        )
        self.positions.add(task.id, {(COUNTS, 0): state.positions.get("counts", 0), (METADATA, 0): 0})
        task.start()
        commit = state.commit

        def told(*arguments: Any) -> None:
            self.script.do("state")
            commit(*arguments)

        state.commit = told  # type: ignore[method-assign]
        return task

    def process(self, *keys: str, first: int = 0) -> None:
        self.task.inputs.buffers[0].append(
            [record("in", 0, first + i, 1_000 + i, b"{}", key.encode()) for i, key in enumerate(keys)], now=0
        )
        assert self.task.run(100, 0) == len(keys)

    def commit(self, *, closing: bool = False, meanwhile: Callable[[], bool] = nothing) -> bool:
        return self.committer.commit(
            [self.task], give_up=lambda: False, closing=[self.task.id] if closing else (), meanwhile=meanwhile
        )

    def counts(self) -> dict[bytes, int]:
        """As committed."""
        with self.task.state.store("counts").reader().all() as rows:
            return {key: row[0] for key, row in rows}  # type: ignore[misc]


@pytest.fixture
def committing(tmp_path: Path) -> Any:
    committing = Committing(tmp_path / "0_0")
    yield committing
    committing.task.close()
    committing.waiting.close()


def test_commit_goes_changelog_flush_offsets_state(committing: Committing) -> None:
    committing.process("a", "b", "a")
    assert committing.commit()
    assert committing.script.did == [
        *["output out"] * 3,
        *[f"changelog {COUNTS}"] * 2,
        "flush",
        "offsets",
        "state",
    ]
    assert committing.script.offsets["in", 0].offset == 3
    assert len(committing.counts()) == 2


def test_commit_with_nothing_new_does_nothing(committing: Committing) -> None:
    committing.process("a")
    committing.commit()
    before = list(committing.script.did)
    assert not committing.commit()
    assert committing.script.did == before


@pytest.mark.parametrize(
    ("step", "error"),
    [("flush", ProduceError("no answer")), ("offsets", CommitFailedError("not now", retriable=True))],
)
def test_commit_that_fails_leaves_the_state_and_is_made_good(
    committing: Committing, step: str, error: Exception
) -> None:
    committing.process("a", "b")
    committing.script.failures[step] = error
    with pytest.raises(type(error)):
        committing.commit()
    assert committing.counts() == {}
    assert "state" not in committing.script.did
    committing.process("a", first=2)
    assert committing.commit()
    assert committing.script.offsets["in", 0].offset == 3
    assert sorted(committing.counts().values()) == [1, 2]


def test_commit_failed_between_changelog_and_state_records_no_position_for_it(committing: Committing) -> None:
    """A crash now must restore what the changelog has and the state has not."""
    committing.process("a", "b")
    committing.ends.end = 2
    committing.script.failures["offsets"] = CommitFailedError("not now", retriable=True)
    with pytest.raises(CommitFailedError):
        committing.commit()
    committing.task.close()
    committing.task = committing.open()
    assert committing.task.state.positions.get("counts", 0) == 0


def test_commit_lets_others_work_while_the_broker_has_to_answer(
    committing: Committing, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = threading.Event()
    answers: list[bool] = []

    def flush(**_: object) -> None:
        answers.append(asked.wait(60))

    def meanwhile() -> bool:
        asked.set()
        return False

    monkeypatch.setattr(committing.script, "flush", flush)
    committing.process("a")
    assert committing.commit(meanwhile=meanwhile)
    assert all(answers)


def test_commit_closing_records_exact_positions(committing: Committing) -> None:
    committing.process("a", "b", "c")
    committing.ends.end = 3
    committing.commit(closing=True)
    committing.task.close()
    committing.task = committing.open()
    assert committing.task.state.positions["counts"] == 3
    assert committing.task.metadata_position == 0


def test_commit_remembers_clocks_in_state_and_topic(tmp_path: Path) -> None:
    """A task that moves to another host must not take old records for young ones."""
    from datetime import timedelta

    from streams import tumbling

    committing = Committing(tmp_path / "unused")
    committing.task.close()
    app = App("app")
    windows = app.stream("in", key=str, value=dict).group_by_key()
    windows.windowed_by(tumbling(timedelta(seconds=1), grace=timedelta(0))).count(store="counts")
    committing.plan = app.plan().partitions({"in": 1})
    committing.path = tmp_path / "0_0"
    committing.task = committing.open()
    committing.process("a", "b")
    committing.commit()
    assert (METADATA, b"clock/counts", b"1001") in committing.script.sent
    # a clock that survived a crash without the rows would have the records that are repeated dropped as late
    rows, clock = f"changelog {COUNTS}", f"changelog {METADATA}"
    assert committing.script.did == [rows, rows, "flush", clock, "flush", "offsets", "state"]
    committing.task.close()
    committing.task = committing.open()
    assert committing.task.program.clocks() == {"counts": 1_001}
    committing.task.close()


def test_task_has_changed_from_what_it_does_until_that_is_committed(committing: Committing) -> None:
    """A commit passes over the others, however many they are."""
    task = committing.task
    assert task.changed, "its start may have moved clocks"
    committing.commit()
    assert not task.changed
    committing.process("a")
    assert task.changed
    committing.commit()
    assert not task.changed
    task.inputs.buffers[0].reached_end(5)  # markers of transactions lie behind the record
    assert task.changed
    committing.commit()
    assert committing.script.offsets["in", 0].offset == 5
    assert not task.changed


def test_task_whose_commit_fails_has_still_changed(committing: Committing) -> None:
    committing.process("a")
    committing.script.failures["offsets"] = CommitFailedError("no", retriable=True, fenced=False)
    with pytest.raises(CommitFailedError):
        committing.commit()
    assert committing.task.changed


def test_end_told_while_a_commit_waits_is_left_to_the_next(
    committing: Committing, monkeypatch: pytest.MonkeyPatch
) -> None:
    task, told = committing.task, threading.Event()
    monkeypatch.setattr(committing.script, "flush", lambda **_: told.wait(60))  # type: ignore[misc]

    def commit(end: int) -> int:
        """What it commits; the end is told meanwhile."""
        told.clear()

        def tell() -> bool:
            task.inputs.buffers[0].reached_end(end)
            told.set()
            return False

        assert committing.commit(meanwhile=tell)
        return committing.script.offsets["in", 0].offset

    committing.process("a")
    assert commit(end=3) == 1
    assert task.changed
    assert commit(end=5) == 3, "with no record, but the end"
    assert task.changed
    assert commit(end=5) == 5
    assert not task.changed
