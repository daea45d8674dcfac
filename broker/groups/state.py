"""The life of a classic consumer group.

```
            first join                all rejoined, or the rebalance timeout
   Empty ───────────────► PreparingRebalance ───────────────────────────► CompletingRebalance
     ▲ │                    ▲   ▲   │                                        │   │
     │ │                    │   │   │ nobody is left                         │   │ the leader's
     │ └──────► Dead        │   │   └───────► Empty                          │   │ assignment
     │  deleted, expired    │   └────────────────────────────────────────────┘   ▼
     │                      │     join, leave, expiry, sync timeout            Stable
     │                      └────────────────────────────────────────────────────┘
     └── (by way of PreparingRebalance: an empty join phase ends in Empty at once)
```

| from                | event                                              | to                  |
|---------------------|----------------------------------------------------|---------------------|
| Empty               | a member joins                                     | PreparingRebalance  |
| Empty               | DeleteGroups, or the last offset expired           | Dead                |
| Empty               | a member of the consumer protocol joins            | Dead                |
| PreparingRebalance  | every known member rejoined, or time is up         | CompletingRebalance |
| PreparingRebalance  | time is up and no member is left                   | Empty               |
| CompletingRebalance | SyncGroup of the leader                            | Stable              |
| CompletingRebalance | join with news, leave, expiry, sync timeout        | PreparingRebalance  |
| Stable              | new member, join with news, leader joins, leave,   | PreparingRebalance  |
|                     | session expiry, a follower never syncs             |                     |
| PreparingRebalance  | a member of the consumer protocol joins            | Dead                |
| CompletingRebalance | a member of the consumer protocol joins            | Dead                |
| Stable              | a member of the consumer protocol joins            | Dead                |

`TRANSITIONS` is this table; `Group.enter` refuses any other edge. Dead is final: the coordinator forgets the group, or
has a consumer group (KIP-848) of the same id in its place.

Source: `ClassicGroupState` of Apache Kafka's group coordinator.
"""

from __future__ import annotations

from enum import Enum


class GroupState(Enum):
    """The value is the name that DescribeGroups and ListGroups show."""

    EMPTY = "Empty"
    PREPARING_REBALANCE = "PreparingRebalance"
    COMPLETING_REBALANCE = "CompletingRebalance"
    STABLE = "Stable"
    DEAD = "Dead"


TRANSITIONS: dict[GroupState, frozenset[GroupState]] = {
    GroupState.EMPTY: frozenset({GroupState.PREPARING_REBALANCE, GroupState.DEAD}),
    GroupState.PREPARING_REBALANCE: frozenset({GroupState.COMPLETING_REBALANCE, GroupState.EMPTY, GroupState.DEAD}),
    GroupState.COMPLETING_REBALANCE: frozenset({GroupState.STABLE, GroupState.PREPARING_REBALANCE, GroupState.DEAD}),
    GroupState.STABLE: frozenset({GroupState.PREPARING_REBALANCE, GroupState.DEAD}),
    GroupState.DEAD: frozenset(),
}
