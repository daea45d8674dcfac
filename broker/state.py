"""All a running broker knows: topics, logs, groups, identity. Handlers reach everything through it.

Used in the event loop's thread only.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import TYPE_CHECKING

from kio.schema.errors import ErrorCode

from broker.configs.broker_configs import BrokerConfigs
from broker.configs.dynamic import DynamicConfigs
from broker.feature_levels import FeatureLevels
from broker.fetch.session_cache import FetchSessionCache
from broker.leader_epoch import MAX_EPOCH, UNKNOWN, LeaderEpoch
from broker.log.directory import LogDirectory
from broker.log.group_commit import GroupCommit
from broker.log.partition import PartitionLog
from broker.log.producer_ids import ProducerIds
from broker.log.reopening import Reopening
from broker.quotas.quotas import ClientQuotas
from broker.security.credential_store import CredentialStore
from broker.state_file import StateFile
from broker.topics.catalogue import TopicCatalogue
from broker.topics.errors import TopicError
from broker.topics.topic import Topic

if TYPE_CHECKING:
    from broker.data_directory import DataDirectory
    from broker.groups.coordinator import GroupCoordinator
    from broker.options import BrokerOptions
    from broker.security.authorizer import Authorizer
    from broker.server.listener import Endpoint
    from broker.transactions.coordinator import TransactionCoordinator

LOG = logging.getLogger("broker")
NO_CONFIGS: Mapping[str, str] = MappingProxyType({})


class BrokerState:
    """Made by the server over an open data directory; `clock` gives ms since the epoch."""

    groups: GroupCoordinator
    transactions: TransactionCoordinator
    endpoints: tuple[Endpoint, ...]
    """One for each listener. All set by the server before it serves."""

    def __init__(self, options: BrokerOptions, data: DataDirectory, clock: Callable[[], int]) -> None:
        self.options = options
        self.data = data
        self.clock = clock
        self.durable = options.fsync == "always"
        self.node_id = options.node_id
        self.cluster_id = data.cluster_id
        self.scram_credentials = CredentialStore(data.scram_credentials)
        self.topics = TopicCatalogue(data.topics, defaults=options.topic_defaults, durable=self.durable)
        self.logs = LogDirectory(data.logs, durable=self.durable, clock=clock)
        self.configs = BrokerConfigs(
            DynamicConfigs(StateFile(data.dynamic_configs, what="configs of the broker", durable=self.durable)),
            node_id=self.node_id,
            given=options.topic_defaults,
            topics=self.topics,
            logs=self.logs,
        )
        self.features = FeatureLevels(StateFile(data.features, what="levels of features", durable=self.durable))
        self.quotas = ClientQuotas(StateFile(data.client_quotas, what="client quotas", durable=self.durable))
        self.producer_ids = ProducerIds(data.producer_ids, durable=self.durable)
        self.unsent = 0
        """Bytes of answers that wait for clients who are slow to read, or for those before them."""
        self.fetch_sessions = FetchSessionCache(
            options.fetch_session_cache_slots, clock=clock, new_id=lambda: random.randrange(1, 2**31)
        )
        self.leader_epoch = LeaderEpoch(data.leader_epoch, durable=self.durable)
        self.reopening = Reopening(self.logs)
        self.group_commit = GroupCommit(failed=self.reopening.soon)
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
        self.configs.load()
        self.features.load()
        self.quotas.load()
        self.scram_credentials.load()
        for name in self.topics.load():
            self.remove(name)
        self.logs.sweep()
        self.leader_epoch.load()
        last_epoch = MAX_EPOCH if self.leader_epoch.value == UNKNOWN else self.leader_epoch.value
        logs: list[PartitionLog] = []
        for topic in self.topics:
            logs += self.logs.open(topic, trusted=self.data.clean, last_epoch=last_epoch)
        latest = max((log.epochs.latest for log in logs), default=-1)
        if logs and (not self.data.clean or latest > self.leader_epoch.value or any(log.shortened for log in logs)):
            self.leader_epoch.raise_above(latest)
        for log in logs:
            log.lead(self.leader_epoch.value)

    def close(self, *, sync: bool) -> None:
        """Closes the logs and marks the shutdown as clean."""
        self.reopening.close()
        self.logs.close(sync=sync)
        self.data.mark_clean()

    def fetch_room(self, asked: int) -> int:
        """Bytes of records that an answer to a fetch may have."""
        options = self.options
        return min(asked, options.fetch_max_bytes, max(0, options.queued_max_response_bytes - self.unsent))

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
                self.open_logs(topic)
        except OSError as error:
            if not validate_only and name in self.topics.by_name:  # its logs could not be made: nothing of it stays
                with suppress(OSError):
                    self.topics.discard(name)
                    self.logs.delete(name)
            raise self.storage_error(f"create topic {name}", error) from error
        return topic

    def open_logs(self, topic: Topic) -> None:
        """Makes the logs of partitions that are new. Raises OSError."""
        for log in self.logs.open(topic, trusted=True):
            log.lead(self.leader_epoch.value)

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
            topic = self.topics.add_partitions(name, total, validate_only=True)
            if not validate_only:
                self.open_logs(topic)
                topic = self.topics.add_partitions(name, total, validate_only=False)
        except OSError as error:
            known = self.topics.require(name).partitions
            with suppress(OSError):
                self.logs.delete(name, partitions=range(known, total))
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
