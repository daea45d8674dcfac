"""Leader epochs: the table of a partition, and what clients are told after a crash that lost records."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kio.schema.errors import ErrorCode

from broker import Broker
from broker.files import DamagedFileError
from broker.leader_epoch import UNKNOWN, LeaderEpoch
from broker.log.leader_epochs import LeaderEpochs
from broker.protocol.batches import encode_batch
from tests.broker.groups.wire import WireClient, wire
from tests.broker.log.partitions import batch, open_partition

PRODUCE, FETCH, LIST_OFFSETS, METADATA, OFFSET_FOR_LEADER_EPOCH = 0, 1, 2, 3, 23


def test_epoch_ends_where_the_next_one_begins() -> None:
    """The answers of Kafka's `LeaderEpochFileCache.endOffsetFor`."""
    epochs = LeaderEpochs([(2, 0), (5, 10), (6, 15)])
    assert epochs.end_of(2, 20) == (2, 10)
    assert epochs.end_of(4, 20) == (2, 10)
    assert epochs.end_of(1, 20) == (1, 0)
    assert epochs.end_of(6, 20) == (6, 20)
    assert epochs.end_of(7, 20) == (-1, -1)
    assert epochs.end_of(-1, 20) == (-1, -1)


@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["append", "epoch", "cut", "start"]), st.integers(0, 9)), min_size=1, max_size=30
    )
)
def test_table_says_what_every_record_says(steps: list[tuple[str, int]]) -> None:
    """Against a list with the epoch of each record."""
    epochs, records, start, epoch = LeaderEpochs(), list[int](), 0, 0
    epochs.assign(0, 0)
    for step, number in steps:
        end = start + len(records)
        match step:
            case "append":
                records += [epoch] * number
            case "epoch":
                epoch += 1 + number % 2
                epochs.assign(epoch, end)
            case "cut":
                del records[len(records) - min(number, len(records)) :]
                epochs.forget_from(start + len(records))
                epoch += 1
                epochs.assign(epoch, start + len(records))
            case _:
                dropped = min(number, len(records))
                del records[:dropped]
                start += dropped
                epochs.forget_before(start)
        assert [epochs.at(start + index) for index in range(len(records))] == records
        end = start + len(records)
        for asked in range(epoch + 1):
            known, behind = epochs.end_of(asked, end)
            later = [index for index, one in enumerate(records) if one > asked]
            assert known <= asked
            if later:
                assert behind == start + later[0]
            else:
                assert behind == end


def test_table_survives_a_close_and_is_made_anew_from_the_batches(tmp_path: Path) -> None:
    for epoch in (0, 2, 3):
        log = open_partition(tmp_path, epoch=epoch)
        log.append(batch("a", "b"))
        log.close(sync=False)
    expected = [(0, 0), (2, 2), (3, 4)]
    log = open_partition(tmp_path, epoch=3, trusted=True)
    assert log.epochs.entries == expected
    log.release()
    (tmp_path / "leader-epochs").write_bytes(b"{")
    with pytest.raises(DamagedFileError):
        LeaderEpochs.load(tmp_path)
    log = open_partition(tmp_path, epoch=3, trusted=True)
    assert log.epochs.entries == expected
    log.release()


def test_number_of_the_broker_rises_and_is_kept(tmp_path: Path) -> None:
    epoch = LeaderEpoch(tmp_path / "leader-epoch", durable=False)
    epoch.load()
    assert epoch.value == 0
    epoch.raise_above(-1)
    epoch.raise_above(7)
    again = LeaderEpoch(tmp_path / "leader-epoch", durable=False)
    again.load()
    assert again.value == epoch.value == 8
    (tmp_path / "leader-epoch").write_bytes(b'{"epoch": 1}')
    again.load()
    assert again.value == UNKNOWN
    again.raise_above(8)
    assert again.value == 9


