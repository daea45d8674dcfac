"""The watermark of a repartition topic and its control record."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.plan.task_id import TaskId
from streams.runtime.task_marks import TaskMarks, bitmap, decode_marks, encode_marks, numbers
from streams.runtime.upstream import Upstream
from streams.runtime.watermark import UNBOUNDED, WATERMARK_HEADER, Watermark
from tests.streams.runtime.messages import record

FOUR = [TaskId(0, partition) for partition in range(4)]


def mark(partition: int, watermark: int, *, idle: bool = False) -> TaskMarks:
    return TaskMarks.of(0, [partition], watermark, idle=idle)


def control(*marks: TaskMarks):
    return record(value=None, key=None, headers=[("other", b"x"), (WATERMARK_HEADER, encode_marks(marks))])


@pytest.fixture
def watermark() -> Watermark:
    return Watermark("repartition", FOUR)


@given(st.sets(st.integers(0, 9999)), st.integers(-1, 2**62), st.booleans())
def test_marks_encoded_and_decoded_are_the_same(tasks: set[int], time: int, idle: bool) -> None:
    """A control record's payload says what was put into it."""
    marks = [TaskMarks.of(7, tasks, time, idle=idle)]
    assert decode_marks(encode_marks(marks)) == marks
    assert marks[0].partitions == sorted(tasks)


def test_watermark_with_unheard_upstream_is_unknown(watermark: Watermark) -> None:
    """Nothing may be believed while one upstream task has said nothing."""
    watermark.update([mark(0, 70), mark(1, 90), mark(3, 80)])
    assert watermark.value == -1
    assert watermark.silent == [TaskId(0, 2)]


def test_watermark_of_all_known_is_the_least(watermark: Watermark) -> None:
    watermark.update([mark(0, 70), mark(1, 90), mark(2, 60), mark(3, 80)])
    assert watermark.value == 60
    assert watermark.silent == []


def test_watermark_task_says_less_than_before_keeps_its_mark(watermark: Watermark) -> None:
    """Old marks of a task that has moved arrive late: they take nothing back."""
    watermark.update([mark(partition, 50) for partition in range(4)])
    watermark.update([mark(1, 20)])
    assert watermark.value == 50


def test_watermark_idle_task_holds_nothing_back(watermark: Watermark) -> None:
    watermark.update([mark(0, 70), mark(1, 90), mark(2, 10, idle=True), mark(3, 80)])
    assert watermark.value == 70


def test_watermark_all_idle_is_unbounded(watermark: Watermark) -> None:
    watermark.update([mark(partition, 50, idle=True) for partition in range(4)])
    assert watermark.value == UNBOUNDED


def test_watermark_idle_task_returns_goes_back_to_its_mark(watermark: Watermark) -> None:
    """The one case in which the value goes back."""
    watermark.update([mark(0, 70), mark(1, 90), mark(2, 10, idle=True), mark(3, 80)])
    watermark.update([mark(2, 40)])
    assert watermark.value == 40


def test_watermark_single_upstream_is_unbounded_and_swallows_marks() -> None:
    watermark = Watermark("repartition", [TaskId(0, 0)])
    assert watermark.observe(control(mark(0, 5)))
    assert watermark.value == UNBOUNDED


def test_watermark_tasks_that_no_longer_exist_are_passed_over(watermark: Watermark) -> None:
    watermark.update([mark(partition, 50) for partition in range(4)] + [TaskMarks.of(7, [0], 1), mark(9, 1)])
    assert watermark.value == 50


def test_observe_control_record_is_taken(watermark: Watermark) -> None:
    assert watermark.observe(control(*[mark(partition, 33) for partition in range(4)]))
    assert watermark.value == 33


@pytest.mark.parametrize("headers", [None, [("trace", b"1")]])
def test_observe_data_with_null_value_is_left_alone(
    watermark: Watermark, headers: list[tuple[str, bytes]] | None
) -> None:
    """A tombstone is data."""
    assert not watermark.observe(record(value=None, headers=headers))


def test_restored_watermark_has_its_value_again(watermark: Watermark) -> None:
    watermark.update([mark(0, 70), mark(1, 90), mark(2, 60), mark(3, 80)])
    other = Watermark("repartition", FOUR)
    other.restore(watermark.floor)
    assert other.value == 60


def test_restored_watermark_idle_tasks_hold_back_until_they_speak(watermark: Watermark) -> None:
    """While nobody was here, an idle task may have got input."""
    watermark.update([mark(0, 70), mark(1, 90), mark(2, 60, idle=True), mark(3, 80)])
    other = Watermark("repartition", FOUR)
    other.restore(watermark.floor)
    assert other.value == 60
    other.update([mark(0, 70), mark(1, 90), mark(2, 60, idle=True), mark(3, 80)])
    assert other.value == 70


class ByTask:
    """The meaning, task by task."""

    def __init__(self, tasks: int) -> None:
        self.marks = dict.fromkeys(range(tasks), -1)
        self.idle: set[int] = set()

    def update(self, tasks: Iterable[int], watermark: int, idle: bool) -> None:
        for task in self.marks.keys() & set(tasks):
            if task in self.idle and not idle:
                self.marks[task] = watermark
            else:
                self.marks[task] = max(self.marks[task], watermark)
            (self.idle.add if idle else self.idle.discard)(task)

    @property
    def value(self) -> int:
        return min((mark for task, mark in self.marks.items() if task not in self.idle), default=UNBOUNDED)


@given(st.lists(st.tuples(st.sets(st.integers(0, 6)), st.integers(-1, 9), st.booleans())))
def test_watermark_told_of_tasks_together_is_that_of_each_of_them(said: list[tuple[set[int], int, bool]]) -> None:
    watermark, model = Watermark("repartition", [TaskId(0, partition) for partition in range(6)]), ByTask(6)
    for tasks, time, idle in said:
        watermark.update([TaskMarks.of(0, tasks, time, idle=idle)])
        model.update(tasks, time, idle)
        assert watermark.value == model.value
    assert watermark.floor == min(model.marks.values())


def test_tasks_of_a_process_are_one_set_again_after_one_has_moved_between_processes() -> None:
    """What is kept, and looked through with each control record, is by process, not by task."""
    upstream = Upstream(bitmap(range(1_000)))
    for time in range(10):
        for process in range(10):
            upstream.tell(bitmap(range(100 * process, 100 * process + 100)), 100 * time + process, idle=False)
    assert len(upstream.told) == 10
    upstream.tell(bitmap(range(101)), 950, idle=False)
    upstream.tell(bitmap(range(101, 200)), 960, idle=False)
    assert len(upstream.told) == 10
    assert sum(len(numbers(tasks)) for tasks in upstream.told) == 1_000


def test_floor_is_unknown_while_an_upstream_task_is_unheard(watermark: Watermark) -> None:
    watermark.update([mark(0, 70), mark(1, 90), mark(3, 80)])
    assert watermark.floor == -1
