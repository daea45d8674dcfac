"""What is next among the buffered records of a task."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.compile.program import NO_LIMIT
from streams.runtime.buffers import PartitionBuffer, TaskInputs
from tests.streams.runtime.messages import RecordingSource, record


class Inputs:
    """A task with inputs named by their ranks: `table` first."""

    def __init__(self, *topics: str, max_task_idle_ms: int = 0) -> None:
        self.ran: list[tuple[str, int]] = []
        self.sources = {topic: RecordingSource(self.ran) for topic in topics}
        self.buffers = {
            topic: PartitionBuffer(topic, 0, self.sources[topic], rank=rank, now=0)  # type: ignore[arg-type]
            for rank, topic in enumerate(topics)
        }
        self.inputs = TaskInputs(list(self.buffers.values()), max_task_idle_ms=max_task_idle_ms)
        self.offsets = dict.fromkeys(topics, 0)

    def put(self, topic: str, *times: int) -> None:
        first = self.offsets[topic]
        self.offsets[topic] += len(times)
        self.buffers[topic].append(
            [record(topic, offset=first + i, timestamp=time) for i, time in enumerate(times)], now=0
        )

    def end(self, topic: str) -> None:
        self.buffers[topic].reached_end(self.offsets[topic])

    def run(self, now: int = 0) -> list[tuple[str, int]]:
        """Runs all that may be run; returns it."""
        self.ran.clear()
        while (following := self.inputs.next(now)) is not None:
            buffer, limit = following
            to = buffer.source.run(buffer.batch, buffer.at, len(buffer.batch), limit)
            assert to > buffer.at
            buffer.advance(to)
        return list(self.ran)


def test_inputs_single_runs_without_limit() -> None:
    task = Inputs("a")
    task.put("a", 5, 3, 9)
    assert task.inputs.next(0) == (task.buffers["a"], NO_LIMIT)
    assert task.run() == [("a", 5), ("a", 3), ("a", 9)]


def test_inputs_merge_by_timestamp_in_runs() -> None:
    """Five runs, not nine."""
    task = Inputs("a", "b")
    task.put("a", 1, 2, 3, 10, 11)
    task.put("b", 4, 5, 12, 13)
    task.end("a")
    task.end("b")
    assert [time for _, time in task.run()] == [1, 2, 3, 4, 5, 10, 11, 12, 13]
    assert task.sources["a"].calls + task.sources["b"].calls == 4


def test_inputs_out_of_order_record_goes_with_its_partition() -> None:
    """Within a partition the order is the offsets'."""
    task = Inputs("a", "b")
    task.put("a", 1, 9, 2)
    task.put("b", 5)
    task.end("a")
    task.end("b")
    assert task.run() == [("a", 1), ("b", 5), ("a", 9), ("a", 2)]


def test_inputs_tie_table_goes_first() -> None:
    task = Inputs("table", "stream")
    task.put("stream", 5, 6)
    task.put("table", 5, 6)
    task.end("table")
    task.end("stream")
    assert task.run() == [("table", 5), ("stream", 5), ("table", 6), ("stream", 6)]


def test_inputs_empty_and_unknown_waits() -> None:
    """An older record may be on its way."""
    task = Inputs("a", "b")
    task.put("a", 1)
    assert not task.inputs.ready(0)
    task.end("b")
    assert task.run() == [("a", 1)]


def test_inputs_end_then_more_is_unknown_again_once_drained() -> None:
    task = Inputs("a", "b")
    task.end("b")
    task.put("b", 1)
    task.put("a", 2)
    assert task.run() == [("b", 1)]
    assert not task.inputs.ready(0)


def test_inputs_nothing_buffered_is_not_ready() -> None:
    task = Inputs("a", "b")
    task.end("a")
    task.end("b")
    assert not task.inputs.ready(0)


def test_inputs_max_task_idle_waits_longer_after_the_end() -> None:
    task = Inputs("a", "b", max_task_idle_ms=100)
    task.end("b")
    task.put("a", 1)
    assert not task.inputs.ready(1_000)
    assert not task.inputs.ready(1_099)
    assert task.inputs.ready(1_100)


