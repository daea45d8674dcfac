"""Setting the offsets of a group: where to begin in each partition, and the commit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from streams.cli.clients import consumer
from streams.cli.failures import CommandFailed, UsageFailed
from streams.cli.moment import milliseconds
from streams.cluster.beginning import Beginning, first_offsets
from streams.cluster.partitions import offset_ranges

if TYPE_CHECKING:
    from streams.discovery import BrokerLocation

Place = tuple[str, int]
"""Topic and partition."""


def beginning_of(to: str | None, to_offset: int | None) -> Beginning:
    """Of the options `--to` and `--to-offset`; neither: the beginning. Raises UsageFailed."""
    if to is not None and to_offset is not None:
        raise UsageFailed("give --to or --to-offset, not both")
    if to_offset is not None:
        return Beginning("offset", to_offset)
    if to is None or to == "earliest":
        return Beginning("beginning")
    return Beginning("end") if to == "latest" else Beginning("time", milliseconds(to))


def beginnings(location: BrokerLocation, places: Iterable[Place], begin: Beginning) -> dict[Place, int]:
    """The offset to begin from, by place."""
    topics: dict[str, list[int]] = {}
    for topic, partition in places:
        topics.setdefault(topic, []).append(partition)
    client = consumer(location)
    try:
        return {
            (topic, partition): offset
            for topic, partitions in topics.items()
            for partition, offset in first_offsets(
                client, topic, offset_ranges(client, topic, partitions), begin
            ).items()
        }
    finally:
        client.close()


def commit_offsets(location: BrokerLocation, group: str, offsets: Mapping[Place, int]) -> None:
    """Sets the offsets of a group without members. Raises CommandFailed if it has some, or the broker refuses."""
    from confluent_kafka import KafkaException, TopicPartition

    if not offsets:
        return
    client: Any = consumer(location, group)
    try:
        wanted = [TopicPartition(topic, partition, offset) for (topic, partition), offset in offsets.items()]
        failed = [each for each in client.commit(offsets=wanted, asynchronous=False) if each.error is not None]
    except KafkaException as error:
        raise CommandFailed(f"the offsets could not be set: {error.args[0].str()}; is a worker running?") from error
    finally:
        client.close()
    if failed:
        raise CommandFailed(f"the offset of {failed[0].topic} {failed[0].partition}: {failed[0].error.str()}")
