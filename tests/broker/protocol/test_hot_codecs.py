"""The hand-written codecs of Produce and Fetch against kio's, in every version."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from kio.index import load_payload_module, load_response_schema
from kio.schema.errors import ErrorCode
from kio.serial import entity_reader, entity_writer
from kio.static.constants import EntityType

from broker.fetch.full import FullFetch
from broker.fetch.reading import read_line
from broker.fetch.request import FetchRequest, Wanted, read_request
from broker.handlers import produce
from broker.log.partition import PartitionLog
from tests.broker.log.partitions import batch, marker, open_partition

TOPIC_ID = uuid4()


def write(entity: Any) -> memoryview:
    out = io.BytesIO()
    entity_writer(type(entity))(out, entity)
    return memoryview(out.getvalue())


def make(module: Any, entity_name: str, /, **fields: Any) -> Any:
    """An entity from the fields its version has."""
    entity = getattr(module, entity_name)
    return entity(**{field: value for field, value in fields.items() if field in entity.__dataclass_fields__})


def read_answer(key: int, version: int, parts: list[Any]) -> Any:
    body = b"".join(bytes(part) for part in parts)
    entity, size = entity_reader(load_response_schema(key, version))(body, 0)
    assert size == len(body), "nothing is left over"
    return entity


# -- Produce -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("version", range(3, 14))
def test_produce_request_is_read_as_kio_writes_it(version: int) -> None:
    module = load_payload_module(0, version, EntityType.request)
    parts = [
        make(module, "PartitionProduceData", index=3, records=b"records"),
        make(module, "PartitionProduceData", index=4, records=None),
    ]
    request = make(
        module,
        "ProduceRequest",
        transactional_id="tx" if version % 2 else None,
        acks=-1,
        timeout=timedelta(seconds=1),
        topic_data=(
            make(module, "TopicProduceData", name="topic", topic_id=TOPIC_ID, partition_data=tuple(parts)),
            make(module, "TopicProduceData", name="other", topic_id=TOPIC_ID, partition_data=()),
        ),
    )
    read = produce.read_flexible if version >= 9 else produce.read_legacy
    transactional_id, acks, topics = read(write(request), 0, version)
    assert transactional_id == ("tx" if version % 2 else None)
    names: tuple[str | UUID, str | UUID] = (TOPIC_ID, TOPIC_ID) if version >= 13 else ("topic", "other")
    assert (acks, topics) == (-1, [(names[0], [(3, b"records"), (4, None)]), (names[1], [])])


@pytest.mark.parametrize("version", range(3, 14))
def test_produce_answer_is_read_by_kio(version: int) -> None:
    good = produce.Outcome(3, 0, None)
    good.offset, good.append_time, good.log_start = 77, 5_000, 11
    bad = produce.Outcome(4, ErrorCode.invalid_record.value, "no key")
    bad.record_errors = ((2, "record 2"),)
    topic: Any = TOPIC_ID if version >= 13 else "topic"
    answer = read_answer(0, version, [produce.encode([(topic, [good, bad])], version)])
    (line,) = answer.responses
    first, second = line.partition_responses
    assert (first.index, first.error_code, first.base_offset) == (3, ErrorCode.none, 77)
    assert (second.index, second.error_code, second.base_offset) == (4, ErrorCode.invalid_record, -1)
    assert first.log_append_time.timestamp() == 5
    if version >= 5:
        assert first.log_start_offset == 11
    if version >= 8:
        assert second.error_message == "no key"
        assert [one.batch_index_error_message for one in second.record_errors] == ["record 2"]
    assert (line.topic_id if version >= 13 else line.name) == topic


# -- Fetch -------------------------------------------------------------------------------------------------------------
def fetch_request(version: int, offset: int = 5, *, epoch: int = 0, last_epoch: int = -1) -> memoryview:
    module = load_payload_module(1, version, EntityType.request)
    lines = tuple(
        make(
            module, "FetchPartition", partition=partition, current_leader_epoch=epoch, fetch_offset=offset,
            last_fetched_epoch=last_epoch, log_start_offset=-1, partition_max_bytes=1_000, high_watermark=9,
        )
        for partition in (0, 1)
    )  # fmt: skip
    request = make(
        module,
        "FetchRequest",
        replica_id=-1,
        max_wait=timedelta(milliseconds=500),
        min_bytes=1,
        max_bytes=10_000,
        isolation_level=1,
        session_id=0,
        session_epoch=-1,
        topics=(make(module, "FetchTopic", topic="topic", topic_id=TOPIC_ID, partitions=lines),),
        forgotten_topics_data=(
            (make(module, "ForgottenTopic", topic="gone", topic_id=TOPIC_ID, partitions=(1,)),) if version >= 7 else ()
        ),
        rack_id="rack",
    )
    return write(request)


@pytest.mark.parametrize("version", range(4, 19))
def test_fetch_request_is_read_as_kio_writes_it(version: int) -> None:
    request = read_request(fetch_request(version, last_epoch=3), 0, version)
    epoch = 0 if version >= 9 else -1
    last_epoch = 3 if version >= 12 else -1
    lines = [Wanted(partition, epoch, 5, 1_000, last_epoch) for partition in (0, 1)]
    topic = TOPIC_ID if version >= 13 else "topic"
    assert request == FetchRequest(version, 500, 1, 10_000, 1, [(topic, lines)])


class OneLog:
    """What a fetch needs of a broker with one partition."""

    def __init__(self, log: PartitionLog) -> None:
        self.fetch_room = int
        self.logs = SimpleNamespace(logs={("topic", 0): log})
        self.topics = SimpleNamespace(by_id=lambda wanted: SimpleNamespace(name="topic"))


@pytest.mark.parametrize("isolation", [0, 1])
@pytest.mark.parametrize("version", range(4, 19))
def test_fetch_answer_is_read_by_kio(tmp_path: Path, version: int, isolation: int) -> None:
    """Records where there are some, an error for a partition that is not there, empty records for it."""
    log = open_partition(tmp_path)
    for value in "abcdefg":
        log.append(batch(value))
    request = read_request(fetch_request(version), 0, version)._replace(isolation_level=isolation)
    size, at_once, parts = FullFetch(cast(Any, OneLog(log)), request).answer()
    answer = read_answer(1, version, parts)
    (line,) = answer.responses
    found, missing = line.partitions
    assert (found.error_code, found.high_watermark, found.last_stable_offset) == (ErrorCode.none, 7, 7)
    assert found.records == log.reader.read(5, 1_000, at_least_one=True)
    assert size == len(found.records)
    assert at_once, "an error is told without waiting"
    assert missing.error_code == ErrorCode.unknown_topic_or_partition
    assert missing.records == b"", "empty, not null"
    assert (found.aborted_transactions is None) == (isolation == 0)
    log.release()


@pytest.mark.parametrize("version", range(12, 19))
def test_fetch_answer_names_the_epoch_where_the_logs_part(tmp_path: Path, version: int) -> None:
    """The client has records of epoch 3, the log has them of epoch 2 up to offset 4, and then of epoch 4."""
    log = open_partition(tmp_path, epoch=2)
    log.append(batch(*"abcd"))
    log.lead(4)
    log.append(batch(*"efgh"))
    request = read_request(fetch_request(version, epoch=4, last_epoch=3), 0, version)
    size, at_once, parts = FullFetch(cast(Any, OneLog(log)), request).answer()
    found, missing = read_answer(1, version, parts).responses[0].partitions
    assert (found.error_code, found.high_watermark, found.records) == (ErrorCode.none, 8, b"")
    assert (found.diverging_epoch.epoch, found.diverging_epoch.end_offset) == (2, 4)
    assert missing.error_code == ErrorCode.unknown_topic_or_partition
    assert (size, at_once) == (0, True)
    log.release()


@pytest.mark.parametrize(
    ("offset", "last_epoch", "code", "diverging"),
    [
        (5, 4, ErrorCode.none, None),
        (4, 2, ErrorCode.none, None),
        (5, 2, ErrorCode.none, (2, 4)),
        (20, 4, ErrorCode.none, (4, 8)),
        (5, 5, ErrorCode.offset_out_of_range, None),
        (1, 4, ErrorCode.offset_out_of_range, None),
    ],
)
def test_last_fetched_epoch_is_held_against_the_log(
    tmp_path: Path, offset: int, last_epoch: int, code: ErrorCode, diverging: tuple[int, int] | None
) -> None:
    log = open_partition(tmp_path, epoch=2)
    log.append(batch(*"abcd"))
    log.lead(4)
    log.append(batch(*"efgh"))
    log.delete_before(2)
    wanted = Wanted(0, -1, offset, 1_000, last_epoch)
    line = read_line(log, "topic", "topic", wanted, 1_000, committed=False, first=True)
    assert (line.code, line.diverging) == (code.value, diverging)
    assert bool(line.records) == (diverging is None and code is ErrorCode.none)
    log.release()


@pytest.mark.parametrize("version", range(4, 19))
def test_fetch_answer_names_aborted_transactions(tmp_path: Path, version: int) -> None:
    """And ends at the last stable offset."""
    log = open_partition(tmp_path)
    log.append(batch(*"abcdef"))
    for producer_id in (7, 8, 9):
        log.append(batch("x", producer=(producer_id, 0, 0), transactional=True), transactional=True)
    for producer_id in (8, 7):
        log.append_marker(marker(producer_id, 0, commit=False))
    log.append_marker(marker(9, 0, commit=True))
    log.append(batch("open", producer=(7, 0, 1), transactional=True), transactional=True)
    request = read_request(fetch_request(version), 0, version)._replace(isolation_level=1)
    _, _, parts = FullFetch(cast(Any, OneLog(log)), request).answer()
    (line,) = read_answer(1, version, parts).responses
    found, _ = line.partitions
    assert (found.high_watermark, found.last_stable_offset) == (13, 12)
    assert [(one.producer_id, one.first_offset) for one in found.aborted_transactions] == [(7, 6), (8, 7)]
    assert found.records == log.reader.read_committed(5, 1 << 20, at_least_one=True)[0]
    log.release()


def test_topic_that_must_not_be_read_is_refused(tmp_path: Path) -> None:
    log = open_partition(tmp_path)
    log.append(batch("a"))
    wanted = FullFetch(cast(Any, OneLog(log)), read_request(fetch_request(12, offset=0), 0, 12))
    assert wanted.topics() == {"topic"}
    wanted.denied = {"topic"}
    (line,) = read_answer(1, 12, wanted.answer()[2]).responses
    assert {one.error_code for one in line.partitions} == {ErrorCode.topic_authorization_failed}
    assert {one.records for one in line.partitions} == {b""}
    log.release()
