"""What a consumer reads when partitions come and go."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from streams.runtime.consumer import RecordConsumer
from streams.runtime.options import WorkerOptions
from tests.streams.runtime.bench import Bench, until

COUNT = 50


@pytest.fixture
def consumer(bench: Bench) -> Iterator[RecordConsumer]:
    options = WorkerOptions(
        application_id=bench.tag, bootstrap_servers=bench.bootstrap_servers, state_dir=bench.directory
    )
    consumer = RecordConsumer(options)
    yield consumer
    consumer.close()


def test_partition_that_was_paused_when_it_was_given_up_is_read_when_it_comes_back(
    bench: Bench, consumer: RecordConsumer
) -> None:
    bench.topics(**{"in": 1})
    bench.produce("in", *((f"k{number}", b"v", number) for number in range(COUNT)))
    place = (bench.name("in"), 0)
    read: list[int] = []

    def fetch() -> int:
        for message in consumer.fetch(COUNT, 0.1):
            if message.error() is None:
                offset = message.offset()
                assert offset is not None
                read.append(offset)
        return len(read)

    consumer.assign({place: 0})
    until(fetch, "the first record")
    consumer.pause([place])
    consumer.unassign([place])
    read.clear()
    consumer.assign({place: 10})

    until(lambda: fetch() >= COUNT - 10, "the records behind the tenth")
    assert read == list(range(10, COUNT))
