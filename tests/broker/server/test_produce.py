"""Refusals of Produce as they go over the wire."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from kio.schema.errors import ErrorCode

from broker import Broker
from broker.protocol.batches import encode_batch
from broker.protocol.compression import Codec
from tests.broker.groups.wire import WireClient, wire
from tests.broker.log.test_contents import body_of, packed

PRODUCE, CREATE = 0, 19
NOW = 1_700_000_000_000


def create(client: WireClient, **configs: str) -> str:
    name = f"topic-{uuid4().hex[:8]}"
    lines = [{"name": key.replace("_", "."), "value": value} for key, value in configs.items()]
    topic = {"name": name, "num_partitions": 1, "replication_factor": 1, "assignments": [], "configs": lines}
    answer = client.ask(CREATE, 4, topics=[topic], timeout=timedelta(seconds=5), validate_only=False)
    assert answer.topics[0].error_code == ErrorCode.none
    return name


def produce(client: WireClient, topic: str, version: int, records: bytes, *, acks: int = -1) -> Any:
    data = [{"name": topic, "partition_data": [{"index": 0, "records": records}]}]
    answer = client.ask(
        PRODUCE, version, transactional_id=None, acks=acks, timeout=timedelta(seconds=5), topic_data=data
    )
    return answer.responses[0].partition_responses[0]


def test_records_without_key_are_named_from_version_8_on(broker: Broker) -> None:
    records = bytes(encode_batch([(b"k", b"v"), (None, b"v"), (None, b"v")], NOW))
    with wire(broker.bootstrap_servers) as client:
        topic = create(client, cleanup_policy="compact")
        old = produce(client, topic, 7, records)
        new = produce(client, topic, 8, records)
    assert old.error_code == new.error_code == ErrorCode.invalid_record
    assert new.base_offset == -1
    assert [one.batch_index for one in new.record_errors] == [1, 2]
    assert new.record_errors[0].batch_index_error_message == (
        f"Compacted topic cannot accept message without key in topic partition {topic}-0."
    )
    assert "2 record errors in total" in new.error_message


@pytest.mark.parametrize(("version", "code"), [(6, ErrorCode.unsupported_compression_type), (7, ErrorCode.none)])
def test_zstd_needs_version_7(broker: Broker, version: int, code: ErrorCode) -> None:
    records = bytes(packed(Codec.ZSTD, body_of(encode_batch([(b"k", b"v")], NOW)), 1))
    with wire(broker.bootstrap_servers) as client:
        assert produce(client, create(client), version, records).error_code == code


def test_append_time_is_answered(broker: Broker) -> None:
    records = bytes(encode_batch([(b"k", b"v")], 5))
    with wire(broker.bootstrap_servers) as client:
        stamped = produce(client, create(client, message_timestamp_type="LogAppendTime"), 7, records)
        plain = produce(client, create(client), 7, records)
    assert stamped.log_append_time.timestamp() > NOW / 1_000
    assert plain.log_append_time is None


def test_other_acks_are_refused(broker: Broker) -> None:
    with wire(broker.bootstrap_servers) as client:
        line = produce(client, create(client), 7, bytes(encode_batch([(b"k", b"v")], NOW)), acks=2)
    assert line.error_code == ErrorCode.invalid_required_acks
