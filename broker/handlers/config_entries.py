"""Configs as DescribeConfigs and CreateTopics show them: value, source, type, synonyms.

A topic's value comes from its own override (source DYNAMIC_TOPIC), else from what was set for this broker while it
runs (DYNAMIC_BROKER) or for all brokers (DYNAMIC_DEFAULT_BROKER), else from what the broker was started with
(STATIC_BROKER), else it is Kafka's default (DEFAULT_CONFIG). A broker's own value likewise.

Source: `ConfigEntry.ConfigSource` and `ConfigType` of Kafka's admin client.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from broker.configs.definitions import BROKER_DEFINITIONS, DYNAMIC, TOPIC_DEFAULTS, UNSEEN, definition_of, row
from broker.consumer_groups.settings import ASSIGNORS
from broker.handlers.security_entries import security_entries
from broker.security.authorizer import KAFKA_CLASS
from broker.topics.definitions import DEFINITIONS, ConfigDefinition, ConfigType

if TYPE_CHECKING:
    from broker.configs.broker_configs import BrokerConfigs
    from broker.state import BrokerState
    from broker.topics.topic import Topic

DYNAMIC_TOPIC, DYNAMIC_BROKER, DYNAMIC_DEFAULT_BROKER, STATIC_BROKER, DEFAULT_CONFIG = 1, 2, 3, 4, 5
DYNAMIC_BROKER_LOGGER, DYNAMIC_CLIENT_METRICS, DYNAMIC_GROUP = 6, 7, 8
"""Codes of config sources."""
Value: TypeAlias = tuple[str, str, int]
"""Name, value and source."""
UNSET: Final = (None, DEFAULT_CONFIG)
TYPES = {"boolean": 1, "string": 2, "int": 3, "short": 4, "long": 5, "double": 6, "list": 7, "password": 9}
"""Codes of config types."""


def topic_entries(topic: Topic, configs: BrokerConfigs) -> list[dict[str, Any]]:
    """All configs of a topic in order of name."""
    return [topic_entry(DEFINITIONS[name], topic.configs.get(name), configs) for name in sorted(DEFINITIONS)]


def topic_entry(definition: ConfigDefinition, override: str | None, configs: BrokerConfigs) -> dict[str, Any]:
    values = [(definition.name, override, DYNAMIC_TOPIC)] if override is not None else []
    values += broker_values(definition, configs)
    return entry(definition, definition.name, values, otherwise=(definition.default, DEFAULT_CONFIG))


def broker_values(definition: ConfigDefinition, configs: BrokerConfigs) -> list[Value]:
    """The values of a topic's default, the one that counts first."""
    name = definition.broker_name
    values: list[Value] = [
        (name, from_[name], source)
        for from_, source in ((configs.of_node, DYNAMIC_BROKER), (configs.cluster_wide, DYNAMIC_DEFAULT_BROKER))
        if name in from_
    ]
    given = configs.given.get(definition.name)
    if given is not None:
        values.append((name, given, STATIC_BROKER))
    if definition.broker_default:
        values.append((name, definition.default, DEFAULT_CONFIG))
    return values


def cluster_entries(configs: BrokerConfigs) -> list[dict[str, Any]]:
    """What is set for all brokers."""
    entries: list[dict[str, Any]] = []
    for name, value in sorted(configs.cluster_wide.items()):
        definition = definition_of(name)
        if definition is not None:
            entries.append(entry(definition, name, [(name, value, DYNAMIC_DEFAULT_BROKER)]))
    return entries


def entry(
    definition: ConfigDefinition, name: str, values: list[Value], *, otherwise: tuple[str | None, int] = UNSET
) -> dict[str, Any]:
    """One config of a resource. `values`: all there are, the one that counts first, told as synonyms; `otherwise`:
    value and source where there are none."""
    value, source = values[0][1:] if values else otherwise
    return {
        "name": name,
        "value": value,
        "read_only": False,
        "config_source": source,
        "is_sensitive": False,
        "synonyms": [{"name": named, "value": one, "source": code} for named, one, code in values],
        "config_type": TYPES[definition.type],
        "documentation": definition.doc,
    }


