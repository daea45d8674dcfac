"""The watermark of a repartition topic and its control record."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.plan.task_id import TaskId
from streams.runtime.watermark import UNBOUNDED, WATERMARK_HEADER, TaskMark, Watermark, decode_marks, encode_marks
from tests.streams.runtime.messages import record

FOUR = [TaskId(0, partition) for partition in range(4)]


def mark(partition: int, watermark: int, *, idle: bool = False) -> TaskMark:
    return TaskMark(0, partition, watermark, idle)


def control(*marks: TaskMark):
    return record(value=None, key=None, headers=[("other", b"x"), (WATERMARK_HEADER, encode_marks(marks))])


@pytest.fixture
def watermark() -> Watermark:
    return Watermark("repartition", FOUR)


@given(st.lists(st.builds(TaskMark, st.integers(0, 99), st.integers(0, 9999), st.integers(-1, 2**62), st.booleans())))
def test_marks_encoded_and_decoded_are_the_same(marks: list[TaskMark]) -> None:
    """A control record's payload says what was put into it."""
    assert decode_marks(encode_marks(marks)) == marks


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
    watermark.update([mark(partition, 50) for partition in range(4)] + [TaskMark(7, 0, 1, False), mark(9, 1)])
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
    other.restore(watermark.snapshot())
    assert other.value == 60


def test_restored_watermark_idle_tasks_hold_back_until_they_speak(watermark: Watermark) -> None:
    """While nobody was here, an idle task may have got input."""
    watermark.update([mark(0, 70), mark(1, 90), mark(2, 60, idle=True), mark(3, 80)])
    other = Watermark("repartition", FOUR)
    other.restore(watermark.snapshot())
    assert other.value == 60
    other.update([mark(2, 60, idle=True)])
    assert other.value == 70
