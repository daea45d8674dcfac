from __future__ import annotations

import pytest

from streams.plan.task_id import TaskId


def test_task_id_text_round_trip() -> None:
    assert str(TaskId(0, 3)) == "0_3"
    assert TaskId.parse("12_345") == TaskId(12, 345)


def test_task_id_orders_by_subtopology_then_partition() -> None:
    assert sorted([TaskId(1, 0), TaskId(0, 10), TaskId(0, 9)]) == [TaskId(0, 9), TaskId(0, 10), TaskId(1, 0)]


@pytest.mark.parametrize("text", ["", "0", "0_", "_3", "a_3", "0_3_1", "-1_3", "0_³"])
def test_task_id_of_other_text_raises(text: str) -> None:
    with pytest.raises(ValueError, match="not a task id"):
        TaskId.parse(text)
