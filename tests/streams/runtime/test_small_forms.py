"""Small forms: offset metadata, task metadata, counters, phases, and what an error says."""

from __future__ import annotations

import pytest
from confluent_kafka import KafkaError
from hypothesis import given
from hypothesis import strategies as st

from streams.observe import COUNTER_HELP, Counters, add_up
from streams.plan.task_id import TaskId
from streams.runtime.connection import ConnectionWatch
from streams.runtime.options import WorkerOptions
from streams.runtime.partition_time import decode_partition_time, encode_partition_time
from streams.runtime.phase import (
    TASK_TRANSITIONS,
    WORKER_TRANSITIONS,
    PhaseError,
    TaskPhase,
    WorkerState,
    check_task_transition,
    check_worker_transition,
)
from streams.runtime.producer import cure, producer_config
from streams.runtime.task_marks import TaskMarks
from streams.runtime.task_metadata import read_clocks, read_watermarks, write_rows
from streams.runtime.watermark import Watermark


@given(st.integers(-1, 2**63 - 1))
def test_partition_time_encoded_and_decoded_is_the_same(time: int) -> None:
    assert decode_partition_time(encode_partition_time(time)) == time


def test_partition_time_committed_in_a_transaction_is_read() -> None:
    """librdkafka adds a NUL there."""
    assert decode_partition_time(encode_partition_time(1_270) + "\0") == 1_270


def test_partition_time_of_kafka_streams_is_read() -> None:
    """`TopicPartitionMetadata` version 2, with processor metadata behind the time."""
    assert decode_partition_time("AgAAAAAAAAPoAAAAAA==") == 1000


@pytest.mark.parametrize("foreign", ["", "comment", "////", "bm8=", "CQAAAAAAAAPo"])
def test_partition_time_in_foreign_metadata_is_unknown(foreign: str) -> None:
    assert decode_partition_time(foreign) == -1


def test_task_metadata_written_and_read_is_the_same() -> None:
    upstream = [TaskId(0, 0), TaskId(0, 1)]
    watermark = Watermark("r", upstream)
    watermark.update([TaskMarks.of(0, [0], 5), TaskMarks.of(0, [1], 9)])
    rows = write_rows({"counts": 77, "late": -1}, {"r": watermark})
    assert read_clocks(rows) == {"counts": 77, "late": -1}
    again = Watermark("r", upstream)
    read_watermarks(rows, {"r": again})
    assert again.value == 5


def test_counters_snapshot_names_every_counter() -> None:
    counters = Counters()
    counters.processed += 3
    assert counters.snapshot() == dict.fromkeys(COUNTER_HELP, 0) | {"processed": 3}
    assert add_up([counters, counters])["processed"] == 6


@pytest.mark.parametrize("before", TaskPhase)
@pytest.mark.parametrize("after", TaskPhase)
def test_task_transition_follows_the_table(before: TaskPhase, after: TaskPhase) -> None:
    if after in TASK_TRANSITIONS[before]:
        check_task_transition("0_0", before, after)
    else:
        with pytest.raises(PhaseError, match=f"0_0 cannot go from {before.value} to {after.value}"):
            check_task_transition("0_0", before, after)


@pytest.mark.parametrize("before", WorkerState)
@pytest.mark.parametrize("after", WorkerState)
def test_worker_transition_follows_the_table(before: WorkerState, after: WorkerState) -> None:
    if after in WORKER_TRANSITIONS[before]:
        check_worker_transition(before, after)
    else:
        with pytest.raises(PhaseError):
            check_worker_transition(before, after)


def test_outage_is_told_once_and_so_is_its_end(caplog: pytest.LogCaptureFixture) -> None:
    """librdkafka repeats itself with every attempt."""
    watch = ConnectionWatch("kafka:9092", "consumer")
    with caplog.at_level("INFO"):
        for _ in range(3):
            watch.on_error(KafkaError(KafkaError._TRANSPORT))
            watch.on_error(KafkaError(KafkaError._ALL_BROKERS_DOWN))
        watch.alive()
        watch.alive()
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == [
        "broker_unreachable",
        "broker_reachable",
    ]


def test_refused_record_of_an_unknown_topic_says_to_create_it() -> None:
    assert "create the topic" in cure(KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART))


def test_producer_config_the_users_wishes_are_stronger(tmp_path) -> None:
    options = WorkerOptions(
        application_id="app",
        bootstrap_servers="kafka:9092",
        state_dir=tmp_path,
        client_config={"linger.ms": 1, "security.protocol": "SSL"},
        producer_config={"linger.ms": 7},
    )
    config = producer_config(options)
    assert (config["linger.ms"], config["security.protocol"], config["partitioner"]) == (7, "SSL", "murmur2_random")
