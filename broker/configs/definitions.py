"""The broker's own configs as tools know them: what there is, Kafka's defaults, what can change while it runs.

Only those that are not the default of a topic config (those are in `broker.topics.definitions`). What does nothing here
is told with Kafka's default, so that tools find what they look for, and says so in its documentation.

Source: `KafkaConfig`, `DynamicBrokerConfig` of Apache Kafka.
"""
# ruff: noqa: E501  (a table is read across)

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from broker.topics.definitions import DEFINITIONS, ConfigDefinition, ConfigType, define

IGNORED = "without effect on this broker"
REPLICATION = "without effect: one node does not replicate"
THREADS = "without effect: requests are served by one event loop"
MANY = "2147483647"


def row(
    name: str, type: ConfigType, default: str, doc: str = IGNORED, *, low: float = 0, choices: tuple[str, ...] = ()
) -> tuple[str, ConfigDefinition]:
    return define(name, type, default, name, doc, low=low, choices=choices)


# fmt: off
BROKER_DEFINITIONS: Final[Mapping[str, ConfigDefinition]] = MappingProxyType(dict([
    row("advertised.listeners", "list", "", "what clients are told to connect to"),
    row("auto.create.topics.enable", "boolean", "true", "whether a topic is made when it is first asked for"),
    row("auto.leader.rebalance.enable", "boolean", "true", REPLICATION),
    row("background.threads", "int", "10", THREADS, low=1),
    row("broker.id", "int", "", "this node"),
    row("broker.rack", "string", ""),
    row("connections.max.idle.ms", "long", "600000", "how long a connection may be silent", low=-1),
    row("controller.listener.names", "list", ""),
    row("controller.socket.timeout.ms", "int", "30000"),
    row("default.replication.factor", "int", "1", "one: whatever factor is asked for"),
    row("delete.topic.enable", "boolean", "true", "topics can be deleted"),
    row("fetch.max.bytes", "int", "57671680", "no answer to a fetch is longer, but for a first batch that is", low=1024),
    row("follower.replication.throttled.rate", "long", "", REPLICATION),
    row("group.coordinator.append.linger.ms", "int", "-1", IGNORED, low=-1),
    row("group.coordinator.cached.buffer.max.bytes", "int", "1048588"),
    row("group.coordinator.threads", "int", "4", THREADS, low=1),
    row("group.initial.rebalance.delay.ms", "int", "3000", "how long a new group waits for more members"),
    row("group.max.session.timeout.ms", "int", "1800000", "longest session timeout a member may ask for"),
    row("group.max.size", "int", MANY, "most members of a classic group", low=1),
    row("group.min.session.timeout.ms", "int", "6000", "shortest session timeout a member may ask for"),
    row("inter.broker.listener.name", "string", ""),
    row("leader.replication.throttled.rate", "long", "", REPLICATION),
    row("listeners", "list", "", "what the broker listens on"),
    row("log.cleaner.backoff.ms", "long", "15000", "how often compacted topics are looked through for what is due"),
    row("log.cleaner.dedupe.buffer.size", "long", "134217728", "memory for the keys of one compaction pass, in bytes", low=1024),
    row("log.cleaner.enable", "boolean", "true", "compacted topics are compacted"),
    row("log.cleaner.io.buffer.load.factor", "double", "0.9"),
    row("log.cleaner.io.buffer.size", "int", "524288"),
    row("log.cleaner.io.max.bytes.per.second", "double", "1.7976931348623157E308"),
    row("log.cleaner.threads", "int", "1", "without effect: there is one cleaner"),
    row("log.dir", "list", "", "where records are kept"),
    row("log.dirs", "list", "", "where records are kept"),
    row("log.flush.offset.checkpoint.interval.ms", "int", "60000"),
    row("log.flush.scheduler.interval.ms", "long", "9223372036854775807"),
    row("log.flush.start.offset.checkpoint.interval.ms", "int", "60000"),
    row("log.retention.check.interval.ms", "long", "300000", "how often retention is applied", low=1),
    row("log.retention.hours", "int", "168", "see log.retention.ms", low=-1),
    row("log.retention.minutes", "int", "", "see log.retention.ms", low=-1),
    row("log.roll.hours", "int", "168", "see log.roll.ms", low=1),
    row("log.roll.jitter.hours", "int", "0"),
    row("max.connection.creation.rate", "int", MANY),
    row("max.connections", "int", MANY, "one more is closed at once"),
    row("max.connections.per.ip", "int", MANY, "one more of an address is closed at once"),
    row("max.connections.per.ip.overrides", "string", ""),
    row("max.incremental.fetch.session.cache.slots", "int", "1000", "how many fetch sessions there are at most"),
    row("max.request.partition.size.limit", "int", "2000", IGNORED, low=1),
    row("node.id", "int", "", "this node"),
    row("num.io.threads", "int", "8", THREADS, low=1),
    row("num.network.threads", "int", "3", THREADS, low=1),
    row("num.partitions", "int", "1", "partitions of topics created without a count", low=1),
    row("num.recovery.threads.per.data.dir", "int", "2", THREADS, low=1),
    row("num.replica.fetchers", "int", "1", REPLICATION),
    row("offset.metadata.max.bytes", "int", "4096", "longest metadata of a committed offset"),
    row("offsets.commit.timeout.ms", "int", "5000", IGNORED, low=1),
    row("offsets.retention.check.interval.ms", "long", "600000", "how often expired offsets are looked for", low=1),
    row("offsets.retention.minutes", "int", "10080", "how long offsets of an empty group are kept", low=1),
    row("offsets.topic.num.partitions", "int", "50", "partitions of __consumer_offsets", low=1),
    row("offsets.topic.replication.factor", "short", "3", REPLICATION, low=1),
    row("offsets.topic.segment.bytes", "int", "104857600", IGNORED, low=1),
    row("process.roles", "list", "", "one process is everything"),
    row("producer.id.expiration.ms", "int", "86400000", "how long a silent producer is remembered", low=1),
    row("queued.max.request.bytes", "long", "-1", "memory for requests above 4 MiB of all connections together", low=-1),
    row("queued.max.requests", "int", "500", IGNORED, low=1),
    row("replica.alter.log.dirs.io.max.bytes.per.second", "long", "", REPLICATION),
    row("replica.fetch.max.bytes", "int", "1048576", REPLICATION),
    row("replica.fetch.min.bytes", "int", "1", REPLICATION),
    row("replica.fetch.wait.max.ms", "int", "500", REPLICATION),
    row("replica.lag.time.max.ms", "long", "30000", REPLICATION),
    row("request.timeout.ms", "int", "30000"),
    row("socket.listen.backlog.size", "int", "50", IGNORED, low=1),
    row("socket.receive.buffer.bytes", "int", "102400", IGNORED, low=-1),
    row("socket.request.max.bytes", "int", "104857600", "a connection that announces a longer request is closed", low=1),
    row("socket.send.buffer.bytes", "int", "102400", IGNORED, low=-1),
    row("transaction.abort.timed.out.transaction.cleanup.interval.ms", "int", "10000", "without effect: transactions are aborted when their time is over", low=1),
    row("transaction.max.timeout.ms", "int", "900000", "longest transaction timeout a producer may ask for", low=1),
    row("transaction.partition.verification.enable", "boolean", "true", "without effect: writes are always verified"),
    row("transaction.remove.expired.transaction.cleanup.interval.ms", "int", "3600000", "how often unused transactional ids are looked for", low=1),
    row("transaction.state.log.min.isr", "int", "2", REPLICATION, low=1),
    row("transaction.state.log.num.partitions", "int", "50", "partitions of __transaction_state", low=1),
    row("transaction.state.log.replication.factor", "short", "3", REPLICATION, low=1),
    row("transaction.state.log.segment.bytes", "int", "104857600", IGNORED, low=1),
    row("transactional.id.expiration.ms", "int", "604800000", "how long an unused transactional id is remembered", low=1),
]))
# fmt: on
"""By name. An empty default of anything but a list is null."""