# -- on the wire -------------------------------------------------------------------------------------------------------
def produce(client: WireClient, *values: str) -> None:
    records = encode_batch([(None, value.encode()) for value in values], 1_700_000_000_000)
    answer = client.ask(
        PRODUCE, 9, transactional_id=None, acks=-1, timeout=timedelta(seconds=1),
        topic_data=[{"name": "t", "partition_data": [{"index": 0, "records": bytes(records)}]}],
    )  # fmt: skip
    assert answer.responses[0].partition_responses[0].error_code is ErrorCode.none


def epoch_end(client: WireClient, epoch: int, known: int = -1) -> tuple[ErrorCode, int, int]:
    answer = client.ask(
        OFFSET_FOR_LEADER_EPOCH, 4, replica_id=-1,
        topics=[{"topic": "t", "partitions": [
            {"partition": 0, "current_leader_epoch": known, "leader_epoch": epoch}
        ]}],
    )  # fmt: skip
    (line,) = answer.topics[0].partitions
    return line.error_code, line.leader_epoch, line.end_offset


def leader_epoch(client: WireClient) -> int:
    answer = client.ask(METADATA, 9, topics=[{"name": "t"}], allow_auto_topic_creation=True)
    return answer.topics[0].partitions[0].leader_epoch


def list_offset(client: WireClient, timestamp: int, known: int = -1) -> tuple[ErrorCode, int, int]:
    answer = client.ask(
        LIST_OFFSETS, 6, replica_id=-1, isolation_level=0,
        topics=[{"name": "t", "partitions": [
            {"partition_index": 0, "current_leader_epoch": known, "timestamp": timestamp}
        ]}],
    )  # fmt: skip
    (line,) = answer.topics[0].partitions
    return line.error_code, line.offset, line.leader_epoch


def test_client_can_tell_that_records_it_has_read_are_gone(tmp_path: Path) -> None:
    """A crash cuts the log from 3 records to 2; the third offset is given out anew."""
    with Broker(data=tmp_path / "data") as broker:
        with wire(broker.bootstrap_servers) as client:
            assert leader_epoch(client) == 0
            for value in "abc":
                produce(client, value)
            assert epoch_end(client, 0, known=0) == (ErrorCode.none, 0, 3)
        broker.restart()
        with wire(broker.bootstrap_servers) as client:
            assert leader_epoch(client) == 0, "a clean stop loses nothing"
        broker.kill()
        (path,) = (tmp_path / "data" / "logs" / "t-0").glob("*.log")
        path.write_bytes(path.read_bytes()[:-10])
        broker.restart()
        with wire(broker.bootstrap_servers) as client:
            assert leader_epoch(client) == 1
            produce(client, "other", "more")
            assert epoch_end(client, 0, known=0)[0] is ErrorCode.fenced_leader_epoch
            assert epoch_end(client, 0, known=2)[0] is ErrorCode.unknown_leader_epoch
            assert epoch_end(client, 0, known=1) == (ErrorCode.none, 0, 2)
            assert epoch_end(client, 1, known=1) == (ErrorCode.none, 1, 4)
            assert list_offset(client, -2, known=1) == (ErrorCode.none, 0, 0)
            assert list_offset(client, -1, known=1) == (ErrorCode.none, 4, 1)
            assert list_offset(client, -1, known=0)[0] is ErrorCode.fenced_leader_epoch


def test_log_shortened_while_the_broker_was_stopped_raises_the_epoch(tmp_path: Path) -> None:
    with Broker(data=tmp_path / "data") as broker:
        with wire(broker.bootstrap_servers) as client:
            assert leader_epoch(client) == 0
            for value in "abc":
                produce(client, value)
        broker.shut_down()
        (path,) = (tmp_path / "data" / "logs" / "t-0").glob("*.log")
        path.write_bytes(path.read_bytes()[:-10])
        broker.start()
        with wire(broker.bootstrap_servers) as client:
            assert leader_epoch(client) == 1
            assert epoch_end(client, 0) == (ErrorCode.none, 0, 2)
