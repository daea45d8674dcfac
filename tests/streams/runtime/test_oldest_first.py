"""Whose turn it is among tasks with records."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.runtime.oldest_first import OldestFirst


class Waiting:
    """A task with records of these times, which it takes one at a time. Is its own inputs."""

    def __init__(self, times: list[int]) -> None:
        self.times = times
        self.inputs = self
        self.asked = 0

    def ready(self, now: int) -> bool:
        self.asked += 1
        return bool(self.times)

    def head_time(self) -> int:
        return self.times[0]


@given(st.lists(st.lists(st.integers(0, 20))))
def test_next_is_the_task_with_the_oldest_record_until_there_is_none(times: list[list[int]]) -> None:
    tasks = [Waiting(list(each)) for each in times]
    ready = OldestFirst(tasks, 0)  # type: ignore[arg-type]
    while ready:
        least = min(task.times[0] for task in tasks if task.times)
        assert ready.next.head_time() == least  # type: ignore[attr-defined]
        ready.next.times.pop(0)  # type: ignore[attr-defined]
        ready.ran()
    assert not any(task.times for task in tasks)


def test_tasks_are_asked_once_and_after_they_ran_however_many_there_are() -> None:
    tasks = [Waiting([number, 1_000 + number]) for number in range(300)]
    ready = OldestFirst(tasks, 0)  # type: ignore[arg-type]
    while ready:
        ready.next.times.pop(0)  # type: ignore[attr-defined]
        ready.ran()
    assert [task.asked for task in tasks] == [3] * 300
