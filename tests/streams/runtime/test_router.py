"""From a consumed batch to the buffers."""

from __future__ import annotations

from confluent_kafka import KafkaError
from hypothesis import given
from hypothesis import strategies as st

from streams.runtime.buffers import PartitionBuffer
from streams.runtime.router import Router, stretches
from tests.streams.runtime.messages import RecordingSource, fetch_error, partition_end, record

PLACES = [("a", 0), ("a", 1), ("b", 0)]


def router(*, cap_records: int = 1000, cap_bytes: int = 10**9) -> Router:
    routed = Router(cap_records=cap_records, cap_bytes=cap_bytes)
    routed.add(
        PartitionBuffer(topic, partition, RecordingSource([]), rank=0, now=0)  # type: ignore[arg-type]
        for topic, partition in PLACES
    )
    return routed


def offsets(buffer: PartitionBuffer) -> list[int]:
    found: list[int] = []
    while buffer.count:
        found += [message.offset() for message in buffer.batch[buffer.at :]]
        buffer.advance(len(buffer.batch))
    return found


@given(st.lists(st.sampled_from([*PLACES, ("gone", 0)]), max_size=60))
def test_route_any_interleaving_keeps_every_record_and_its_order(places: list[tuple[str, int]]) -> None:
    """Each buffer gets exactly its partition's records, in order; those of partitions that left are dropped."""
    routed = router()
    routed.route([record(topic, partition, offset) for offset, (topic, partition) in enumerate(places)], now=0)
    for place, buffer in routed.buffers.items():
        assert offsets(buffer) == [offset for offset, each in enumerate(places) if each == place]


def test_stretches_one_partition_is_the_same_list() -> None:
    """Nothing is copied where nothing is to be cut."""
    batch = [record("a", 0, offset) for offset in range(5)]
    [(place, stretch)] = stretches(batch)
    assert place == ("a", 0)
    assert stretch is batch


def test_route_partition_end_counts_only_when_nothing_follows() -> None:
    routed = router()
    routed.route([record("a", 0, 0), partition_end("a", 0, 1), partition_end("b", 0, 7), record("b", 0, 7)], now=0)
    assert routed.buffers["a", 0].at_end
    assert not routed.buffers["b", 0].at_end
    assert offsets(routed.buffers["a", 0]) == [0]
    assert offsets(routed.buffers["b", 0]) == [7]


def test_route_error_event_is_returned_and_loses_no_record() -> None:
    routed = router()
    error = fetch_error("a", 0, KafkaError.TOPIC_AUTHORIZATION_FAILED)
    assert routed.route([record("a", 1, 0), error, record("a", 1, 1)], now=0) == [error]
    assert offsets(routed.buffers["a", 1]) == [0, 1]


def test_route_quiet_buffer_that_gets_records_is_woken() -> None:
    routed = router()
    buffer = routed.buffers["a", 0]
    buffer.reached_end(0)
    assert buffer.is_quiet(now=50, timeout=10)
    routed.route([record("a", 0, 0), record("a", 1, 0)], now=60)
    assert routed.woken == [buffer]


def test_flow_full_partition_is_paused_once_and_resumed_late() -> None:
    """Pausing throws the client's prefetch away, so the marks lie far apart."""
    routed = router(cap_records=100)
    buffer = routed.buffers["a", 0]
    routed.route([record("a", 0, offset) for offset in range(100)], now=0)
    assert routed.to_pause() == [("a", 0)]
    assert routed.to_pause() == []
    buffer.advance(74)
    assert routed.to_resume() == []
    buffer.advance(75)
    assert routed.to_resume() == [("a", 0)]
    assert routed.to_resume() == []


def test_flow_large_values_pause_by_bytes() -> None:
    routed = router(cap_bytes=3_000_000)
    routed.route([record("a", 0, offset, value=bytes(200_000)) for offset in range(5)], now=0)
    routed.route([record("a", 1, offset, value=bytes(200_000)) for offset in range(3)], now=0)
    assert routed.to_pause() == [("a", 0)], "together they hold more than half, and this one more than its third"


def test_flow_partition_may_exceed_its_share_while_all_together_hold_little() -> None:
    """The share of one of a thousand partitions is some hundred records: it would be paused all the time."""
    routed = router(cap_bytes=3_000_000)
    routed.route([record("a", 0, offset, value=bytes(200_000)) for offset in range(6)], now=0)
    assert routed.to_pause() == []
    routed.route([record("a", 1, offset, value=bytes(200_000)) for offset in range(3)], now=0)
    assert routed.to_pause() == [("a", 0)]
    routed.buffers["a", 0].advance(6)
    routed.buffers["a", 1].advance(3)
    assert routed.to_resume() == [("a", 0)]


def test_hungry_empty_partition_not_at_its_end() -> None:
    routed = router()
    assert routed.hungry()
    routed.route([record("a", 0), record("a", 1), partition_end("b", 0, 0)], now=0)
    assert not routed.hungry()


def test_polled_after_a_standstill_no_partition_is_quiet_any_more() -> None:
    """A process that was stopped has not seen what came meanwhile: it must not take its inputs for idle."""
    routed = router()
    routed.polled(100, 100, stall_ms=500)
    routed.route([partition_end("a", 0, 0)], now=100)
    routed.polled(100, 700, stall_ms=500)
    assert routed.buffers["a", 0].is_quiet(700, timeout=600), "it may take a little longer than the wait"
    routed.polled(100, 1301, stall_ms=500)
    assert not routed.buffers["a", 0].is_quiet(1301, timeout=600)
    routed.polled(600, 1901, stall_ms=500)
    assert routed.buffers["a", 0].is_quiet(1901, timeout=600)
