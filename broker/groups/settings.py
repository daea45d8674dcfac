"""The group coordinator's knobs, under Kafka's meanings."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSettings:
    """Limits and delays of the coordinator; all durations in milliseconds."""

    initial_rebalance_delay_ms: int = 3_000
    """How long the first join of an empty group waits for company (`group.initial.rebalance.delay.ms`); 0: not."""
    min_session_timeout_ms: int = 6_000
    """`group.min.session.timeout.ms`: a shorter session is refused with INVALID_SESSION_TIMEOUT."""
    max_session_timeout_ms: int = 1_800_000
    """`group.max.session.timeout.ms`."""
    max_size: int = 2**31 - 1
    """`group.max.size`: one member more is refused with GROUP_MAX_SIZE_REACHED."""
    new_member_timeout_ms: int = 300_000
    """How long a member that never got a generation may hang in its first join (its client may be gone for good)."""
    heartbeat_hold_ms: int = 3_000
    """The longest that a classic member's heartbeat waits for news, see `held_heartbeats`; 0: not at all."""
    offset_metadata_max_bytes: int = 4_096
    """`offset.metadata.max.bytes`: longer commit metadata is refused with OFFSET_METADATA_TOO_LARGE."""
    offsets_retention_ms: int = 7 * 24 * 3_600_000
    """`offsets.retention.minutes`: offsets go this long after their group became empty."""
    offsets_retention_check_ms: int = 600_000
    """`offsets.retention.check.interval.ms`."""
    offsets_topic_partitions: int = 1
    """`offsets.topic.num.partitions`; Kafka has 50 to spread them over brokers, one node gains nothing from many."""