def test_inputs_max_task_idle_negative_never_waits() -> None:
    task = Inputs("a", "b", max_task_idle_ms=-1)
    task.put("a", 1)
    assert task.inputs.ready(0)


def test_inputs_record_without_a_timestamp_runs_first() -> None:
    """Running it is what says what is wrong with it."""
    task = Inputs("a", "b")
    task.put("a", 1)
    task.buffers["b"].append([record("b", timestamp=99, value=b"broken")], now=0)
    following = task.inputs.next(0)
    assert following is not None
    assert following[0] is task.buffers["b"]


@given(
    st.lists(st.lists(st.integers(0, 9), max_size=8), min_size=2, max_size=4),
)
def test_inputs_any_heads_run_in_the_order_of_record_by_record_choice(times: list[list[int]]) -> None:
    """Running stretches gives the order of choosing anew for every record: oldest head, earlier input on a tie."""
    topics = "abcd"[: len(times)]
    task = Inputs(*topics)
    for topic, each in zip(topics, times):
        if each:
            task.put(topic, *each)
        task.end(topic)
    expected: list[tuple[str, int]] = []
    left = {topic: list(each) for topic, each in zip(topics, times)}
    while any(left.values()):
        topic = min((t for t in topics if left[t]), key=lambda t: (left[t][0], t))
        expected.append((topic, left[topic].pop(0)))
    assert task.run() == expected


def test_inputs_ready_says_whether_there_is_a_next() -> None:
    for max_idle in (-1, 0, 50):
        for state in range(8):
            task = Inputs("a", "b", max_task_idle_ms=max_idle)
            if state & 1:
                task.put("a", 1)
            if state & 2:
                task.put("b", 1)
            if state & 4:
                task.end("b")
            for now in (0, 49, 50):
                assert task.inputs.ready(now) == (task.inputs.next(now) is not None)


def test_inputs_head_time_is_the_oldest() -> None:
    task = Inputs("a", "b")
    assert task.inputs.head_time() == NO_LIMIT
    task.put("a", 7)
    task.put("b", 4)
    assert task.inputs.head_time() == 4
    assert task.inputs.count == 2


def test_buffer_position_follows_what_is_processed() -> None:
    task = Inputs("a")
    buffer = task.buffers["a"]
    assert buffer.position() is None
    task.put("a", 1, 2)
    task.put("a", 3)
    buffer.advance(1)
    assert buffer.position() == 1
    buffer.advance(2)
    assert (buffer.position(), buffer.count) == (2, 1)
    buffer.advance(1)
    assert (buffer.position(), buffer.count, buffer.buffered_bytes) == (3, 0, 0)


def test_buffer_position_at_the_end_passes_what_are_no_records() -> None:
    """Transaction markers have offsets too."""
    task = Inputs("a")
    task.put("a", 1)
    task.buffers["a"].reached_end(5)
    assert task.buffers["a"].position() is None
    task.run()
    assert task.buffers["a"].position() == 5


def test_buffer_starts_at_its_committed_position() -> None:
    buffer = PartitionBuffer("a", 0, RecordingSource([]), rank=0, now=0, position=17)  # type: ignore[arg-type]
    assert buffer.position() == 17


@pytest.mark.parametrize(("at_end", "count", "now", "quiet"), [
    (True, 0, 110, True), (True, 0, 109, False), (False, 0, 500, False), (True, 1, 500, False),
])  # fmt: skip
def test_buffer_quiet_needs_end_and_silence(at_end: bool, count: int, now: int, quiet: bool) -> None:
    buffer = PartitionBuffer("a", 0, RecordingSource([]), rank=0, now=0)  # type: ignore[arg-type]
    buffer.append([record("a")] * 1, now=10)
    buffer.advance(1 - count)
    if at_end:
        buffer.reached_end(1)
    assert buffer.is_quiet(now, 100) is quiet
