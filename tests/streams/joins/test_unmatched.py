"""What waits in a join of streams, against taking out everything that is met without further thought."""

from __future__ import annotations

from bisect import insort

from hypothesis import given
from hypothesis import strategies as st

from stores import BufferSpec, MemoryTaskState, TimeBuffer
from streams import JoinWindows
from streams.compile.clock import NEVER
from streams.operators.unmatched import LEFT, RIGHT, JoinRow, Unmatched
from tests.streams.examples import examples
from tests.streams.joins.two_streams import join_windows


def waiting_for(windows: JoinWindows) -> tuple[Unmatched, TimeBuffer]:
    buffer = MemoryTaskState.open([BufferSpec(name="waiting", lanes=2)]).store("waiting")
    assert isinstance(buffer, TimeBuffer)
    return Unmatched(buffer, (windows.before_ms + windows.grace_ms, windows.after_ms + windows.grace_ms)), buffer


@examples(300)
@given(
    windows=join_windows(),
    records=st.lists(st.tuples(st.sampled_from([RIGHT, LEFT]), st.integers(0, 30)), min_size=8, max_size=30),
)
def test_meet_takes_out_just_what_was_waiting(windows: JoinWindows, records: list[tuple[int, int]]) -> None:
    """Looking at the neighbours of a record in time spares lookups and nothing else."""
    unmatched, buffer = waiting_for(windows)
    kept: dict[int, list[JoinRow]] = {RIGHT: [], LEFT: []}
    model: set[tuple[int, int]] = set()
    now = -1
    for place, (lane, ts) in enumerate(records):
        now = max(now, ts)
        while (due := unmatched.take(now)) is not None:
            model.remove((due.time, due.lane))
        insort(kept[lane], (ts, place, None))
        visible = {each: max((row[0] for row in rows), default=-1) for each, rows in kept.items()}
        visible = {each: newest - windows.retention_ms + 1 for each, newest in visible.items()}
        back, ahead = windows.before_ms, windows.after_ms
        if lane == RIGHT:
            back, ahead = ahead, back
        other = RIGHT + LEFT - lane
        found = [row for row in kept[other] if max(ts - back, visible[other]) <= row[0] <= ts + ahead]
        if found:
            met = {(row[0], other) for row in found} & model
            model -= met
            emptied = unmatched.meet(other, b"k", ts, found, kept[lane], visible[lane], (back, ahead))
            assert emptied == (bool(met) and not model)
        elif ts + (windows.after_ms if lane == LEFT else windows.before_ms) + windows.grace_ms >= now:
            buffer.add(ts, b"k", b"", lane)
            model.add((ts, lane))
        assert {(entry.time, entry.lane) for entry in buffer.all()} == model


def test_unmatched_comes_out_by_time_then_right_before_left_then_key_when_due() -> None:
    """Each side has its own reach: 5 + 2 ms for left ones, 3 + 2 ms for right ones."""
    windows = JoinWindows(before_ms=3, after_ms=5, grace_ms=2)
    unmatched, buffer = waiting_for(windows)
    for time, key, lane in [(10, b"b", LEFT), (10, b"a", LEFT), (10, b"z", RIGHT), (12, b"a", RIGHT), (9, b"c", LEFT)]:
        buffer.add(time, key, b"", lane)
    assert unmatched.due() == 16
    assert unmatched.take(15) is None
    order: list[tuple[int, int, bytes]] = []
    while (entry := unmatched.take(18)) is not None:
        order.append((entry.time, entry.lane, entry.key))
    assert order == [(9, LEFT, b"c"), (10, RIGHT, b"z"), (10, LEFT, b"a"), (10, LEFT, b"b"), (12, RIGHT, b"a")]
    assert unmatched.due() == NEVER
