"""The one heap of timers, against a plain dictionary."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from broker.timers.heap import TimerHeap

OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("set"), st.integers(0, 9), st.integers(0, 1_000)),
        st.tuples(st.just("cancel"), st.integers(0, 9), st.just(0)),
        st.tuples(st.just("due"), st.just(0), st.integers(0, 1_000)),
    )
)


@given(OPERATIONS)
def test_timer_heap_behaves_as_a_dictionary_of_deadlines(operations: list[tuple[str, int, int]]) -> None:
    """Due timers come out once, by deadline; moved and cancelled ones do not come out at their old time."""
    heap: TimerHeap[int] = TimerHeap()
    model: dict[int, int] = {}
    for operation, key, at_ms in operations:
        if operation == "set":
            heap.schedule(key, at_ms)
            model[key] = at_ms
        elif operation == "cancel":
            heap.cancel(key)
            model.pop(key, None)
        else:
            due = list(heap.due(at_ms))
            assert [model[k] for k in due] == sorted(t for t in model.values() if t <= at_ms)
            model = {k: t for k, t in model.items() if t > at_ms}
        assert heap.next_ms() == min(model.values(), default=None)


def test_timer_heap_moved_often_stays_small() -> None:
    """A heartbeat every moment must not leave a heap of corpses."""
    heap: TimerHeap[str] = TimerHeap()
    for at_ms in range(10_000):
        heap.schedule("session", at_ms)
    assert len(heap.heap) < 100
    assert list(heap.due(20_000)) == ["session"]
