"""Notices that a topic has got more partitions, or is gone, while the application runs.

Which task has which key follows from the partition counts, so a worker stops: with other counts the same key would be
in two places. Source: Kafka Streams finds it out by a rebalance, and fails in `CopartitionedTopicsEnforcer` and
`RepartitionTopics`; how often it is looked for there is the consumer's `metadata.max.age.ms`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future
from typing import Any, cast

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from streams.errors import StreamsError
from streams.plan.plan import PartitionPlan
from streams.plan.task_id import TaskId
from streams.runtime.internal_topics import internal_topics

log = logging.getLogger(__name__)


class PartitionWatch:
    """Owned by the stream thread. The answer is looked at a while after the question, so that nobody waits for it.

    Args:
        interval_s: the least time between two questions.
        clock: monotonic, in s.
    """

    def __init__(
        self, admin: AdminClient, plan: PartitionPlan, *, interval_s: float, clock: Callable[[], float]
    ) -> None:
        self._describe = cast(Callable[..., dict[str, Future[Any]]], admin.describe_topics)  # pyright: ignore[reportUnknownMemberType]
        own = internal_topics(plan)
        self._counts = {**plan.counts, **{topic.name: topic.partitions for topic in own}}
        self._cure = (
            "stop all workers and have everything processed again, into new internal topics: headrace reset MODULE:APP"
            if own
            else "start all workers again, to read the partitions there are"
        )
        self._interval_s = interval_s
        self._clock = clock
        self._due_at = clock() + interval_s
        self._asked: Mapping[str, Future[Any]] = {}

    def check(self, tasks: Collection[TaskId]) -> None:
        """Raises StreamsError: a topic is not as it was when the worker started."""
        if self._asked:
            if all(answer.done() for answer in self._asked.values()):
                asked, self._asked = self._asked, {}
                for topic, answer in asked.items():
                    self._look(topic, answer)
        elif self._counts and self._clock() >= self._due_at:
            self._due_at = self._clock() + self._interval_s
            self._asked = self._describe(TopicCollection(list(self._counts)))

    def _look(self, topic: str, answer: Future[Any]) -> None:
        before = self._counts[topic]
        error = answer.exception()
        if error is None:
            now = len(answer.result().partitions)
            if now != before:
                raise StreamsError(
                    f"topic {topic!r} has {now} partitions, and had {before} when this worker started: {self._cure}"
                )
        elif isinstance(error, KafkaException) and error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
            raise StreamsError(f"topic {topic!r} is gone: create it again with {before} partitions, then restart")
        else:  # the broker is away, or does not say: the clients will find out
            log.debug("partitions_unknown: %s: %s", topic, error)
