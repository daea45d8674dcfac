"""What consumer groups can be told, by the broker's settings and, for one group, by its configs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ASSIGNORS = ("uniform", "range")
"""Server-side assignors; the first one is taken where no member asks for another."""

MigrationPolicy = Literal["bidirectional", "upgrade", "downgrade", "disabled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumerGroupSettings:
    """Durations in ms; names after Kafka's `group.consumer.*`."""

    session_timeout_ms: int = 45_000
    min_session_timeout_ms: int = 45_000
    max_session_timeout_ms: int = 60_000
    heartbeat_interval_ms: int = 5_000
    min_heartbeat_interval_ms: int = 5_000
    max_heartbeat_interval_ms: int = 15_000
    max_size: int = 2**31 - 1
    """A member more is refused with GROUP_MAX_SIZE_REACHED."""
    migration_policy: MigrationPolicy = "bidirectional"
    """Which groups with members may change their protocol, as members of the other one come or the last one goes."""
