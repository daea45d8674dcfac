"""Opens the group coordinator of a broker."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from broker.consumer_groups.configs import GroupConfigs
from broker.consumer_groups.settings import ConsumerGroupSettings
from broker.groups.coordinator import GroupCoordinator
from broker.groups.settings import GroupSettings
from broker.journal.topic_log import InternalTopicLog
from broker.topics.names import OFFSETS_TOPIC

if TYPE_CHECKING:
    from broker.consumer_groups.topic_directory import TopicDirectory
    from broker.state import BrokerState

OFFSETS_CONFIGS = {
    "cleanup.policy": "compact",
    # All of it is read at the start, and the last segment is never compacted: Kafka's 100 MiB would take seconds.
    "segment.bytes": "4194304",
    # A group's record holds all its members' metadata and assignments, and those have no limit of their own.
    "max.message.bytes": "104857600",
}


def open_coordinator(broker: BrokerState) -> GroupCoordinator:
    """The coordinator over the broker's clock, options and log; not started yet. Raises DataDirectoryError."""
    options = broker.options
    settings = GroupSettings(
        initial_rebalance_delay_ms=options.group_initial_rebalance_delay_ms,
        min_session_timeout_ms=options.group_min_session_timeout_ms,
        max_session_timeout_ms=options.group_max_session_timeout_ms,
        max_size=options.group_max_size,
        heartbeat_hold_ms=options.group_heartbeat_hold_ms,
        offset_metadata_max_bytes=options.offset_metadata_max_bytes,
        offsets_retention_ms=options.offsets_retention_minutes * 60_000,
    )
    configs = GroupConfigs(
        ConsumerGroupSettings(
            session_timeout_ms=options.group_consumer_session_timeout_ms,
            min_session_timeout_ms=options.group_consumer_min_session_timeout_ms,
            max_session_timeout_ms=options.group_consumer_max_session_timeout_ms,
            heartbeat_interval_ms=options.group_consumer_heartbeat_interval_ms,
            min_heartbeat_interval_ms=options.group_consumer_min_heartbeat_interval_ms,
            max_heartbeat_interval_ms=options.group_consumer_max_heartbeat_interval_ms,
            max_size=options.group_consumer_max_size,
            migration_policy=options.group_consumer_migration_policy,
        ),
        broker.data.group_configs,
        durable=broker.durable,
    )
    configs.load()
    return GroupCoordinator(
        settings=settings,
        offsets_log=InternalTopicLog(
            broker, OFFSETS_TOPIC, OFFSETS_CONFIGS, partitions=settings.offsets_topic_partitions
        ),
        clock=broker.clock,
        new_id=lambda: str(uuid4()),
        topics=shown_topics(broker),
        configs=configs,
    )


def shown_topics(broker: BrokerState) -> TopicDirectory:
    """All of them; behind an authorizer those that it lets members see."""
    if broker.authorizer is None:
        return broker.topics
    from broker.security.guarded_topics import GuardedTopics

    return GuardedTopics(broker.topics, broker.authorizer)
