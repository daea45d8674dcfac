"""The states of a consumer group, as they are shown. They follow from its members and epochs; nothing is kept.

| state       | when                                                                                  |
|-------------|---------------------------------------------------------------------------------------|
| Empty       | nobody is a member                                                                    |
| Assigning   | members, their subscriptions or topics have changed, and no target has been made of it |
| Reconciling | there is a target, and a member has not come to it                                    |
| Stable      | every member owns its target                                                          |
| Dead        | the group is gone                                                                     |

Source: `ConsumerGroup.ConsumerGroupState` of Apache Kafka.
"""

from __future__ import annotations

from enum import Enum


class ConsumerGroupState(Enum):
    """The value is the name in ListGroups and ConsumerGroupDescribe."""

    EMPTY = "Empty"
    ASSIGNING = "Assigning"
    RECONCILING = "Reconciling"
    STABLE = "Stable"
    DEAD = "Dead"
