"""Opens the group coordinator of a broker."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from broker.groups.coordinator import GroupCoordinator
from broker.groups.settings import GroupSettings
from broker.journal.topic_log import InternalTopicLog
from broker.topics.names import OFFSETS_TOPIC

if TYPE_CHECKING:
    from broker.state import BrokerState

OFFSETS_CONFIGS = {
    "cleanup.policy": "compact",
    # All of it is read at the start, and the last segment is never compacted: Kafka's 100 MiB would take seconds.
    "segment.bytes": "4194304",
    # A group's record holds all its members' metadata and assignments, and those have no limit of their own.
    "max.message.bytes": "104857600",
}


def open_coordinator(broker: BrokerState) -> GroupCoordinator:
    """The coordinator over the broker's clock, options and log; not started yet."""
    options = broker.options
    settings = GroupSettings(
        initial_rebalance_delay_ms=options.group_initial_rebalance_delay_ms,
        min_session_timeout_ms=options.group_min_session_timeout_ms,
        max_session_timeout_ms=options.group_max_session_timeout_ms,
        max_size=options.group_max_size,
        offset_metadata_max_bytes=options.offset_metadata_max_bytes,
        offsets_retention_ms=options.offsets_retention_minutes * 60_000,
    )
    return GroupCoordinator(
        settings=settings,
        offsets_log=InternalTopicLog(
            broker, OFFSETS_TOPIC, OFFSETS_CONFIGS, partitions=settings.offsets_topic_partitions
        ),
        clock=broker.clock,
        new_id=lambda: str(uuid4()),
    )
