"""The topics an application needs: those of its user must exist, its own are made here.

Source: Kafka Streams' `InternalTopicManager`: a missing source topic is an error (`MissingSourceTopicException`), and
so is an internal topic with another number of partitions than the application has tasks.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, cast

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient, NewTopic  # pyright: ignore[reportPrivateImportUsage]

from streams.errors import ConfigError, StreamsError
from streams.plan.plan import InternalTopic, PartitionPlan, Plan
from streams.runtime.access import AccessWatch, check_credentials, cluster_metadata
from streams.runtime.connection import client_log
from streams.runtime.options import WorkerOptions
from streams.runtime.task_metadata import metadata_topic
from streams.runtime.topic_configs import check_configs

log = logging.getLogger(__name__)

REQUEST_TIMEOUT_S = 10.0
LOOK_AGAIN_S = 0.1
VISIBLE_WITHIN_S = 10.0


class TopicDirectory:
    """What topics the log has. Used before the stream thread's loop begins.

    Raises StreamsError from every method if the broker does not answer.
    """

    def __init__(self, options: WorkerOptions, admin: AdminClient, access: AccessWatch) -> None:
        self._options = options
        self._admin = admin
        self._access = access

    def partition_counts(self, *, within_s: float = REQUEST_TIMEOUT_S) -> dict[str, int]:
        """Topic -> number of partitions, of topics that are ready to be read and written.

        Raises:
            ConfigError: the broker does not let the client in.
        """
        try:
            found = cluster_metadata(self._admin, self._access, within_s)
        except KafkaException as error:
            raise StreamsError(
                f"no broker answers at {self._options.bootstrap_servers} (waited {within_s:.0f} s: "
                f"{error.args[0].str()}): start one (headrace dev, headrace broker), or say where it is "
                "(HEADRACE_BOOTSTRAP_SERVERS)"
            ) from error
        return {
            name: len(topic.partitions)
            for name, topic in found.topics.items()
            if topic.error is None and topic.partitions and all(p.leader >= 0 for p in topic.partitions.values())
        }

    def prepare(self, plan: Plan, *, stop: Callable[[], bool] = lambda: False) -> PartitionPlan:
        """Fits the plan to the user's topics and makes the internal ones.

        Raises:
            TopologyError: source topics are missing, or topics of a join differ in their partition counts.
            ConfigError: the topic of dead letters is missing.
            StreamsError: the broker does not answer, refuses a topic, or an internal topic has the wrong count.
        """
        counts = self._source_counts(plan, stop)
        fitted = plan.partitions(counts)
        dead = self._options.dead_letter_topic
        if dead is not None and dead not in counts:
            raise ConfigError(
                f"there is no topic {dead!r} for dead letters: create it (headrace topics create {dead})",
                setting="dead_letter_topic",
            )
        self.make(internal_topics(fitted), counts)
        return fitted

    def _source_counts(self, plan: Plan, stop: Callable[[], bool]) -> dict[str, int]:
        """The counts once all source topics are there, or when they have been waited for long enough."""
        counts = self.partition_counts(within_s=self._options.connect_timeout_s)
        give_up_at = time.monotonic() + self._options.topic_wait_s
        while any(topic not in counts for topic in plan.source_topics()):
            if stop() or time.monotonic() >= give_up_at:
                self._check_rights([topic for topic in plan.source_topics() if topic not in counts])
                return counts  # `Plan.partitions` says which are missing
            time.sleep(LOOK_AGAIN_S)
            counts = self.partition_counts()
        return counts

    def _check_rights(self, missing: Sequence[str]) -> None:
        """Raises StreamsError if a topic is not missing, but not this user's to see."""
        describe = cast(Callable[..., dict[str, Future[Any]]], self._admin.describe_topics)  # pyright: ignore[reportUnknownMemberType]
        for topic, answer in describe(TopicCollection(list(missing)), request_timeout=REQUEST_TIMEOUT_S).items():
            error = answer.exception()
            if isinstance(error, KafkaException) and error.args[0].code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
                raise StreamsError(
                    f"topic {topic!r} is not there for this user: allow this user to read and describe it, then restart"
                ) from error

    def make(self, topics: Sequence[InternalTopic], counts: Mapping[str, int]) -> None:
        """Creates those that are missing, and checks the partition counts and the settings of those that are not."""
        check_counts(topics, counts)
        check_configs(self._admin, [topic for topic in topics if topic.name in counts], self._options.topic_config)
        missing = [topic for topic in topics if topic.name not in counts]
        if not missing:
            return
        self._create(missing)
        give_up_at = time.monotonic() + VISIBLE_WITHIN_S
        while True:
            now = self.partition_counts()
            absent = [topic.name for topic in missing if topic.name not in now]
            if not absent:
                break
            if time.monotonic() >= give_up_at:
                raise StreamsError(f"internal topics were created but do not come up: {', '.join(absent)}")
            time.sleep(LOOK_AGAIN_S)
        check_counts(missing, now)  # another worker may have been faster, with another plan

    def _create(self, topics: Sequence[InternalTopic]) -> None:
        wanted = [
            NewTopic(
                topic.name,
                num_partitions=topic.partitions,
                replication_factor=self._options.replication_factor,
                config={**topic.configs, **self._options.topic_config},
            )
            for topic in topics
        ]
        create = cast(Callable[..., dict[str, Future[None]]], self._admin.create_topics)  # pyright: ignore[reportUnknownMemberType]
        futures = create(wanted, request_timeout=REQUEST_TIMEOUT_S)
        commands = {topic.name: creating(topic, self._options.topic_config) for topic in topics}
        for name, future in futures.items():
            try:
                future.result()
                log.info("topic_created: %s", name)
            except KafkaException as error:
                reason: KafkaError = error.args[0]
                if reason.code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise StreamsError(
                        f"internal topic {name!r} cannot be created: {reason.str()}; allow this user to create "
                        f"topics with the application's prefix, or have somebody create it who may: {commands[name]}"
                    ) from error


def creating(topic: InternalTopic, more: Mapping[str, str]) -> str:
    """The command that makes an internal topic."""
    configs = "".join(f" --config {name}={value}" for name, value in {**topic.configs, **more}.items())
    return f"headrace topics create {topic.name} --partitions {topic.partitions}{configs}"


def internal_topics(plan: PartitionPlan) -> tuple[InternalTopic, ...]:
    """The plan's internal topics, and the one that remembers the tasks' time."""
    metadata = metadata_topic(plan)
    return plan.internal_topics if metadata is None else (*plan.internal_topics, metadata)


def check_counts(topics: Sequence[InternalTopic], counts: Mapping[str, int]) -> None:
    """Raises StreamsError naming every internal topic whose partition count is not the planned one."""
    wrong = [topic for topic in topics if counts.get(topic.name, topic.partitions) != topic.partitions]
    if wrong:
        told = "; ".join(
            f"{topic.name!r} has {counts[topic.name]} partitions and should have {topic.partitions}" for topic in wrong
        )
        raise StreamsError(
            f"the application's internal topics do not fit its topology: {told}. Did the partition count of a source "
            "topic change? Stop all workers and have everything processed again, into new internal topics: "
            "headrace reset MODULE:APP"
        )


def admin_client(options: WorkerOptions, access: AccessWatch | None = None) -> AdminClient:
    """Raises ConfigError: the broker asks for a password, and there is none."""
    properties = options.client("admin")
    check_credentials(properties, options.bootstrap_servers)
    if access is not None:
        properties["error_cb"] = access.on_error
    return AdminClient(properties, logger=client_log)
