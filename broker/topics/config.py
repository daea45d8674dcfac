"""The effective configs of a topic, as types.

Source: `LogConfig` of Apache Kafka.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from broker.protocol.compression import Codec
from broker.topics.definitions import DEFINITIONS, InvalidConfigError, split_list

CODECS = {
    "uncompressed": Codec.NONE,
    "gzip": Codec.GZIP,
    "snappy": Codec.SNAPPY,
    "lz4": Codec.LZ4,
    "zstd": Codec.ZSTD,
}
"""Values of `compression.type`, but for `producer`."""
LEVELS = {
    Codec.GZIP: "compression.gzip.level",
    Codec.LZ4: "compression.lz4.level",
    Codec.ZSTD: "compression.zstd.level",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicConfig:
    """Effective values the log works with. Durations in ms, sizes in bytes, -1 = unlimited."""

    compacted: bool
    deleted: bool
    codec: Codec | None
    """What stored batches are compressed with (`compression.type`); None: what the producer chose."""
    compression_level: int | None
    """Of that codec; None: it has no levels."""
    delete_retention_ms: int
    index_interval_bytes: int
    max_compaction_lag_ms: int
    max_message_bytes: int
    min_cleanable_dirty_ratio: float
    min_compaction_lag_ms: int
    timestamp_after_max_ms: int
    timestamp_before_max_ms: int
    log_append_time: bool
    retention_bytes: int
    retention_ms: int
    segment_bytes: int
    segment_jitter_ms: int
    segment_ms: int
    """Of a compacted topic at most `max_compaction_lag_ms`: only what is rolled can be compacted."""
    least_segment_ms: int
    """With the jitter off."""

    checks_contents: bool
    """Whether every batch needs more than a look at its header."""

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
        compacted = "compact" in policy
        log_append_time = get("message.timestamp.type") == "LogAppendTime"
        codec = CODECS.get(get("compression.type"))
        level = None if codec is None else LEVELS.get(codec)
        segment_ms, jitter = int(get("segment.ms")), int(get("segment.jitter.ms"))
        min_lag, max_lag = int(get("min.compaction.lag.ms")), int(get("max.compaction.lag.ms"))
        if max_lag < min_lag:
            raise InvalidConfigError(
                f"max.compaction.lag.ms ({max_lag}) must not be less than min.compaction.lag.ms ({min_lag})"
            )
        if compacted:
            segment_ms = min(segment_ms, max_lag)
        return cls(
            checks_contents=compacted or log_append_time or codec is not None,
            compacted=compacted,
            deleted="delete" in policy,
            codec=codec,
            compression_level=None if level is None else int(get(level)),
            delete_retention_ms=int(get("delete.retention.ms")),
            index_interval_bytes=int(get("index.interval.bytes")),
            max_compaction_lag_ms=max_lag,
            max_message_bytes=int(get("max.message.bytes")),
            min_cleanable_dirty_ratio=float(get("min.cleanable.dirty.ratio")),
            min_compaction_lag_ms=min_lag,
            timestamp_after_max_ms=int(get("message.timestamp.after.max.ms")),
            timestamp_before_max_ms=int(get("message.timestamp.before.max.ms")),
            log_append_time=log_append_time,
            retention_bytes=int(get("retention.bytes")),
            retention_ms=int(get("retention.ms")),
            segment_bytes=int(get("segment.bytes")),
            segment_jitter_ms=jitter,
            segment_ms=segment_ms,
            least_segment_ms=segment_ms - min(jitter, segment_ms),
        )
