"""What a task does about records in flight: input waits for them, a commit leaves them or waits, time does not pass
them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from stores import MemoryTaskState
from streams import App, Json
from streams.errors import ProcessingError
from streams.plan.task_id import TaskId
from streams.runtime.failure_policy import FailurePolicy
from streams.runtime.membership import CommittedOffset
from streams.runtime.partition_time import decode_partition_time
from streams.runtime.task import Task
from streams.testing.call_loop import TestCallLoop
from tests.streams.runtime.messages import partition_end, record


async def slowly(value: Any) -> Any:
    """Takes so many ms."""
    await asyncio.sleep(value / 1000)
    if value == 13:
        raise ConnectionError("unlucky")
    return value


class OneTask:
    """A task of `in`, its loop, and what it sent."""

    def __init__(self, app: App, *, processing: Any = "fail") -> None:
        plan = app.plan().partitions({"in": 1})
        self.calls = TestCallLoop()
        self.sent: list[int] = []
        state = MemoryTaskState.open([store.spec for store in plan.plan.subtopologies[0].stores])
        self.task = Task(
            TaskId(0, 0),
            plan,
            committed={("in", 0): None},
            global_stores={},
            state=state,
            produce=self._produce,
            produce_full=self._produce,
            failures=FailurePolicy(deserialization="fail", processing=processing),
            max_task_idle_ms=0,
            wall_clock=lambda: 0,
            now=0,
            calls=self.calls,
        )
        self.task.start()
        self.measure = self.task.measures(lambda: 0, 1_000)

    def _produce(self, topic: str, value: Any, key: Any, partition: int, *rest: Any) -> None:
        self.sent.append(rest[-2])

    def feed(self, *values: int, first: int = 0) -> None:
        """Records with these values; offsets and timestamps (1000 on) count from `first`."""
        batch = [record("in", 0, first + i, 1_000 + first + i, b"%d" % v) for i, v in enumerate(values)]
        self.task.inputs.buffers[0].append(batch, now=0)

    def offset(self) -> CommittedOffset:
        return self.task.offsets()["in", 0]

    def close(self) -> None:
        self.task.close()
        self.calls.close()


def app_with(*, counted: bool = False, through: bool = False) -> App:
    app = App("app")
    stream = app.stream("in", key=str, value=Json())
    if counted:
        stream = stream.group_by_key().reduce(lambda one, other: other, store="last").to_stream()
    answered = stream.map_async(slowly, concurrency=3, value=Json())
    (answered.repartition(name="next") if through else answered).to("out")
    return app


@pytest.fixture
def tasks() -> Iterator[list[OneTask]]:
    made: list[OneTask] = []
    yield made
    for each in made:
        each.close()


def made(tasks: list[OneTask], app: App, **options: Any) -> OneTask:
    tasks.append(OneTask(app, **options))
    return tasks[-1]


def test_task_takes_no_more_than_may_be_in_flight(tasks: list[OneTask]) -> None:
    one = made(tasks, app_with())
    one.feed(5, 5, 5, 5, 5)
    assert one.task.run(100, 0) == 3
    assert not one.task.ready(0)
    assert one.task.run(100, 0) == 0
    assert one.task.inputs.count == 2
    one.calls.wait(1.0)
    one.task.settle()
    assert one.task.ready(0)


def test_commit_of_a_plain_way_leaves_what_is_in_flight(tasks: list[OneTask]) -> None:
    """The position is the first record in flight, its partition time that of those before it."""
    one = made(tasks, app_with())
    assert not one.task.subtopology.program.drains
    one.feed(1, 50, 2)
    one.task.run(100, 0)
    assert one.offset().offset == 0
    one.calls.wait(1.0)
    one.task.settle()
    assert one.sent == [1_000]
    assert one.task.prepare_commit()
    one.task.flush()
    assert one.sent == [1_000]
    assert one.offset().offset == 1
    assert decode_partition_time(one.offset().metadata) == 1_000
    while one.task.calling:
        one.calls.wait(1.0)
        one.task.settle()
    assert one.offset().offset == 3
    assert decode_partition_time(one.offset().metadata) == 1_002


def test_commit_behind_state_waits_and_takes_no_input_meanwhile(tasks: list[OneTask]) -> None:
    one = made(tasks, app_with(counted=True))
    assert one.task.subtopology.program.drains
    one.feed(1, 50)
    one.task.run(100, 0)
    assert not one.task.prepare_commit()
    one.feed(1, first=2)
    assert not one.task.ready(0)
    assert one.task.run(100, 0) == 0
    one.task.flush()
    assert one.sent == [1_000, 1_001]
    assert one.offset().offset == 2
    assert one.task.ready(0)


def test_closed_task_drops_what_is_in_flight(tasks: list[OneTask]) -> None:
    one = made(tasks, app_with())
    one.feed(50)
    one.task.run(100, 0)
    one.task.close()
    one.calls.wait(1.0)
    assert one.sent == []


def test_failed_record_in_flight_is_told_and_those_behind_it_go_on(tasks: list[OneTask]) -> None:
    told: list[Any] = []

    def skip(failed: Any) -> str:
        told.append(failed)
        return "continue"

    one = made(tasks, app_with(), processing=skip)
    one.feed(20, 13, 5)
    one.task.run(100, 0)
    one.task.flush()
    while one.task.calling:
        one.calls.wait(1.0)
        one.task.settle()
    assert one.sent == [1_000, 1_002]
    assert [(each.message.offset(), each.node) for each in told] == [(1, "in-map-async")]
    assert one.task.counters.skipped_processing == 1
    strict = made(tasks, app_with(counted=True))
    strict.feed(13)
    strict.task.run(100, 0)
    with pytest.raises(ProcessingError, match="unlucky"):
        strict.task.flush()
    assert strict.task.torn


def test_time_is_told_when_what_came_before_it_is_out(tasks: list[OneTask]) -> None:
    one = made(tasks, app_with(through=True))
    told = one.measure["app-next-repartition"]
    assert told(-1).watermark == -1
    one.feed(1, 50)
    one.task.run(100, 0)
    assert told(-1).watermark == -1  # asked with two in flight: answered when both are out
    one.calls.wait(1.0)
    one.task.settle()
    assert one.sent == [1_000]
    assert told(-1).watermark == -1
    one.calls.wait(1.0)
    one.task.settle()
    assert told(-1).watermark == 1_001


def test_task_with_records_in_flight_is_not_idle(tasks: list[OneTask]) -> None:
    one = made(tasks, app_with(through=True))
    told = one.task.measures(lambda: 5_000, 1_000)["app-next-repartition"]
    one.feed(50)
    one.task.inputs.buffers[0].reached_end(partition_end("in", 0, 1).offset())
    one.task.run(100, 0)
    assert not told(-1).idle
    one.calls.wait(1.0)
    one.task.settle()
    assert told(-1).idle
