"""The admin calls that commands make, with types of our own: confluent-kafka's futures are untyped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from streams.cli.clients import REQUEST_TIMEOUT_S, client_config, kafka_logger, require_broker
from streams.cli.failures import CommandFailed, kafka_message
from streams.discovery import BrokerLocation


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberOfGroup:
    """`instance` is None for a member that is not static."""

    member: str
    instance: str | None
    host: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupDescription:
    state: str
    members: tuple[MemberOfGroup, ...]


class Admin:
    """An admin client. Every method raises CommandFailed with the broker's words if it refuses or does not answer."""

    def __init__(self, location: BrokerLocation) -> None:
        from confluent_kafka.admin import AdminClient

        require_broker(location)
        self._client: Any = AdminClient(client_config(location), logger=kafka_logger())

    def partition_counts(self) -> dict[str, int]:
        """Topic -> number of partitions, of all topics, sorted by name."""
        topics: dict[str, Any] = self._client.list_topics(timeout=REQUEST_TIMEOUT_S).topics
        return {name: len(topics[name].partitions) for name in sorted(topics)}

    def nodes(self) -> dict[int, tuple[str, int]]:
        """Node id -> host and port of every broker, sorted by id."""
        brokers: dict[int, Any] = self._client.list_topics(timeout=REQUEST_TIMEOUT_S).brokers
        return {node: (broker.host, broker.port) for node, broker in sorted(brokers.items())}

    def leaders(self, topic: str) -> dict[int, int]:
        """Partition -> node id of its leader."""
        partitions: dict[int, Any] = self._client.list_topics(topic, timeout=REQUEST_TIMEOUT_S).topics[topic].partitions
        return {partition: metadata.leader for partition, metadata in sorted(partitions.items())}

    def create_topic(
        self, name: str, *, partitions: int, replication_factor: int = 1, configs: Mapping[str, str] | None = None
    ) -> None:
        from confluent_kafka import admin

        new: Any = vars(admin)["NewTopic"]
        wanted = new(name, num_partitions=partitions, replication_factor=replication_factor, config=dict(configs or {}))
        self._settle(self._client.create_topics([wanted]))

    def delete_topics(self, names: list[str]) -> None:
        self._settle(self._client.delete_topics(names))

    def add_partitions(self, topic: str, total: int) -> None:
        """Raises a topic's number of partitions to `total`."""
        from confluent_kafka import admin

        self._settle(self._client.create_partitions([vars(admin)["NewPartitions"](topic, total)]))

    def delete_records(self, before: Mapping[tuple[str, int], int]) -> dict[tuple[str, int], int]:
        """Deletes the records before an offset of each partition; returns the first offsets that are left."""
        from confluent_kafka import TopicPartition

        asked = [TopicPartition(topic, partition, offset) for (topic, partition), offset in before.items()]
        answers = self._settle(self._client.delete_records(asked))
        return {(place.topic, place.partition): answer.low_watermark for place, answer in answers.items()}

    def delete_groups(self, names: list[str]) -> None:
        self._settle(self._client.delete_consumer_groups(names))

    def topic_overrides(self, topic: str) -> dict[str, str]:
        """The topic's own configs, those that are not defaults, sorted by name."""
        from confluent_kafka import admin

        kafka: Any = vars(admin)
        resource = kafka["ConfigResource"](kafka["ResourceType"].TOPIC, topic)
        entries = self._settle(self._client.describe_configs([resource]))[resource]
        own = kafka["ConfigSource"].DYNAMIC_TOPIC_CONFIG.value
        return {name: entry.value for name, entry in sorted(entries.items()) if entry.source == own}

    def groups(self) -> list[tuple[str, str]]:
        """Name and state of every group, sorted by name."""
        listing = self._settle({"groups": self._client.list_consumer_groups()})["groups"]
        return sorted((group.group_id, group.state.name.lower()) for group in listing.valid)

    def group(self, name: str) -> GroupDescription:
        description = self._settle(self._client.describe_consumer_groups([name]))[name]
        return GroupDescription(
            state=description.state.name.lower(),
            members=tuple(
                MemberOfGroup(member=member.member_id, instance=member.group_instance_id, host=member.host)
                for member in description.members
            ),
        )

    def committed(self, group: str) -> dict[tuple[str, int], int]:
        """(topic, partition) -> committed offset, for the partitions the group has committed, sorted."""
        from confluent_kafka import ConsumerGroupTopicPartitions

        request = ConsumerGroupTopicPartitions(group)
        answer = self._settle(self._client.list_consumer_group_offsets([request]))[group]
        found = {(each.topic, each.partition): each.offset for each in answer.topic_partitions if each.offset >= 0}
        return dict(sorted(found.items()))

    def _settle(self, futures: Mapping[Any, Any]) -> dict[Any, Any]:
        """The results of an admin call on each of its things."""
        from confluent_kafka import KafkaException

        results: dict[Any, Any] = {}
        for name, future in futures.items():
            try:
                results[name] = future.result(REQUEST_TIMEOUT_S)
            except KafkaException as error:
                raise CommandFailed(f"{name}: {kafka_message(error)}") from error
            except TimeoutError as error:
                raise CommandFailed(f"{name}: the broker did not answer within {REQUEST_TIMEOUT_S:.0f} s") from error
        return results
