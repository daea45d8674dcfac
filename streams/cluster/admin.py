"""The admin calls, with types of our own: confluent-kafka's futures are untyped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from streams.cluster.clients import REQUEST_TIMEOUT_S, kafka_logger, kafka_message
from streams.cluster.errors import ClusterError, UnknownTopicError
from streams.cluster.topic_names import near_topic

Place = tuple[str, int]
"""Topic and partition."""


class PartitionDescription(Struct, frozen=True, kw_only=True):
    """`leader` is a node id, -1 where there is none at the moment."""

    partition: int
    leader: int
    replicas: tuple[int, ...]
    in_sync: tuple[int, ...]


class TopicConfig(Struct, frozen=True, kw_only=True):
    """A setting of a topic: `own` where it is set for this topic, else it holds for all, or by default. `value` is
    None where it is unset or secret."""

    name: str
    value: str | None
    own: bool


class MemberOfGroup(Struct, frozen=True, kw_only=True):
    """`instance` is None for a member that is not static. `places`: what it was given to read, as far as the group
    tells."""

    member: str
    instance: str | None
    host: str
    client: str = ""
    places: tuple[Place, ...] = ()


class GroupDescription(Struct, frozen=True, kw_only=True):
    """`kind` is "classic" or "consumer", the protocol of the group; `assignor` what its members agreed on."""

    state: str
    members: tuple[MemberOfGroup, ...]
    kind: str = ""
    assignor: str = ""


class Admin:
    """An admin client. Every method raises ClusterError with the broker's words if it refuses or does not answer."""

    def __init__(self, properties: Mapping[str, Any]) -> None:
        from confluent_kafka.admin import AdminClient

        self._properties = dict(properties)
        self._client: Any = AdminClient(dict(properties), logger=kafka_logger())

    def partition_counts(self) -> dict[str, int]:
        """Topic -> number of partitions, of all topics, sorted by name."""
        topics: dict[str, Any] = self._client.list_topics(timeout=REQUEST_TIMEOUT_S).topics
        return {name: len(topics[name].partitions) for name in sorted(topics)}

    def topics(self) -> dict[str, tuple[PartitionDescription, ...]]:
        """The partitions of every topic, both sorted."""
        return {name: self._partitions(found) for name, found in sorted(self._metadata().topics.items())}

    def topic(self, name: str) -> tuple[PartitionDescription, ...]:
        """Its partitions, sorted. Raises UnknownTopicError."""
        topics = self._metadata().topics  # asked for by name, a topic that is not there would be created
        found = topics.get(name)
        if found is None or found.error is not None:
            raise UnknownTopicError(
                name, "there is none" if found is None else found.error.str(), near_topic(name, topics.keys() - {name})
            )
        return self._partitions(found)

    def _partitions(self, topic: Any) -> tuple[PartitionDescription, ...]:
        return tuple(
            PartitionDescription(
                partition=number, leader=each.leader, replicas=tuple(each.replicas), in_sync=tuple(each.isrs)
            )
            for number, each in sorted(topic.partitions.items())
        )

    def _metadata(self) -> Any:
        from confluent_kafka import KafkaException

        try:
            return self._client.list_topics(timeout=REQUEST_TIMEOUT_S)
        except KafkaException as error:
            raise ClusterError(f"the broker gives no answer: {kafka_message(error)}") from error

    def ranges(self, places: Iterable[Place]) -> dict[Place, tuple[int, int]]:
        """The first offset that is kept and the next one that readers of committed records will see, by partition."""
        from confluent_kafka import IsolationLevel, TopicPartition
        from confluent_kafka.admin import OffsetSpec  # pyright: ignore[reportPrivateImportUsage]

        asked = [TopicPartition(topic, partition) for topic, partition in places]
        if not asked:
            return {}
        found: list[dict[Place, int]] = []
        for spec in (OffsetSpec.earliest(), OffsetSpec.latest()):
            futures = self._client.list_offsets(
                dict.fromkeys(asked, spec), isolation_level=IsolationLevel.READ_COMMITTED
            )
            named = {(place.topic, place.partition): future for place, future in futures.items()}
            found.append({place: answer.offset for place, answer in self._settle(named).items()})
        first, end = found
        return {place: (first[place], end[place]) for place in sorted(first)}

    def nodes(self) -> dict[int, tuple[str, int]]:
        """Node id -> host and port of every broker, sorted by id."""
        brokers: dict[int, Any] = self._client.list_topics(timeout=REQUEST_TIMEOUT_S).brokers
        return {node: (broker.host, broker.port) for node, broker in sorted(brokers.items())}

    def leaders(self, topic: str) -> dict[int, int]:
        """Partition -> node id of its leader."""
        return {each.partition: each.leader for each in self.topic(topic)}

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
        return {config.name: config.value or "" for config in self.topic_configs(topic) if config.own}

    def topic_configs(self, topic: str) -> tuple[TopicConfig, ...]:
        """All configs of a topic, sorted by name."""
        from confluent_kafka import admin

        kafka: Any = vars(admin)
        resource = kafka["ConfigResource"](kafka["ResourceType"].TOPIC, topic)
        entries = self._settle(self._client.describe_configs([resource]))[resource]
        own = kafka["ConfigSource"].DYNAMIC_TOPIC_CONFIG.value
        return tuple(
            TopicConfig(name=name, value=entry.value, own=entry.source == own)
            for name, entry in sorted(entries.items())
        )

    def groups(self) -> list[tuple[str, str]]:
        """Name and state of every group, sorted by name."""
        listing = self._settle({"groups": self._client.list_consumer_groups()})["groups"]
        return sorted((group.group_id, group.state.name.lower()) for group in listing.valid)

    def group(self, name: str) -> GroupDescription:
        return self.described_groups([name])[name]

    def described_groups(self, names: Sequence[str]) -> dict[str, GroupDescription]:
        """All of them in one question to each coordinator."""
        if not names:
            return {}
        found = self._settle(self._client.describe_consumer_groups(list(names)))
        return {name: _group(found[name]) for name in names}

    def committed(self, group: str) -> dict[Place, int]:
        """(topic, partition) -> committed offset, for the partitions the group has committed, sorted."""
        return self.committed_of([group])[group]

    def committed_of(self, groups: Sequence[str]) -> dict[str, dict[Place, int]]:
        """The same by group."""
        from streams.wire.client import Client
        from streams.wire.errors import WireError
        from streams.wire.group_offsets import committed_offsets

        try:
            return committed_offsets(Client.of(self._properties), dict.fromkeys(groups), timeout_s=REQUEST_TIMEOUT_S)
        except WireError as error:
            raise ClusterError(str(error)) from error

    def _settle(self, futures: Mapping[Any, Any]) -> dict[Any, Any]:
        """The results of an admin call on each of its things."""
        from confluent_kafka import KafkaException

        results: dict[Any, Any] = {}
        for name, future in futures.items():
            try:
                results[name] = future.result(REQUEST_TIMEOUT_S)
            except KafkaException as error:
                raise ClusterError(f"{name}: {kafka_message(error)}") from error
            except TimeoutError as error:
                raise ClusterError(f"{name}: the broker did not answer within {REQUEST_TIMEOUT_S:.0f} s") from error
        return results


def _group(found: Any) -> GroupDescription:
    kind = getattr(found, "type", None)
    return GroupDescription(
        state=found.state.name.lower(),
        kind="" if kind is None else kind.name.lower(),
        assignor=found.partition_assignor or "",
        members=tuple(
            MemberOfGroup(
                member=member.member_id,
                instance=member.group_instance_id,
                host=member.host,
                client=member.client_id or "",
                places=tuple((place.topic, place.partition) for place in _assigned(member)),
            )
            for member in found.members
        ),
    )


def _assigned(member: Any) -> Sequence[Any]:
    return () if member.assignment is None else member.assignment.topic_partitions or ()
