"""The effective configs of a topic, as types.

Source: `LogConfig` of Apache Kafka.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from broker.topics.definitions import DEFINITIONS, InvalidConfigError, split_list


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicConfig:
    """Effective values the log works with. Durations in ms, sizes in bytes, -1 = unlimited."""

    compacted: bool
    deleted: bool
    compression_type: str
    index_interval_bytes: int
    max_message_bytes: int
    timestamp_after_max_ms: int
    timestamp_before_max_ms: int
    log_append_time: bool
    retention_bytes: int
    retention_ms: int
    segment_bytes: int
    segment_ms: int

    @classmethod
    def parse(cls, configs: Mapping[str, str], defaults: Mapping[str, str] = MappingProxyType({})) -> TopicConfig:
        """From a topic's own configs, then the broker's defaults, then Kafka's. Raises InvalidConfigError."""
        for name, value in (*defaults.items(), *configs.items()):
            definition = DEFINITIONS.get(name)
            if definition is None:
                raise InvalidConfigError(f"Unknown topic config name: {name}")
            definition.check(value)

        def get(name: str) -> str:
            return configs.get(name) or defaults.get(name) or DEFINITIONS[name].default

        policy = split_list(get("cleanup.policy"))
        return cls(
            compacted="compact" in policy,
            deleted="delete" in policy,
            compression_type=get("compression.type"),
            index_interval_bytes=int(get("index.interval.bytes")),
            max_message_bytes=int(get("max.message.bytes")),
            timestamp_after_max_ms=int(get("message.timestamp.after.max.ms")),
            timestamp_before_max_ms=int(get("message.timestamp.before.max.ms")),
            log_append_time=get("message.timestamp.type") == "LogAppendTime",
            retention_bytes=int(get("retention.bytes")),
            retention_ms=int(get("retention.ms")),
            segment_bytes=int(get("segment.bytes")),
            segment_ms=int(get("segment.ms")),
        )
