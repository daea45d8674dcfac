"""Runs a topology over records with commits, crashes and moves on the way, and keeps what a reader of committed output
would see."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from hypothesis import strategies as st

from stores import MemoryDisk, MemoryTaskState
from streams import App, Json, Windowed
from streams.compile.program import NO_LIMIT, TaskBinding
from streams.observe import Counters
from streams.plan.task_id import TaskId
from streams.serde import Serde
from streams.testing.message import DriverMessage
from tests.streams.windows.oracles import Record

MS = timedelta(milliseconds=1)


Event = Literal["batch", "commit", "crash", "move"]
"""After a record: the batch ends; and it is committed; and the process dies; and the task starts elsewhere, with
nothing but changelogs."""


@dataclass(frozen=True)
class Result:
    """One output. `value` is the list of places of the records in the window, None for a deleted one."""

    key: Any
    value: Any
    ts: int


class Interrupted:
    """One task of a one-source topology that writes to `out` and `late`."""

    def __init__(self, app: App, key: Serde) -> None:
        self._sub = app.plan().subtopologies[0]
        self._key = key
        self._specs = [store.spec for store in self._sub.stores]
        self._disk = MemoryDisk()
        self._changelogs: dict[str, list[tuple[bytes, bytes | None, int]]] = {spec.name: [] for spec in self._specs}
        self._clocks: dict[str, int] = {}
        self._unsure: list[tuple[str, Result]] = []
        self.committed: list[tuple[str, Result]] = []
        self.counters = Counters()
        self._open()

    def _open(self) -> None:
        self._state = MemoryTaskState.open(self._specs, self._disk)
        self._program = self._sub.program.bind(
            TaskBinding(
                application_id="app",
                wall_clock=lambda: 0,
                task_id=TaskId(0, 0),
                stores={spec.name: self._state.store(spec.name) for spec in self._specs},
                produce=self._produce,
                produce_full=self._produce,
                watermarks={},
                counters=self.counters,
            )
        )
        self._program.restore_clocks(self._clocks)

    def _produce(self, topic: str, value: Any, key: Any, partition: int, *rest: Any) -> None:
        read = None if value is None else json.loads(value)
        self._unsure.append(
            (topic, Result(self._key.deserialize(key) if topic == "out" else key.decode(), read, rest[-2]))
        )

    def commit(self) -> None:
        for name, changelog in self._changelogs.items():
            changelog.extend(self._state.pending(name))
        self._clocks = self._program.clocks()
        self._state.commit({})
        self.committed += self._unsure
        self._unsure = []

    def crash(self, *, keep_disk: bool) -> None:
        self._state.close()
        self._unsure = []
        if not keep_disk:
            self._disk = MemoryDisk()
            with MemoryTaskState.open(self._specs, self._disk) as state:
                for name, changelog in self._changelogs.items():
                    state.restore(name, changelog, len(changelog))
        self._open()

    def run(self, records: Sequence[Record], events: Sequence[Event] = ()) -> list[Result]:
        """What came out on `out`; `events[i]` happens when record i is done for the first time."""
        messages = [
            DriverMessage("in", place, record.key.encode(), json.dumps(place).encode(), record.ts, None)
            for place, record in enumerate(records)
        ]
        source = self._program.sources["in"].run
        start, done, due = 0, 0, dict(enumerate(events))
        for place in range(len(messages)):
            event = due.pop(place, None)
            if event is None:
                continue
            assert source(messages, start, place + 1, NO_LIMIT) == place + 1
            start = place + 1
            if event == "commit":
                self.commit()
                done = start
            elif event != "batch":
                self.crash(keep_disk=event == "crash")
                source, start = self._program.sources["in"].run, done
        source(messages, start, len(messages), NO_LIMIT)
        self.commit()
        return [result for topic, result in self.committed if topic == "out"]

    def late(self) -> list[Result]:
        return [result for topic, result in self.committed if topic == "late"]


def append(key: str, value: int, aggregate: list[int]) -> list[int]:
    """Changes the aggregate in place, as users do."""
    aggregate.append(value)
    return aggregate


def gathering(
    windows: Any,
    emit: Any = "update",
    *,
    retention: int | None = 100_000,
    late: bool = False,
    merger: Callable[[Any, Any], Any] | None = None,
) -> Interrupted:
    """A topology whose aggregates are the lists of the records in each window."""
    app = App("app")
    grouped = app.stream("in", key=str, value=Json()).group_by_key()
    sorted_out: Any = (lambda stream: stream.to("late")) if late else None
    windowed = grouped.windowed_by(windows, emit=emit, late=sorted_out)
    more: dict[str, Any] = {} if merger is None else {"merger": merger}
    kept = None if retention is None else retention * MS
    table = windowed.aggregate(list, append, value=Json(), retention=kept, **more)
    table.to_stream().to("out")
    return Interrupted(app, table.node.schema.key_serde())


def shown(results: list[Result]) -> list[tuple[str, int, int, Any, int]]:
    """(key, start, end, value, timestamp) of windowed results."""
    return [(r.key.key, r.key.start, r.key.end, r.value, r.ts) for r in results if isinstance(r.key, Windowed)]


def inputs(spread: int = 60, longest: int = 40) -> st.SearchStrategy[list[Record]]:
    """Records of two keys, their times moving on and jumping back by up to `spread`."""
    steps = st.tuples(st.sampled_from("ab"), st.integers(0, 12), st.integers(0, spread))

    def placed(moves: list[tuple[str, int, int]]) -> list[Record]:
        now, made = 0, list[Record]()
        for key, forth, back in moves:
            now += forth
            made.append(Record(key, max(now - back, 0)))
        return made

    return st.lists(steps, min_size=1, max_size=longest).map(placed)


def interruptions(longest: int = 40) -> st.SearchStrategy[list[Event]]:
    return st.lists(
        st.sampled_from(["batch", "batch", "commit", "commit", "crash", "move"]), min_size=longest, max_size=longest
    )