UNSEEN: Final = frozenset(
    (
        "follower.replication.throttled.rate",
        "leader.replication.throttled.rate",
        "replica.alter.log.dirs.io.max.bytes.per.second",
    )
)
"""Kafka's reassignment tool sets and removes these; they are never shown."""

TOPIC_DEFAULTS: Final[Mapping[str, ConfigDefinition]] = MappingProxyType(
    {
        definition.broker_name: definition
        for definition in DEFINITIONS.values()
        if not definition.broker_name.startswith("remote.")
        and not definition.broker_name.endswith("throttled.replicas")
    }
)
"""By the broker's name: configs whose value counts for topics without their own. All can change while it runs."""

DYNAMIC: Final = (
    frozenset(
        (
            "background.threads",
            "group.coordinator.cached.buffer.max.bytes",
            "log.cleaner.backoff.ms",
            "log.cleaner.dedupe.buffer.size",
            "log.cleaner.io.buffer.load.factor",
            "log.cleaner.io.buffer.size",
            "log.cleaner.io.max.bytes.per.second",
            "log.cleaner.threads",
            "max.connection.creation.rate",
            "max.connections",
            "max.connections.per.ip",
            "max.connections.per.ip.overrides",
            "num.io.threads",
            "num.network.threads",
            "num.recovery.threads.per.data.dir",
            "num.replica.fetchers",
            "producer.id.expiration.ms",
            "transaction.partition.verification.enable",
        )
    )
    | UNSEEN
    | TOPIC_DEFAULTS.keys()
)
"""Names that can be set while the broker runs, for this node or for the cluster."""


def definition_of(name: str) -> ConfigDefinition | None:
    """The broker's config of that name."""
    return TOPIC_DEFAULTS.get(name) or BROKER_DEFINITIONS.get(name)
