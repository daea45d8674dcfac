"""The topics in a consumer's subscription: the one look a broker takes into members' metadata.

Only to know whose offsets are still in use; whatever does not parse is nobody's subscription. Kafka's consumer
protocol begins, in every version, with `version int16 · topics int32 × string`.

Source: ConsumerProtocolSubscription.json, `ClassicGroup.computeSubscribedTopics`.
"""

from __future__ import annotations

from broker.groups.group import Group
from broker.journal.errors import JournalRecordError
from broker.journal.fields import FieldReader

CONSUMER_PROTOCOL_TYPE = "consumer"


def subscribed_topics(group: Group) -> frozenset[str] | None:
    """Topics that members of a consumer group subscribe to; None where that cannot be known (another protocol type)."""
    if group.protocol_type != CONSUMER_PROTOCOL_TYPE:
        return None
    topics: set[str] = set()
    for member in group.members.values():
        parsed = topics_of(member.metadata(group.protocol_name))
        if parsed is None:
            return None
        topics |= parsed
    return frozenset(topics)


def topics_of(metadata: bytes) -> set[str] | None:
    """Topics of one subscription, None if these bytes are not one."""
    reader = FieldReader(metadata)
    try:
        reader.int16()
        return {reader.string() for _ in range(max(reader.int32(), 0))}
    except (JournalRecordError, UnicodeDecodeError):
        return None
