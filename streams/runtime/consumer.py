"""The consumer of a worker. It reads the partitions it is given and belongs to no group: `membership` does that.

Offsets are not the client's affair either: each partition starts where it is told. Its group id names the application
in the broker's logs only.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Literal

import confluent_kafka
from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka import Message as KafkaMessage

from streams.errors import StreamsError
from streams.operators.source import OffsetReset
from streams.runtime.connection import OUTAGES, ConnectionWatch, client_log
from streams.runtime.options import WorkerOptions
from streams.runtime.router import Place
from streams.runtime.start_offsets import NO_RESETS, StartOffsets

log = logging.getLogger(__name__)

LOCATE_TIMEOUT_S = 1.0


def consumer_config(options: WorkerOptions, role: str) -> dict[str, Any]:
    """librdkafka's properties, each with its reason; the user's are stronger."""
    return {
        **options.client(role),
        "group.id": options.application_id,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "enable.partition.eof": True,  # how a merging task learns that an empty input is empty
        "auto.offset.reset": "error",  # a lost position is noticed here and said, not silently jumped over
        "isolation.level": "read_committed",
        "allow.auto.create.topics": False,
        "fetch.queue.backoff.ms": 10,  # the default, 1000, starves a fast reader
        "fetch.wait.max.ms": 100,
        "max.partition.fetch.bytes": 262_144,  # small pieces keep the partitions abreast of each other
        "queued.max.messages.kbytes": 32_768,
        "queued.min.messages": 50_000,
        **options.consumer_config,
    }


class RecordConsumer:
    """Owned by the stream thread."""

    def __init__(
        self,
        options: WorkerOptions,
        role: str = "consumer",
        *,
        reset: Literal["earliest", "latest"] = "earliest",
        resets: Mapping[str, OffsetReset] = NO_RESETS,
    ) -> None:
        """`reset`: where partitions begin that are assigned without an offset; `resets`: of some topics, by name."""
        self._watch = ConnectionWatch(options.bootstrap_servers, role)
        self._starts = StartOffsets(reset, resets)
        self._group = options.application_id
        self._assigned: set[Place] = set()
        self._located: set[str] = set()
        config = consumer_config(options, role)
        config["error_cb"] = self._watch.on_error
        self._client = confluent_kafka.Consumer(config, logger=client_log)

    def assign(self, offsets: Mapping[Place, int | None]) -> None:
        """Reads these partitions, each from its offset (None: where `reset` says), beside those it reads already."""
        if offsets:
            self.locate({topic for (topic, _), offset in offsets.items() if offset is None})
            begins = [
                TopicPartition(
                    topic, partition, self._starts.of(self._client, (topic, partition)) if offset is None else offset
                )
                for (topic, partition), offset in offsets.items()
            ]
            self.unassign(self._assigned & offsets.keys())
            self._assigned.update(offsets)
            self._client.incremental_assign(begins)

    def locate(self, topics: Collection[str]) -> None:
        """Has the client learn where these topics are. To read a partition whose leader it does not know, it would wait
        for up to half a second first."""
        for topic in set(topics) - self._located:
            try:
                self._client.list_topics(topic, timeout=LOCATE_TIMEOUT_S)
            except KafkaException:
                return  # it finds out by itself, later
            self._located.add(topic)

    def unassign(self, places: Collection[Place]) -> None:
        """Stops reading those of these that it reads. They are not paused any more: the client remembers that of a
        partition for as long as it lives, and would not read it when it is assigned again."""
        mine = self._assigned.intersection(places)
        if mine:
            self.resume(mine)
            self._assigned -= mine
            self._client.incremental_unassign(partitions(mine))

    def fetch(self, count: int, timeout_s: float) -> Sequence[KafkaMessage]:
        """At most `count` records and events: what there is, waiting up to `timeout_s` only for the first.

        A `consume(n, t)` would wait out t whenever fewer than n come.
        """
        if timeout_s > 0:
            first = self._client.poll(timeout_s)
            if first is None:
                return ()
            messages = self._client.consume(count - 1, 0)
            messages.insert(0, first)
        else:
            messages = self._client.consume(count, 0)
        if messages:
            self._watch.alive()
        return messages

    def end(self, place: Place) -> int | None:
        """Where a partition that is read ended when the broker last answered a fetch; None before that. Asks nobody."""
        try:
            answer = self._client.get_watermark_offsets(TopicPartition(*place), cached=True)
        except KafkaException:
            return None
        return answer[1] if answer[1] >= 0 else None

    def pause(self, places: Collection[Place]) -> None:
        if places:
            self._client.pause(partitions(places))

    def resume(self, places: Collection[Place]) -> None:
        if places:
            self._client.resume(partitions(places))

    def check(self, event: KafkaMessage) -> None:
        """Deals with an error event. Raises StreamsError for what does not pass by itself."""
        error = event.error()
        if error is None:
            return
        topic, partition, code = event.topic(), event.partition(), error.code()
        if is_offset_lost(event) and topic is not None and partition is not None:
            log.warning(
                "offset_lost: %s[%s] no longer has the offset to go on from (%s); records in between are lost to "
                "this application. Reading on from %s",
                topic,
                partition,
                error.str(),
                self._starts.described(topic),
            )
            self.assign({(topic, partition): None})
            return
        if code in (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION):  # pyright: ignore[reportPrivateUsage]
            raise StreamsError(
                f"topic {topic!r} has disappeared while it was being read ({error.str()}): create it again and restart"
            )
        if code == KafkaError.GROUP_AUTHORIZATION_FAILED:
            raise StreamsError(
                f"this user may not use the group {self._group!r}: allow it to read and describe the group"
            )
        if code == KafkaError.TOPIC_AUTHORIZATION_FAILED:
            raise StreamsError(f"this user may not read topic {topic!r}: allow it, then restart")
        if error.fatal() or not (error.retriable() or code in OUTAGES):
            raise StreamsError(
                f"reading {topic}[{partition}] failed: {error.str()}; see the broker's log, then restart"
            )
        log.debug("fetch_trouble: %s[%s]: %s", topic, partition, error)

    def close(self) -> None:
        self._client.close()


def is_offset_lost(event: KafkaMessage) -> bool:
    """Whether the event says that the partition no longer has the offset it was to be read from."""
    error = event.error()
    return error is not None and error.code() == KafkaError._AUTO_OFFSET_RESET  # pyright: ignore[reportPrivateUsage]


def partitions(places: Iterable[Place]) -> list[TopicPartition]:
    return [TopicPartition(topic, partition) for topic, partition in places]
