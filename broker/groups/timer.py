"""What a group waits for, by name."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class TimerKind(Enum):
    JOIN_PHASE = "join"
    """The join phase has lasted long enough."""
    SYNC_PHASE = "sync"
    """Members that have not synced by now go."""
    SESSION = "session"
    """A member was silent for its session timeout."""
    PENDING = "pending"
    """An id was handed out (MEMBER_ID_REQUIRED) and nobody came back with it."""
    REVOKE = "revoke"
    """A member of a consumer group (KIP-848) has had time enough to give partitions up. There, the phases' timers are
    of single members that speak the classic protocol."""
    HOLD = "hold"
    """A member's heartbeat has been held for long enough."""
    RETENTION = "retention"
    """Look for expired offsets and forgotten groups; the coordinator's own, of no group."""


@dataclass(frozen=True, slots=True)
class Timer:
    """Names a timer within a group; scheduling it again moves it. `member_id` is empty for the phases."""

    kind: TimerKind
    member_id: str = ""
