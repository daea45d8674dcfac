"""Incremental fetches over the wire, as a Java client sends them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from kio.schema.errors import ErrorCode

from broker import Broker
from broker.protocol.batches import encode_batch
from tests.broker.groups.wire import WireClient, wire

PRODUCE, FETCH, CREATE, DELETE, DELETE_RECORDS = 0, 1, 19, 20, 21
BATCH = bytes(encode_batch([(None, b"x" * 50)], 1_700_000_000_000))


class Reader:
    """One client with one session over one topic."""

    def __init__(self, client: WireClient, partitions: int) -> None:
        self.client = client
        self.topic = f"topic-{uuid4().hex[:8]}"
        made = client.ask(
            CREATE, 7, timeout=timedelta(seconds=5), validate_only=False,
            topics=[
                {"name": self.topic, "num_partitions": partitions, "replication_factor": 1, "assignments": [],
                 "configs": []},
            ],
        )  # fmt: skip
        self.topic_id: UUID = made.topics[0].topic_id

    def produce(self, *partitions: int) -> None:
        data = [{"index": number, "records": BATCH} for number in partitions]
        self.client.ask(
            PRODUCE, 7, transactional_id=None, acks=1, timeout=timedelta(seconds=5),
            topic_data=[{"name": self.topic, "partition_data": data}],
        )  # fmt: skip

    def send(
        self,
        session: int,
        epoch: int,
        offsets: dict[int, int],
        *,
        forgotten: Sequence[int] = (),
        version: int = 12,
        max_bytes: int = 1 << 20,
        max_wait: int = 0,
        leader_epoch: int = -1,
    ) -> None:
        lines = [
            {
                "partition": number, "current_leader_epoch": leader_epoch, "fetch_offset": offset,
                "last_fetched_epoch": -1, "log_start_offset": -1, "partition_max_bytes": 1 << 20,
            }
            for number, offset in offsets.items()
        ]  # fmt: skip
        names = {"topic": self.topic, "topic_id": self.topic_id}
        self.client.send(
            FETCH, version, replica_id=-1, max_wait=timedelta(milliseconds=max_wait), min_bytes=1, max_bytes=max_bytes,
            isolation_level=0, session_id=session, session_epoch=epoch, cluster_id=None, rack_id="",
            topics=[dict(names, partitions=lines)] if lines else [],
            forgotten_topics_data=[dict(names, partitions=list(forgotten))] if forgotten else [],
        )  # fmt: skip

    def fetch(self, session: int, epoch: int, offsets: dict[int, int], **more: Any) -> tuple[Any, dict[int, Any]]:
        """(the answer, its partitions by number in order)."""
        self.send(session, epoch, offsets, **more)
        answer = self.client.receive(FETCH, more.get("version", 12))
        return answer, {line.partition_index: line for topic in answer.responses for line in topic.partitions}


@pytest.fixture
def reader(broker: Broker) -> Iterator[Reader]:
    with wire(broker.bootstrap_servers) as client:
        yield Reader(client, 4)


def test_first_fetch_opens_a_session_and_tells_all_partitions(reader: Reader) -> None:
    reader.produce(1)
    answer, lines = reader.fetch(0, 0, {0: 0, 1: 0, 2: 0})
    assert answer.session_id > 0
    assert list(lines) == [0, 1, 2]
    assert lines[1].records
    assert lines[0].records == b""


def test_fetch_without_a_session_is_given_none(reader: Reader) -> None:
    answer, lines = reader.fetch(0, -1, {0: 0})
    assert (answer.session_id, list(lines)) == (0, [0])


def test_incremental_fetch_tells_only_what_is_new(reader: Reader) -> None:
    first, _ = reader.fetch(0, 0, {0: 0, 1: 0, 2: 0})
    answer, lines = reader.fetch(first.session_id, 1, {})
    assert (answer.error_code, answer.session_id, lines) == (ErrorCode.none, first.session_id, {})
    reader.produce(2)
    _, lines = reader.fetch(first.session_id, 2, {})
    assert list(lines) == [2]
    assert len(lines[2].records) == len(BATCH)
    _, lines = reader.fetch(first.session_id, 3, {2: 1})
    assert lines == {}


def test_incremental_fetch_adds_moves_and_forgets_partitions(reader: Reader) -> None:
    reader.produce(0, 1, 2)
    first, _ = reader.fetch(0, 0, {0: 0})
    _, lines = reader.fetch(first.session_id, 1, {0: 1, 1: 0})
    assert list(lines) == [1]
    _, lines = reader.fetch(first.session_id, 2, {2: 0}, forgotten=(1,))
    assert list(lines) == [2], "partition 1 has unread records, but is not asked for any more"
    _, lines = reader.fetch(first.session_id, 3, {0: 0})
    assert list(lines) == [0, 2], "0 went back; 2 was not moved on, and had its turn last"


def test_incremental_fetch_is_woken_by_an_append_to_any_of_its_partitions(broker: Broker, reader: Reader) -> None:
    first, _ = reader.fetch(0, 0, {0: 0, 1: 0, 2: 0, 3: 0})
    reader.send(first.session_id, 1, {}, max_wait=20_000)
    with wire(broker.bootstrap_servers) as writer:
        other = object.__new__(Reader)
        other.client, other.topic = writer, reader.topic
        other.produce(3)
    answer = reader.client.receive(FETCH, 12)
    assert [line.partition_index for topic in answer.responses for line in topic.partitions] == [3]


def test_partitions_take_turns_under_a_small_limit(reader: Reader) -> None:
    """Room for one batch at a time, all partitions full: none waits for more than a round."""
    for _ in range(3):
        reader.produce(0, 1, 2, 3)
    answer, lines = reader.fetch(0, 0, dict.fromkeys(range(4), 0), max_bytes=len(BATCH))
    session, offsets, order = answer.session_id, dict.fromkeys(range(4), 0), list[int]()
    for epoch in range(1, 13):
        (served,) = [number for number, line in lines.items() if line.records]
        order.append(served)
        offsets[served] += 1
        answer, lines = reader.fetch(session, epoch, {served: offsets[served]}, max_bytes=len(BATCH))
    assert order == [0, 1, 2, 3] * 3


def test_fetch_without_a_session_keeps_the_clients_order(reader: Reader) -> None:
    reader.produce(0, 1, 2, 3)
    for _ in range(2):
        _, lines = reader.fetch(0, -1, {2: 0, 0: 0, 3: 0}, max_bytes=len(BATCH))
        assert [number for number, line in lines.items() if line.records] == [2]


def test_moved_log_start_is_told(reader: Reader) -> None:
    reader.produce(0)
    first, _ = reader.fetch(0, 0, {0: 1, 1: 0})
    reader.client.ask(
        DELETE_RECORDS, 2, timeout=timedelta(seconds=5),
        topics=[{"name": reader.topic, "partitions": [{"partition_index": 0, "offset": 1}]}],
    )  # fmt: skip
    _, lines = reader.fetch(first.session_id, 1, {})
    assert list(lines) == [0]
    assert lines[0].log_start_offset == 1


def test_error_is_told_again_until_it_is_gone(reader: Reader) -> None:
    first, lines = reader.fetch(0, 0, {0: 5, 1: 0})
    assert lines[0].error_code == ErrorCode.offset_out_of_range
    _, lines = reader.fetch(first.session_id, 1, {})
    assert {number: line.error_code for number, line in lines.items()} == {0: ErrorCode.offset_out_of_range}
    _, lines = reader.fetch(first.session_id, 2, {0: 0})
    assert lines[0].error_code == ErrorCode.none
    _, lines = reader.fetch(first.session_id, 3, {})
    assert lines == {}


def test_unknown_session_is_not_found(reader: Reader) -> None:
    answer, lines = reader.fetch(123_456, 1, {0: 0})
    assert (answer.error_code, answer.session_id, lines) == (ErrorCode.fetch_session_id_not_found, 0, {})


@pytest.mark.parametrize("epoch", [2, 7, -5])
def test_wrong_epoch_is_refused_and_the_session_goes_on(reader: Reader, epoch: int) -> None:
    first, _ = reader.fetch(0, 0, {0: 0})
    answer, _ = reader.fetch(first.session_id, epoch, {})
    assert (answer.error_code, answer.session_id) == (ErrorCode.invalid_fetch_session_epoch, 0)
    answer, _ = reader.fetch(first.session_id, 1, {})
    assert answer.error_code == ErrorCode.none


def test_session_by_name_cannot_go_on_by_id(reader: Reader) -> None:
    first, _ = reader.fetch(0, 0, {0: 0})
    answer, _ = reader.fetch(first.session_id, 1, {0: 0}, version=13)
    assert answer.error_code == ErrorCode.fetch_session_topic_id_error


def test_session_by_id_tells_of_a_deleted_topic(reader: Reader) -> None:
    reader.produce(0)
    first, lines = reader.fetch(0, 0, {0: 0, 1: 0}, version=13)
    assert first.responses[0].topic_id == reader.topic_id
    assert lines[0].records
    reader.client.ask(DELETE, 5, topic_names=[reader.topic], timeout=timedelta(seconds=5))
    _, lines = reader.fetch(first.session_id, 1, {}, version=13)
    assert {line.error_code for line in lines.values()} == {ErrorCode.unknown_topic_id}
    assert len(lines) == 2


def test_session_is_closed_by_a_final_fetch(reader: Reader) -> None:
    first, _ = reader.fetch(0, 0, {0: 0})
    answer, lines = reader.fetch(first.session_id, -1, {0: 0})
    assert (answer.session_id, list(lines)) == (0, [0])
    answer, _ = reader.fetch(first.session_id, 1, {})
    assert answer.error_code == ErrorCode.fetch_session_id_not_found


def test_session_is_replaced_by_a_full_fetch(reader: Reader) -> None:
    first, _ = reader.fetch(0, 0, {0: 0})
    second, _ = reader.fetch(first.session_id, 0, {1: 0})
    assert second.session_id not in (0, first.session_id)
    answer, _ = reader.fetch(first.session_id, 1, {})
    assert answer.error_code == ErrorCode.fetch_session_id_not_found


def test_session_that_forgets_everything_ends(reader: Reader) -> None:
    first, _ = reader.fetch(0, 0, {0: 0})
    answer, lines = reader.fetch(first.session_id, 1, {}, forgotten=(0,), max_wait=20_000)
    assert (answer.error_code, answer.session_id, lines) == (ErrorCode.none, 0, {})


def test_second_request_while_the_first_one_waits_makes_the_first_one_invalid(reader: Reader) -> None:
    first, _ = reader.fetch(0, 0, {0: 0})
    reader.send(first.session_id, 1, {}, max_wait=50)
    waiting = reader.client.correlation_id
    reader.send(first.session_id, 2, {})
    reader.client.correlation_id = waiting
    assert reader.client.receive(FETCH, 12).error_code == ErrorCode.invalid_fetch_session_epoch
    reader.client.correlation_id += 1
    assert reader.client.receive(FETCH, 12).error_code == ErrorCode.none


def test_unknown_leader_epoch_is_refused(reader: Reader) -> None:
    _, lines = reader.fetch(0, 0, {0: 0}, leader_epoch=99)
    assert lines[0].error_code == ErrorCode.unknown_leader_epoch
    assert lines[0].high_watermark == -1
