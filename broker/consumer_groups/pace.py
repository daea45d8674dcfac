"""How often members are to be heard: what `heartbeat_interval_ms` of an answer says.

With Kafka's five seconds the first of two members hears of the second when its heartbeat comes round, and the second
gets its share when its own does: up to ten seconds. A client does as the last answer says, so a broker may ask for
more: as many heartbeats as it can bear without notice, ten members of one broker to begin with every half second. The
more there are, the rarer each one's, down to what `group.consumer.heartbeat.interval.ms` says. Who waits for partitions
that others are about to give up is asked to come back sooner; those who give up report at once, of themselves.
"""

from __future__ import annotations

from typing import Final

SETTLED_MS: Final = 500
SETTLED_PER_MEMBER_MS: Final = 50
"""20 heartbeats a second in all."""
WAITING_MS: Final = 100
WAITING_PER_MEMBER_MS: Final = 5
"""200 heartbeats a second in all, while there is something to wait for."""


def heartbeat_interval_ms(longest_ms: int, members: int, *, waiting: bool) -> int:
    """`longest_ms`: as configured; `members`: of all consumer groups of the broker; `waiting`: the member lacks
    partitions of its target."""
    if waiting:
        return min(longest_ms, max(WAITING_MS, members * WAITING_PER_MEMBER_MS))
    return min(longest_ms, max(SETTLED_MS, members * SETTLED_PER_MEMBER_MS))
