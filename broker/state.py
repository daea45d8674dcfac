"""All a running broker knows: topics, logs, groups, identity. Handlers reach everything through it.

Used in the event loop's thread only.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from kio.schema.errors import ErrorCode

from broker.log.directory import LogDirectory
from broker.log.group_commit import GroupCommit
from broker.log.producer_ids import ProducerIds
from broker.topics.catalogue import TopicCatalogue
from broker.topics.errors import TopicError
from broker.topics.topic import Topic

if TYPE_CHECKING:
    from broker.data_directory import DataDirectory
    from broker.groups.coordinator import GroupCoordinator
    from broker.options import BrokerOptions
    from broker.security.authorizer import Authorizer
    from broker.transactions.coordinator import TransactionCoordinator

LOG = logging.getLogger("broker")
NODE_ID = 1
NO_CONFIGS: Mapping[str, str] = MappingProxyType({})


class BrokerState:
    """Made by the server over an open data directory; `clock` gives ms since the epoch."""

    groups: GroupCoordinator
    transactions: TransactionCoordinator
    """Both set by the server before it serves."""

    def __init__(self, options: BrokerOptions, data: DataDirectory, clock: Callable[[], int]) -> None:
        self.options = options
        self.data = data
        self.clock = clock
        self.durable = options.fsync == "always"
        self.node_id = NODE_ID
        self.cluster_id = data.cluster_id
        self.advertised_host = ""
        self.advertised_port = 0
        self.topics = TopicCatalogue(data.topics, defaults=options.topic_defaults, durable=self.durable)
        self.logs = LogDirectory(data.logs, durable=self.durable, clock=clock)
        self.producer_ids = ProducerIds(data.producer_ids, durable=self.durable)
        self.group_commit = GroupCommit()
        self.authorizer: Authorizer | None = None
        """None: everybody may do everything."""

    # -- life --------------------------------------------------------------------------------------------------------
    def load(self) -> None:
        """Opens everything in the data directory. Raises DataDirectoryError, OSError; BrokerError for bad options."""
        if self.options.authorizer:
            from broker.security.acl_file import AclFile
            from broker.security.authorizer import open_authorizer

            self.authorizer = open_authorizer(self.options, AclFile(self.data.acls))
        self.producer_ids.load()
        for name in self.topics.load():
            self.remove(name)
        self.logs.sweep()
        for topic in self.topics:
            self.logs.open(topic, trusted=self.data.clean)

    def close(self, *, sync: bool) -> None:
        """Closes the logs and marks the shutdown as clean."""
        self.logs.close(sync=sync)
        self.data.mark_clean()

    # -- topics ------------------------------------------------------------------------------------------------------
    def create_topic(
        self,
        name: str,
        partitions: int = -1,
        configs: Mapping[str, str] = NO_CONFIGS,
        *,
        internal: bool = False,
        validate_only: bool = False,
    ) -> Topic:
        """Creates a topic and its logs; partitions -1: the broker's default. Raises TopicError."""
        if partitions == -1:
            partitions = self.options.default_partitions
        try:
            topic = self.topics.create(name, partitions, configs, internal=internal, validate_only=validate_only)
            if not validate_only:
                self.logs.open(topic, trusted=True)
        except OSError as error:
            raise self.storage_error(f"create topic {name}", error) from error
        return topic

    def delete_topic(self, name: str) -> None:
        """Deletes a topic with its records; fetches that wait for it are answered. Raises TopicError."""
        try:
            self.topics.mark_deleted(name)
            self.remove(name)
        except OSError as error:
            raise self.storage_error(f"delete topic {name}", error) from error

    def add_partitions(self, name: str, total: int, *, validate_only: bool = False) -> Topic:
        """Raises a topic's partition count to `total`. Raises TopicError."""
        try:
            topic = self.topics.add_partitions(name, total, validate_only=validate_only)
            if not validate_only:
                self.logs.open(topic, trusted=True)
        except OSError as error:
            raise self.storage_error(f"add partitions to topic {name}", error) from error
        return topic

    def set_configs(self, name: str, configs: Mapping[str, str], *, validate_only: bool = False) -> Topic:
        """Replaces a topic's overrides whole. Raises TopicError."""
        try:
            topic = self.topics.set_configs(name, configs, validate_only=validate_only)
        except OSError as error:
            raise self.storage_error(f"configure topic {name}", error) from error
        if not validate_only:
            self.logs.configure(topic)
        return topic

    def remove(self, name: str) -> None:
        """Removes logs and file of a topic that is marked as deleted."""
        self.logs.delete(name)
        self.topics.forget(name)

    def storage_error(self, what: str, error: OSError) -> TopicError:
        """Logs a storage failure and makes it an answer."""
        LOG.error("cannot %s: %s", what, error)
        return TopicError(ErrorCode.kafka_storage_error, f"The broker's storage failed: {error.strerror}")
