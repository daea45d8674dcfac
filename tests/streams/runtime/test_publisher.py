"""When a process says how far its tasks are."""

from __future__ import annotations

import pytest

from streams.plan.task_id import TaskId
from streams.runtime.progress import Progress
from streams.runtime.publisher import Publication, PublishedTopic, WatermarkPublisher
from streams.runtime.task_marks import TaskMarks, decode_marks

A, B = TaskId(0, 0), TaskId(0, 1)


class Told:
    """Progress as a test sets it."""

    def __init__(self) -> None:
        self.progress = {A: Progress(-1, False), B: Progress(-1, False)}

    def measures(self, task: TaskId):
        return {"r": lambda previous: self.progress[task]}


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def publisher(told: Told) -> WatermarkPublisher:
    publisher = WatermarkPublisher({"r": PublishedTopic(4, 2)}, interval_ms=500, repeat_ms=10_000)
    publisher.add(A, told.measures(A))
    publisher.add(B, told.measures(B))
    return publisher


def marks(publications: list[Publication]) -> list[list[TaskMarks]]:
    return [decode_marks(publication.payload) for publication in publications]


def test_publisher_new_tasks_speak_at_once_in_one_record(publisher: WatermarkPublisher) -> None:
    """The vector of all tasks of the process, for each of the topic's partitions."""
    publications = publisher.due(0)
    assert marks(publications) == [[TaskMarks.of(0, [0, 1], -1)]]
    assert [publication.partitions for publication in publications] == [4]


def test_publisher_while_time_moves_speaks_every_interval(publisher: WatermarkPublisher, told: Told) -> None:
    publisher.due(0)
    told.progress[A] = Progress(10, False)
    assert publisher.due(499) == []
    assert marks(publisher.due(500)) == [[TaskMarks.of(0, [0], 10), TaskMarks.of(0, [1], -1)]]
    told.progress[A] = Progress(20, False)
    assert publisher.due(999) == []
    assert len(publisher.due(1000)) == 1


def test_publisher_while_time_stands_still_repeats_every_ten_seconds(publisher: WatermarkPublisher) -> None:
    publisher.due(0)
    assert [now for now in range(0, 21_000, 500) if publisher.due(now)] == [10_000, 20_000]


def test_publisher_many_tasks_and_partitions_speak_less_often(told: Told) -> None:
    """Of 500 tasks 100 are here, so there are five processes: 5 × 1,000 partitions at 2,000 records/s, every 2.5 s."""
    publisher = WatermarkPublisher({"r": PublishedTopic(1_000, 500)}, interval_ms=500, repeat_ms=10_000)
    for partition in range(100):
        publisher.add(TaskId(0, partition), told.measures(A))
    publisher.due(0)
    told.progress[A] = Progress(10, False)
    assert publisher.due(2_499) == []
    assert len(publisher.due(2_500)) == 1


def test_publisher_one_of_many_processes_sends_two_hundred_records_a_second(told: Told) -> None:
    publisher = WatermarkPublisher({"r": PublishedTopic(1_000, 1_000)}, interval_ms=500, repeat_ms=10_000)
    publisher.add(A, told.measures(A))
    publisher.due(0)
    told.progress[A] = Progress(10, False)
    assert publisher.due(4_999) == []
    assert len(publisher.due(5_000)) == 1


def test_publisher_with_all_of_many_tasks_speaks_as_often_as_with_one(told: Told) -> None:
    """A record goes to each partition per process, whatever the number of its tasks."""
    publisher = WatermarkPublisher({"r": PublishedTopic(1_000, 1_000)}, interval_ms=500, repeat_ms=10_000)
    for partition in range(1_000):
        publisher.add(TaskId(0, partition), told.measures(A))
    publisher.due(0)
    told.progress[A] = Progress(10, False)
    assert publisher.due(499) == []
    [publication] = publisher.due(500)
    assert len(publication.payload) < 150


def test_publisher_idle_tasks_and_those_that_move_are_spoken_of_apart(
    publisher: WatermarkPublisher, told: Told
) -> None:
    told.progress = {A: Progress(50, True), B: Progress(90, False)}
    assert marks(publisher.due(0)) == [[TaskMarks.of(0, [1], 90), TaskMarks.of(0, [0], 50, idle=True)]]


def test_publisher_task_back_from_idleness_speaks_at_once(publisher: WatermarkPublisher, told: Told) -> None:
    """Its mark must lie before the records that follow it."""
    told.progress = {A: Progress(50, True), B: Progress(90, False)}
    publisher.due(0)
    told.progress[A] = Progress(50, False)
    publisher.awake(B)  # was not idle: nothing changes
    assert publisher.due(100) == []
    publisher.awake(A)
    assert marks(publisher.due(101)) == [[TaskMarks.of(0, [0, 1], 50)]]


def test_publisher_removed_task_is_not_spoken_of(publisher: WatermarkPublisher, told: Told) -> None:
    publisher.due(0)
    publisher.remove([A])
    told.progress[B] = Progress(5, False)
    assert marks(publisher.due(500)) == [[TaskMarks.of(0, [1], 5)]]
    publisher.remove([B])
    assert publisher.due(50_000) == []


def test_publisher_record_is_as_old_as_the_least_mark(publisher: WatermarkPublisher, told: Told) -> None:
    """A reader that merges inputs by time must not let it wait behind younger records."""
    told.progress = {A: Progress(70, False), B: Progress(90, False)}
    assert publisher.due(0)[0].timestamp == 70
    told.progress = {A: Progress(70, True), B: Progress(90, True)}
    assert publisher.due(500)[0].timestamp == 0


def test_publisher_topic_with_one_upstream_task_is_passed_over(told: Told) -> None:
    publisher = WatermarkPublisher({}, interval_ms=500, repeat_ms=10_000)
    publisher.add(A, told.measures(A))
    assert publisher.due(0) == []


def test_publisher_next_due_is_the_end_of_the_interval(publisher: WatermarkPublisher) -> None:
    assert publisher.next_due(0) == 0
    publisher.due(0)
    assert publisher.next_due(100) == 400