def broker_entries(broker: BrokerState) -> list[dict[str, Any]]:
    """The broker's settings under Kafka's names, in order of name."""
    options, groups, consumer = broker.options, broker.groups.settings, broker.groups.configs.settings
    given: dict[str, tuple[str, str]] = {
        "allow.everyone.if.no.acl.found": ("boolean", "true" if options.allow_everyone_if_no_acl_found else "false"),
        "authorizer.class.name": ("string", KAFKA_CLASS if options.authorizer else ""),
        "auto.create.topics.enable": ("boolean", "true" if options.auto_create_topics else "false"),
        "broker.id": ("int", str(broker.node_id)),
        "connections.max.idle.ms": ("long", str(options.connections_max_idle_ms)),
        "default.replication.factor": ("int", "1"),
        "delete.topic.enable": ("boolean", "true"),
        "group.consumer.assignors": ("list", ",".join(ASSIGNORS)),
        "group.consumer.heartbeat.interval.ms": ("int", str(consumer.heartbeat_interval_ms)),
        "group.consumer.max.heartbeat.interval.ms": ("int", str(consumer.max_heartbeat_interval_ms)),
        "group.consumer.max.session.timeout.ms": ("int", str(consumer.max_session_timeout_ms)),
        "group.consumer.max.size": ("int", str(consumer.max_size)),
        "group.consumer.migration.policy": ("string", consumer.migration_policy),
        "group.consumer.min.heartbeat.interval.ms": ("int", str(consumer.min_heartbeat_interval_ms)),
        "group.consumer.min.session.timeout.ms": ("int", str(consumer.min_session_timeout_ms)),
        "group.consumer.session.timeout.ms": ("int", str(consumer.session_timeout_ms)),
        "group.coordinator.rebalance.protocols": ("list", "classic,consumer"),
        "fetch.max.bytes": ("int", str(options.fetch_max_bytes)),
        "group.initial.rebalance.delay.ms": ("int", str(groups.initial_rebalance_delay_ms)),
        "group.max.session.timeout.ms": ("int", str(groups.max_session_timeout_ms)),
        "group.max.size": ("int", str(groups.max_size)),
        "group.min.session.timeout.ms": ("int", str(groups.min_session_timeout_ms)),
        "log.cleaner.backoff.ms": ("long", str(options.cleaner_backoff_ms)),
        "log.cleaner.dedupe.buffer.size": ("long", str(options.cleaner_map_bytes)),
        "max.connections": ("int", str(options.max_connections)),
        "max.connections.per.ip": ("int", str(options.max_connections_per_ip)),
        "max.incremental.fetch.session.cache.slots": ("int", str(options.fetch_session_cache_slots)),
        "queued.max.request.bytes": ("long", str(options.queued_max_request_bytes)),
        "log.dirs": ("list", str(broker.data.logs.absolute())),
        "log.retention.check.interval.ms": ("long", str(options.retention_check_ms)),
        "node.id": ("int", str(broker.node_id)),
        "num.partitions": ("int", str(options.default_partitions)),
        "offset.metadata.max.bytes": ("int", str(groups.offset_metadata_max_bytes)),
        "offsets.retention.check.interval.ms": ("long", str(groups.offsets_retention_check_ms)),
        "offsets.retention.minutes": ("int", str(groups.offsets_retention_ms // 60_000)),
        "offsets.topic.num.partitions": ("int", str(groups.offsets_topic_partitions)),
        "offsets.topic.replication.factor": ("short", "1"),
        "process.roles": ("list", "broker,controller"),
        "producer.id.expiration.ms": ("int", str(options.producer_id_expiration_ms)),
        "socket.request.max.bytes": ("int", str(options.max_request_bytes)),
        "super.users": ("string", ";".join(options.super_users)),
        "transaction.max.timeout.ms": ("int", str(options.transaction_max_timeout_ms)),
        "transaction.state.log.num.partitions": ("int", str(broker.transactions.settings.topic_partitions)),
        "transaction.state.log.replication.factor": ("short", "1"),
        "transactional.id.expiration.ms": ("int", str(options.transactional_id_expiration_ms)),
    }
    secrets: list[str] = []
    for name, (kind, value) in security_entries(broker).items():
        if value is None:
            secrets.append(name)
        else:
            given[name] = (kind, value)
    configs = broker.configs
    entries = [secret_entry(name) for name in secrets]
    entries += [
        entry(definition, name, broker_values(definition, configs)) for name, definition in TOPIC_DEFAULTS.items()
    ]
    for name, definition in BROKER_DEFINITIONS.items():
        if name not in UNSEEN:
            kind, value = given.get(name, (definition.type, definition.default))
            entries.append(broker_entry(definition, kind, value, configs))
    for name in given.keys() - BROKER_DEFINITIONS.keys():
        kind, value = given[name]
        entries.append(broker_entry(row(name, cast(ConfigType, kind), "")[1], kind, value, configs))
    return sorted(entries, key=lambda entry: entry["name"])


def secret_entry(name: str) -> dict[str, Any]:
    """A setting that is there and is not told."""
    return {
        "name": name,
        "value": None,
        "read_only": True,
        "config_source": STATIC_BROKER,
        "is_sensitive": True,
        "synonyms": [{"name": name, "value": None, "source": STATIC_BROKER}],
        "config_type": TYPES["password"],
        "documentation": None,
    }


def broker_entry(definition: ConfigDefinition, kind: str, given: str, configs: BrokerConfigs) -> dict[str, Any]:
    """A config of the broker that is no topic's default; `given`: the value at the start."""
    name = definition.name
    values: list[Value] = [
        (name, from_[name], source)
        for from_, source in ((configs.of_node, DYNAMIC_BROKER), (configs.cluster_wide, DYNAMIC_DEFAULT_BROKER))
        if name in from_
    ]
    null = not definition.default and kind != "list"
    if given != definition.default:
        values.append((name, given, STATIC_BROKER))
    if not null:
        values.append((name, definition.default, DEFAULT_CONFIG))
    return entry(definition, name, values) | {"read_only": name not in DYNAMIC}
