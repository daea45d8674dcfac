"""Groups through confluent-kafka's AdminClient."""

from __future__ import annotations

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from tests.broker.groups.members import GroupMember
from tests.broker.groups.waits import wait_until


def test_groups_are_listed_described_and_deleted(admin: AdminClient, address: str, topic: str) -> None:
    """A live group shows its member and assignment; it can be deleted once it is empty."""
    admin.create_topics([NewTopic(topic, 2)])[topic].result(10)
    member = GroupMember(address, topic, topic, client_id="me")
    wait_until(lambda: member.poll() or member.owned == [0, 1], "the member owns both")
    listed = {g.group_id: g for g in admin.list_consumer_groups().result(10).valid}
    assert (listed[topic].state.name, listed[topic].is_simple_consumer_group) == ("STABLE", False)
    described = admin.describe_consumer_groups([topic])[topic].result(10)
    (line,) = described.members
    assert (described.partition_assignor, line.client_id, line.host) == ("range", "me", "/127.0.0.1")
    assert [(p.topic, p.partition) for p in line.assignment.topic_partitions] == [(topic, 0), (topic, 1)]
    with pytest.raises(KafkaException) as raised:
        admin.delete_consumer_groups([topic])[topic].result(10)
    assert raised.value.args[0].code() == KafkaError.NON_EMPTY_GROUP
    member.consumer.commit(offsets=[TopicPartition(topic, 0, 3)], asynchronous=False)
    member.close()
    assert admin.describe_consumer_groups([topic])[topic].result(10).state.name == "EMPTY"
    admin.delete_consumer_groups([topic])[topic].result(10)
    assert topic not in [g.group_id for g in admin.list_consumer_groups().result(10).valid]


def test_group_offsets_are_listed_and_altered(admin: AdminClient, topic: str) -> None:
    """What a reset tool does."""
    admin.create_topics([NewTopic(topic, 2)])[topic].result(10)
    wanted = [TopicPartition(topic, 0, 11), TopicPartition(topic, 1, 12)]
    admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(topic, wanted)])[topic].result(10)
    found = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(topic)])[topic].result(10)
    assert [(p.partition, p.offset) for p in found.topic_partitions] == [(0, 11), (1, 12)]
