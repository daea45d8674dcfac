"""Deletes what has been read from repartition topics: nobody else reads them, and they keep records for ever otherwise.

Source: Kafka Streams' `repartition.purge.interval.ms` and `TaskManager.maybePurgeCommittedRecords` (KIP-204).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any, cast

from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from streams.runtime.router import Place
from streams.runtime.task import Task

log = logging.getLogger(__name__)


class RepartitionPurge:
    """Asks now and then for what is committed to be deleted; the answer is looked at when the next request is due.

    Args:
        interval_s: the least time between two requests.
        clock: monotonic, in s.
    """

    def __init__(self, admin: AdminClient, *, interval_s: float, clock: Callable[[], float]) -> None:
        self._delete = cast(Callable[..., dict[Any, Future[Any]]], admin.delete_records)  # pyright: ignore[reportUnknownMemberType]
        self._interval_s = interval_s
        self._clock = clock
        self._due_at = clock() + interval_s
        self._purged: dict[Place, int] = {}
        self._under_way: list[tuple[Place, int, Future[Any]]] = []
        self._able = True

    def after_commit(self, tasks: Iterable[Task]) -> None:
        """`tasks` have committed offsets up to which their repartition topics may be emptied."""
        if not self._able or self._clock() < self._due_at:
            return
        self._due_at = self._clock() + self._interval_s
        self._look_at_answers()
        if self._under_way or not self._able:
            return
        wanted = {
            place: offset.offset
            for task in tasks
            for place, offset in task.committed_offsets.items()
            if place[0] in task.watermarks and offset.offset > self._purged.get(place, 0)
        }
        if wanted:
            asked = self._delete([TopicPartition(*place, offset) for place, offset in wanted.items()])
            futures = {(partition.topic, partition.partition): future for partition, future in asked.items()}
            self._under_way = [(place, wanted[place], future) for place, future in futures.items()]

    def _look_at_answers(self) -> None:
        waiting: list[tuple[Place, int, Future[Any]]] = []
        for place, offset, future in self._under_way:
            if not future.done():
                waiting.append((place, offset, future))
                continue
            error = future.exception()
            if error is None:
                self._purged[place] = offset
            elif isinstance(error, KafkaException) and error.args[0].code() in (
                KafkaError._UNSUPPORTED_FEATURE,  # pyright: ignore[reportPrivateUsage]
                KafkaError.UNSUPPORTED_VERSION,
                KafkaError.TOPIC_AUTHORIZATION_FAILED,
            ):
                self._able = False
                log.warning("purge_impossible: repartition topics will grow: %s", error)
            else:
                log.debug("purge_failed: %s[%d]: %s", *place, error)
        self._under_way = waiting
