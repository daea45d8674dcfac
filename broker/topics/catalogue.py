"""The topics of the broker, in memory and as one small JSON file each.

    <data>/topics/<name>.json   {"id": uuid, "partitions": n, "configs": {…}, "internal": bool, "deleted": bool,
                                 "crc32c": of the rest}

A topic is created when its file is there, and deleted when the file says `deleted`; the logs of a deleted topic and
then the file are removed after that, at the next start at the latest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

from kio.schema.errors import ErrorCode

from broker.errors import DataDirectoryError
from broker.files import DamagedFileError, read_fields, write_fields
from broker.topics.config import TopicConfig
from broker.topics.definitions import InvalidConfigError
from broker.topics.errors import TopicError
from broker.topics.names import INTERNAL, collision_key, problem_with_name
from broker.topics.topic import Topic

MAX_PARTITIONS = 10_000


class TopicCatalogue:
    """Owned by the broker state; used in the event loop's thread only."""

    def __init__(self, directory: Path, *, defaults: Mapping[str, str], durable: bool) -> None:
        self.directory = directory
        self.defaults = defaults
        self.durable = durable
        self.by_name: dict[str, Topic] = {}
        self.ids: dict[UUID, Topic] = {}
        self.by_collision_key: dict[str, str] = {}
        self.revision = 0
        """Another one whenever a topic was made, changed or deleted."""

    def load(self) -> list[str]:
        """Reads all files; returns names of topics whose deletion was cut short. Raises DataDirectoryError."""
        self.directory.mkdir(exist_ok=True)
        unfinished: list[str] = []
        for path in sorted(self.directory.glob("*.json")):
            try:
                content = read_fields(path)
                if content["deleted"]:
                    unfinished.append(path.stem)
                    continue
                topic = Topic(
                    name=path.stem,
                    id=UUID(content["id"]),
                    partitions=int(content["partitions"]),
                    configs=content["configs"],
                    config=TopicConfig.parse(content["configs"], self.defaults),
                    internal=bool(content["internal"]),
                )
            except (DamagedFileError, ValueError, KeyError, TypeError, InvalidConfigError) as error:
                raise DataDirectoryError(
                    f"{path} does not describe a topic ({error}): restore it from a backup, or move it away to start "
                    f"without the topic (its records stay in the directory logs)"
                ) from error
            self.remember(topic)
        return unfinished

    def get(self, name: str) -> Topic | None:
        return self.by_name.get(name)

    def by_id(self, topic_id: UUID) -> Topic | None:
        return self.ids.get(topic_id)

    def names(self) -> Iterable[str]:
        """In no order."""
        return self.by_name.keys()

    def shows(self, name: str, viewer: tuple[str, str]) -> bool:
        """All are shown to everybody; where there is an authorizer, `broker.security.guarded_topics` asks it."""
        return True

    def __iter__(self) -> Iterator[Topic]:
        """In order of name."""
        return iter([self.by_name[name] for name in sorted(self.by_name)])

    def __len__(self) -> int:
        return len(self.by_name)

    def create(
        self, name: str, partitions: int, configs: Mapping[str, str], *, internal: bool, validate_only: bool
    ) -> Topic:
        """Raises TopicError: invalid name, existing topic, bad partition count, bad config."""
        problem = problem_with_name(name)
        if problem is not None:
            raise TopicError(ErrorCode.invalid_topic_exception, problem)
        if name in self.by_name:
            raise TopicError(ErrorCode.topic_already_exists, f"Topic '{name}' already exists.")
        other = self.by_collision_key.get(collision_key(name))
        if other is not None:
            raise TopicError(
                ErrorCode.invalid_topic_exception,
                f"Topic '{name}' collides with existing topic: {other} ('.' and '_' are the same in metric names)",
            )
        if not 1 <= partitions <= MAX_PARTITIONS:
            raise TopicError(
                ErrorCode.invalid_partitions,
                f"Number of partitions was {partitions}; it must be between 1 and {MAX_PARTITIONS}.",
            )
        topic = Topic(
            name=name,
            id=uuid4(),
            partitions=partitions,
            configs=dict(configs),
            config=self.parse(configs),
            internal=internal or name in INTERNAL,
        )
        if not validate_only:
            self.store(topic)
            self.remember(topic)
        return topic

    def add_partitions(self, name: str, total: int, *, validate_only: bool) -> Topic:
        """Raises TopicError if the topic is unknown or the total is not above the present count."""
        topic = self.require(name)
        if total <= topic.partitions:
            problem = (
                f"Topic already has {topic.partitions} partitions."
                if total == topic.partitions
                else f"The topic {name} currently has {topic.partitions} partition(s); "
                f"{total} would not be an increase."
            )
            raise TopicError(ErrorCode.invalid_partitions, problem)
        if total > MAX_PARTITIONS:
            raise TopicError(ErrorCode.invalid_partitions, f"More than {MAX_PARTITIONS} partitions are not served.")
        changed = replace(topic, partitions=total)
        if not validate_only:
            self.store(changed)
            self.remember(changed)
        return changed

    def set_configs(self, name: str, configs: Mapping[str, str], *, validate_only: bool) -> Topic:
        """Replaces the overrides whole. Raises TopicError."""
        changed = replace(self.require(name), configs=dict(configs), config=self.parse(configs))
        if not validate_only:
            self.store(changed)
            self.remember(changed)
        return changed

    def with_defaults(self, defaults: Mapping[str, str]) -> list[Topic]:
        """All topics as they would be with other defaults. Raises TopicError, naming a topic they do not fit."""
        topics: list[Topic] = []
        for topic in self.by_name.values():
            try:
                topics.append(replace(topic, config=TopicConfig.parse(topic.configs, defaults)))
            except InvalidConfigError as error:
                raise TopicError(ErrorCode.invalid_request, f"Topic {topic.name}: {error}") from error
        return topics

    def set_defaults(self, defaults: Mapping[str, str]) -> list[Topic]:
        """Puts other defaults to work; returns all topics. Raises TopicError, and nothing has changed then."""
        topics = self.with_defaults(defaults)
        self.defaults = defaults
        for topic in topics:
            self.remember(topic)
        return topics

    def mark_deleted(self, name: str) -> Topic:
        """From here on the topic is gone, whatever happens. Raises TopicError if it is unknown."""
        topic = self.require(name)
        self.store(topic, deleted=True)
        del self.by_name[name], self.ids[topic.id], self.by_collision_key[collision_key(name)]
        self.revision += 1
        return topic

    def discard(self, name: str) -> None:
        """Takes back a topic that was just created. Raises OSError."""
        topic = self.by_name.pop(name)
        del self.ids[topic.id], self.by_collision_key[collision_key(name)]
        self.forget(name)

    def forget(self, name: str) -> None:
        """Removes the file of a deleted topic, after its logs."""
        self.path(name).unlink(missing_ok=True)

    def require(self, name: str) -> Topic:
        topic = self.by_name.get(name)
        if topic is None:
            raise TopicError(ErrorCode.unknown_topic_or_partition, f"This server does not host the topic '{name}'.")
        return topic

    def parse(self, configs: Mapping[str, str]) -> TopicConfig:
        try:
            return TopicConfig.parse(configs, self.defaults)
        except InvalidConfigError as error:
            raise TopicError(ErrorCode.invalid_config, str(error)) from error

    def remember(self, topic: Topic) -> None:
        self.by_name[topic.name] = topic
        self.ids[topic.id] = topic
        self.by_collision_key[collision_key(topic.name)] = topic.name
        self.revision += 1

    def store(self, topic: Topic, *, deleted: bool = False) -> None:
        content = {
            "id": str(topic.id),
            "partitions": topic.partitions,
            "configs": dict(topic.configs),
            "internal": topic.internal,
            "deleted": deleted,
        }
        write_fields(self.path(topic.name), content, durable=self.durable)

    def path(self, name: str) -> Path:
        return self.directory / f"{name}.json"
