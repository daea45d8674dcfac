"""Where in a topic to begin: its start or end, a time, an offset, the newest records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from streams.cluster.clients import REQUEST_TIMEOUT_S
from streams.cluster.records import records_of_topic

if TYPE_CHECKING:
    from confluent_kafka import Consumer


class Beginning(NamedTuple):
    """`kind`: beginning, end, time (`number` in ms since the epoch), offset, or last (`number` of records)."""

    kind: str
    number: int = 0


def first_offsets(
    client: Consumer, topic: str, ranges: Mapping[int, tuple[int, int]], begin: Beginning
) -> dict[int, int]:
    """By partition, within its range: its first offset, and the next one to be written."""
    if begin.kind == "last":
        return _newest(client, topic, ranges, begin.number)
    by_time = _offsets_at(client, topic, list(ranges), begin.number) if begin.kind == "time" else {}
    found: dict[int, int] = {}
    for partition, (low, high) in ranges.items():
        match begin.kind:
            case "end":
                found[partition] = high
            case "offset":
                found[partition] = min(max(begin.number, low), high)
            case "time":
                offset = by_time[partition]
                found[partition] = offset if offset >= 0 else high  # nothing is that young
            case _:
                found[partition] = low
    return found


def _newest(client: Consumer, topic: str, ranges: Mapping[int, tuple[int, int]], number: int) -> dict[int, int]:
    """Where the newest `number` records of each partition begin. Markers of transactions and records that compaction
    took have offsets too, so it looks further back until there are enough records."""
    ends = {partition: high for partition, (_, high) in ranges.items()}
    reach = number
    while True:
        starts = {partition: max(low, high - reach) for partition, (low, high) in ranges.items()}
        offsets: dict[int, list[int]] = {partition: [] for partition in ranges}
        for record in records_of_topic(client, topic, starts, ends):
            partition, offset = record.partition(), record.offset()
            assert partition is not None
            assert offset is not None
            offsets[partition].append(offset)
        short = [p for p, (low, _) in ranges.items() if len(offsets[p]) < number and starts[p] > low]
        if not short:
            return {p: found[-number] if len(found) >= number else starts[p] for p, found in offsets.items()}
        reach *= 8


def _offsets_at(client: Consumer, topic: str, partitions: list[int], timestamp: int) -> dict[int, int]:
    """The first offset with that time or a later one; below 0 where there is none."""
    from confluent_kafka import TopicPartition

    asked = [TopicPartition(topic, partition, timestamp) for partition in partitions]
    return {each.partition: each.offset for each in client.offsets_for_times(asked, timeout=REQUEST_TIMEOUT_S)}
