"""A topology on topics with several partitions, its tasks run in whatever order the test says, with crashes."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Literal

from stores import MemoryDisk, MemoryTaskState
from streams import App
from streams.compile.program import NO_LIMIT, TaskBinding, TaskProgram
from streams.observe import Counters
from streams.partitioner import partition_for_key
from streams.plan.task_id import TaskId
from streams.testing.message import DriverMessage

Place = tuple[str, int]
Guarantee = Literal["exactly_once", "at_least_once"]


class Unbounded:
    """Order between partitions is the test's own; nothing here waits for time."""

    value = NO_LIMIT

    def observe(self, message: Any, /) -> bool:
        return False


class ManyTasks:
    """All tasks of `app`. With exactly once, what a task sent is there for others when it commits.

    `earlier`: what ran before on the same topics and state, and has settled.
    """

    def __init__(
        self, app: App, partitions: dict[str, int], guarantee: Guarantee, *, earlier: ManyTasks | None = None
    ) -> None:
        self.fitted = app.plan().partitions(partitions)
        self.guarantee = guarantee
        self.counts = dict(self.fitted.counts)
        self.log: dict[Place, list[DriverMessage]] = defaultdict(list)
        self.tasks = [OneTask(self, task) for task in self.fitted.tasks]
        if earlier is not None:
            self.log = earlier.log
            for task, before in zip(self.tasks, earlier.tasks, strict=True):
                task.take_over(before)

    def pipe(self, topic: str, key: bytes, value: bytes | None, timestamp: int) -> None:
        self.append(topic, value, key, -1, timestamp, None)

    def append(self, topic: str, value: Any, key: Any, partition: int, timestamp: int, headers: Any) -> None:
        if partition < 0:
            partition = partition_for_key(key, self.counts.get(topic, 1)) if key is not None else timestamp % 2
        log = self.log[topic, partition]
        log.append(DriverMessage(topic, len(log), key, value, timestamp, headers, partition))

    def settle(self) -> None:
        """Runs until nobody has anything to do."""
        active = True
        while active:
            for task in self.tasks:
                task.commit()
            active = sum(task.run(None) for task in self.tasks) > 0


class OneTask:
    """Its state and program, and how far it has read its inputs."""

    def __init__(self, owner: ManyTasks, task: TaskId) -> None:
        self._owner, self._id = owner, task
        self._sub = owner.fitted.plan.subtopologies[task.subtopology]
        self._specs = [store.spec for store in self._sub.stores]
        self._changelogs: dict[str, list[Any]] = {spec.name: [] for spec in self._specs}
        self._disk = MemoryDisk()
        self.offsets: dict[Place, int] = dict.fromkeys(owner.fitted.inputs(task), 0)
        self._committed = dict(self.offsets)
        self._unsent: list[tuple[Any, ...]] = []
        self._open()

    def _open(self) -> None:
        self.state = MemoryTaskState.open(self._specs, self._disk)
        self._program: TaskProgram = self._sub.program.bind(
            TaskBinding(
                application_id="app",
                wall_clock=lambda: 0,
                task_id=self._id,
                stores=dict(self.state.stores),
                produce=self._produce,
                produce_full=self._produce,
                watermarks={source.topic: Unbounded() for source in self._sub.sources if source.role == "repartition"},
                counters=Counters(),
            )
        )

    def _produce(self, topic: str, value: Any, key: Any, partition: int, *rest: Any) -> None:
        record = (topic, value, key, partition, *rest[2:])
        if self._owner.guarantee == "exactly_once":
            self._unsent.append(record)
        else:
            self._owner.append(*record)

    def run(self, most: int | None, which: int = 0) -> bool:
        """Reads on in one of its inputs, up to `most` records; whether there were any."""
        places = list(self.offsets)
        for place in [*places[which % len(places) :], *places[: which % len(places)]]:
            log, start = self._owner.log[place], self.offsets[place]
            end = len(log) if most is None else min(len(log), start + most)
            if start < end:
                assert self._program.sources[place[0]].run(log, start, end, NO_LIMIT) == end
                self.offsets[place] = end
                return True
        return False

    def commit(self) -> None:
        self._program.flush()
        for name, changelog in self._changelogs.items():
            changelog.extend(self.state.pending(name))
        self.state.commit({})
        self._committed = dict(self.offsets)
        unsent, self._unsent = self._unsent, []
        for record in unsent:
            self._owner.append(*record)

    def crash(self, *, keep_disk: bool) -> None:
        self.state.close()
        self._unsent = []
        self.offsets = dict(self._committed)
        if not keep_disk:
            self._disk = MemoryDisk()
            with MemoryTaskState.open(self._specs, self._disk) as state:
                for name, changelog in self._changelogs.items():
                    state.restore(name, changelog, len(changelog))
        self._open()

    def take_over(self, before: OneTask) -> None:
        """Goes on where another version of the task ended."""
        before.state.close()
        self._disk = before._disk
        self.offsets, self._committed = dict(before.offsets), dict(before.offsets)
        self.state.close()
        self._open()

    def rows(self, store: str) -> dict[bytes, Any]:
        """What the task has of a store."""
        if all(spec.name != store for spec in self._specs):
            return {}
        with self.state.store(store).all() as scan:  # type: ignore[union-attr]
            return {key: row[0] for key, row in scan}
