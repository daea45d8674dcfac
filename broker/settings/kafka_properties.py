"""Kafka's server properties: which of them are settings here, under other names or in other units, and which mean
nothing on one node.

Source: `KafkaConfig` and its kin in Apache Kafka 4.2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from functools import cache
from types import MappingProxyType
from typing import Final

from broker.settings.security_properties import LOCATIONS
from broker.settings.setting import settings
from broker.topics.definitions import DEFINITIONS

IGNORED: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "there is one node": (
            *("process.roles", "broker.id", "broker.id.*", "broker.rack", "reserved.broker.max.id"),
            *("controller.*", "metadata.*", "zookeeper.*", "inter.broker.*", "initial.broker.*", "early.start.*"),
            *("broker.heartbeat.*", "broker.session.*", "controlled.shutdown.*", "leader.*", "auto.leader.*"),
            *("replica.*", "num.replica.*", "replication.*", "follower.*", "default.replication.factor"),
            *("*.replication.factor", "*.min.isr", "unstable.*", "security.inter.broker.protocol"),
            *("sasl.mechanism.inter.broker.protocol", "sasl.mechanism.controller.protocol", "sasl.login.*"),
            *("ssl.endpoint.identification.algorithm",),
        ),
        "one process with one event loop serves all": (
            *("num.network.threads", "num.io.threads", "background.threads", "num.recovery.threads.per.data.dir"),
            *("queued.max.*", "log.cleaner.threads", "log.cleaner.io.*", "socket.send.buffer.bytes"),
            *("socket.receive.buffer.bytes", "socket.listen.backlog.size", "*.purgatory.purge.interval.requests"),
            *("log.cleaner.enable", "group.coordinator.*", "transaction.partition.verification.enable"),
        ),
        "it is about the Java process": ("metric.*", "metrics.*", "kafka.metrics.*", "auto.include.jmx.reporter"),
        "there is no tiered storage": ("remote.log.*", "remote.*", "log.local.*"),
        "there are no quotas": ("quota.*", "client.quota.*", "*.quota.window.*", "alter.config.policy.class.name"),
        "the broker's own topics look after themselves": (
            *("offsets.topic.*", "offsets.commit.*", "offsets.load.*", "transaction.state.log.*"),
            *("share.coordinator.*", "group.share.*", "group.streams.*", "telemetry.*", "delegation.token.*"),
        ),
        "it is as the broker has it anyway": (
            *("delete.topic.enable", "log.message.format.version", "log.message.downconversion.enable"),
            *("log.flush.*", "log.dir.failure.timeout.ms", "log.deletion.*", "log.initial.task.delay.ms"),
            *("sasl.oauthbearer.jwks.endpoint.retry.*", "sasl.server.max.receive.size"),
        ),
    }
)
"""Patterns of the names that are accepted and do nothing, by the reason why. Nothing that says whom clients may trust
or who they are is among them: a setting that somebody relies on must not be dropped in silence."""

HOUR_MS, MINUTE_MS = 3_600_000, 60_000
UNITS: Final[Mapping[str, tuple[str, int]]] = MappingProxyType(
    {
        "log.retention.hours": ("retention.ms", HOUR_MS),
        "log.retention.minutes": ("retention.ms", MINUTE_MS),
        "log.roll.hours": ("segment.ms", HOUR_MS),
        "log.roll.jitter.hours": ("segment.jitter.ms", HOUR_MS),
    }
)
"""Topic defaults in coarser units, and the ms in one. Where the finer one is set in the same place, that counts."""


def directory(value: str) -> dict[str, object]:
    if "," in value:
        raise ValueError("expected one directory")
    return {"data": value}


OTHERWISE: Final[Mapping[str, Callable[[str], dict[str, object]]]] = MappingProxyType(
    {"log.dirs": directory, "log.dir": directory}
)
"""Properties whose values are put otherwise here; a setting of the same Kafka name goes before. Those of security stand
in `broker.settings.security_properties`."""
PATHS: Final = (*OTHERWISE, *LOCATIONS)
"""Those that are paths."""


@cache
def settings_by_kafka_name() -> Mapping[str, str]:
    return {setting.kafka_name: setting.name for setting in settings().values() if setting.kafka_name}


@cache
def topic_configs_by_broker_name() -> Mapping[str, str]:
    """The topic config whose default a broker property gives, such as `retention.ms` for `log.retention.ms`."""
    return {definition.broker_name: name for name, definition in DEFINITIONS.items()}


def why_ignored(name: str) -> str | None:
    """Why a property does nothing here; None: it is none of those."""
    return next(
        (why for why, patterns in IGNORED.items() if any(fnmatchcase(name, pattern) for pattern in patterns)), None
    )
