"""What the leader of a group goes by when it assigns tasks, beside what members say."""

from __future__ import annotations

from msgspec import Struct


class AssignmentRules(Struct, frozen=True, kw_only=True):
    """The leader's count; all members of an application should have the same. Source: KIP-441.

    `standby_replicas`: copies of each stateful task's state beside the active one (`num.standby.replicas`).
    `acceptable_lag`: records; a copy that is not further behind counts as caught up (`acceptable.recovery.lag`).
    `warmup_replicas`: how many copies may be made at a time so that tasks can move there (`max.warmup.replicas`).
    `spread_tags`: the tags over whose values copies are spread, the weightiest first (`rack.aware.assignment.tags`,
    KIP-708).
    """

    standby_replicas: int = 0
    acceptable_lag: int = 10_000
    warmup_replicas: int = 2
    spread_tags: tuple[str, ...] = ()
