"""Configs as DescribeConfigs and CreateTopics show them: value, source, type, synonyms.

A topic's value comes from its own override (source DYNAMIC_TOPIC), else from what the broker was started with
(STATIC_BROKER), else it is Kafka's default (DEFAULT_CONFIG). The broker's settings cannot be changed while it runs.

Source: `ConfigEntry.ConfigSource` and `ConfigType` of Kafka's admin client.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from broker.topics.definitions import DEFINITIONS, ConfigDefinition

if TYPE_CHECKING:
    from broker.state import BrokerState
    from broker.topics.topic import Topic

TOPIC, BROKER = 2, 4
"""Codes of Kafka's ConfigResource types."""
DYNAMIC_TOPIC, STATIC_BROKER, DEFAULT_CONFIG = 1, 4, 5
"""Codes of config sources."""
TYPES = {"boolean": 1, "string": 2, "int": 3, "short": 4, "long": 5, "double": 6, "list": 7}
"""Codes of config types."""

AUTHORIZER = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
"""What Kafka calls an authorizer that does what this one does."""


def topic_entries(topic: Topic, defaults: Mapping[str, str]) -> list[dict[str, Any]]:
    """All configs of a topic in order of name; `defaults` are those that the broker was started with."""
    return [topic_entry(DEFINITIONS[name], topic.configs.get(name), defaults.get(name)) for name in sorted(DEFINITIONS)]


def topic_entry(definition: ConfigDefinition, override: str | None, given: str | None) -> dict[str, Any]:
    synonyms: list[dict[str, Any]] = []
    if override is not None:
        synonyms.append({"name": definition.name, "value": override, "source": DYNAMIC_TOPIC})
    if given is not None:
        synonyms.append({"name": definition.broker_name, "value": given, "source": STATIC_BROKER})
    synonyms.append({"name": definition.broker_name, "value": definition.default, "source": DEFAULT_CONFIG})
    return {
        "name": definition.name,
        "value": synonyms[0]["value"],
        "read_only": False,
        "config_source": synonyms[0]["source"],
        "is_sensitive": False,
        "synonyms": synonyms,
        "config_type": TYPES[definition.type],
        "documentation": definition.doc,
    }


def broker_entries(broker: BrokerState) -> list[dict[str, Any]]:
    """The broker's settings under Kafka's names, in order of name."""
    options, groups = broker.options, broker.groups.settings
    listener = f"PLAINTEXT://{broker.advertised_host}:{broker.advertised_port}"
    given: dict[str, tuple[str, str]] = {
        "advertised.listeners": ("string", listener),
        "allow.everyone.if.no.acl.found": ("boolean", "true" if options.allow_everyone_if_no_acl_found else "false"),
        "authorizer.class.name": ("string", AUTHORIZER if options.authorizer else ""),
        "auto.create.topics.enable": ("boolean", "true" if options.auto_create_topics else "false"),
        "broker.id": ("int", str(broker.node_id)),
        "default.replication.factor": ("int", "1"),
        "delete.topic.enable": ("boolean", "true"),
        "group.initial.rebalance.delay.ms": ("int", str(groups.initial_rebalance_delay_ms)),
        "group.max.session.timeout.ms": ("int", str(groups.max_session_timeout_ms)),
        "group.max.size": ("int", str(groups.max_size)),
        "group.min.session.timeout.ms": ("int", str(groups.min_session_timeout_ms)),
        "log.cleaner.backoff.ms": ("long", str(options.cleaner_backoff_ms)),
        "log.cleaner.dedupe.buffer.size": ("long", str(options.cleaner_map_bytes)),
        "log.retention.check.interval.ms": ("long", str(options.retention_check_ms)),
        "listeners": ("string", listener),
        "node.id": ("int", str(broker.node_id)),
        "num.partitions": ("int", str(options.default_partitions)),
        "offset.metadata.max.bytes": ("int", str(groups.offset_metadata_max_bytes)),
        "offsets.retention.check.interval.ms": ("long", str(groups.offsets_retention_check_ms)),
        "offsets.retention.minutes": ("int", str(groups.offsets_retention_ms // 60_000)),
        "offsets.topic.num.partitions": ("int", str(groups.offsets_topic_partitions)),
        "offsets.topic.replication.factor": ("short", "1"),
        "process.roles": ("list", "broker,controller"),
        "super.users": ("string", ";".join(options.super_users)),
    }
    entries = [broker_entry(name, value, kind, STATIC_BROKER) for name, (kind, value) in given.items()]
    for name, definition in DEFINITIONS.items():
        value = options.topic_defaults.get(name)
        source = DEFAULT_CONFIG if value is None else STATIC_BROKER
        shown = definition.default if value is None else value
        entries.append(broker_entry(definition.broker_name, shown, definition.type, source))
    return sorted(entries, key=lambda entry: entry["name"])


def broker_entry(name: str, value: str, kind: str, source: int) -> dict[str, Any]:
    return {
        "name": name,
        "value": value,
        "read_only": True,
        "config_source": source,
        "is_sensitive": False,
        "synonyms": [{"name": name, "value": value, "source": source}],
        "config_type": TYPES[kind],
        "documentation": None,
    }
