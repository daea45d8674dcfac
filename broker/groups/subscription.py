"""Which topics the members of a classic group read."""

from __future__ import annotations

from broker.groups.consumer_protocol import CONSUMER_PROTOCOL_TYPE, parse_subscription
from broker.groups.group import Group


def subscribed_topics(group: Group) -> frozenset[str] | None:
    """Topics that members of a consumer group subscribe to; None where that cannot be known (another protocol type)."""
    if group.protocol_type != CONSUMER_PROTOCOL_TYPE:
        return None
    topics: frozenset[str] = frozenset()
    for member in group.members.values():
        subscription = parse_subscription(member.metadata(group.protocol_name))
        if subscription is None:
            return None
        topics |= subscription.topics
    return topics
