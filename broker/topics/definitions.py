"""Topic configs: what there is, the defaults, and which values are valid.

Source: `LogConfig` and `TopicConfig` of Apache Kafka.
"""
# ruff: noqa: E501  (a table is read across)

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

ConfigType = Literal["boolean", "double", "int", "list", "long", "short", "string"]

INT_MAX: Final = 2**31 - 1
LONG_MAX: Final = 2**63 - 1


class InvalidConfigError(Exception):
    """A config's name is unknown or its value is out of range; the message is fit for the client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigDefinition:
    """One topic config. `choices` for strings and lists, `low` and `high` (inclusive) for numbers."""

    name: str
    type: ConfigType
    default: str
    doc: str
    low: float = -LONG_MAX
    high: float = LONG_MAX
    choices: tuple[str, ...] = ()
    broker_name: str
    """The broker setting that gives the default, as DescribeConfigs names it in synonyms."""
    broker_default: bool = True
    """Whether Kafka gives that setting a value when nobody sets it, and not only the topic's config."""

    def check(self, value: str) -> None:
        """Raises InvalidConfigError if the value is not of the type or out of range."""
        where = f"Invalid value {value} for configuration {self.name}"
        match self.type:
            case "int" | "long" | "double" | "short":
                try:
                    number = float(value) if self.type == "double" else int(value)
                except ValueError:
                    raise InvalidConfigError(f"{where}: Not a number of type {self.type.upper()}") from None
                ceiling = INT_MAX if self.type == "int" else LONG_MAX
                if number < self.low:
                    raise InvalidConfigError(f"{where}: Value must be at least {self.low:g}")
                if number > min(self.high, ceiling):
                    raise InvalidConfigError(f"{where}: Value must be no more than {min(self.high, ceiling):g}")
            case "boolean":
                if value.lower() not in ("true", "false"):
                    raise InvalidConfigError(f"{where}: Expected value to be either true or false")
            case "list":
                for item in split_list(value):
                    if self.choices and item not in self.choices:
                        raise InvalidConfigError(f"{where}: String must be one of: {', '.join(self.choices)}")
            case "string":
                if self.choices and value not in self.choices:
                    raise InvalidConfigError(f"{where}: String must be one of: {', '.join(self.choices)}")


def split_list(value: str) -> list[str]:
    """The items of a list value; empty for an empty string."""
    return [item.strip() for item in value.split(",") if item.strip()]


def define(
    name: str,
    type: ConfigType,
    default: str,
    broker_name: str,
    doc: str,
    *,
    low: float = -LONG_MAX,
    high: float = LONG_MAX,
    choices: tuple[str, ...] = (),
    broker_default: bool = True,
) -> tuple[str, ConfigDefinition]:
    definition = ConfigDefinition(
        name=name,
        type=type,
        default=default,
        broker_name=broker_name,
        doc=doc,
        low=low,
        high=high,
        choices=choices,
        broker_default=broker_default,
    )
    return name, definition


# fmt: off
DEFINITIONS: Final[Mapping[str, ConfigDefinition]] = MappingProxyType(dict([
    define("cleanup.policy", "list", "delete", "log.cleanup.policy", "delete old segments, compact by key, or both", choices=("compact", "delete")),
    define("compression.type", "string", "producer", "compression.type", "codec of stored batches; producer: as they came", choices=("uncompressed", "zstd", "lz4", "snappy", "gzip", "producer")),
    define("compression.gzip.level", "int", "-1", "compression.gzip.level", "level of gzip", low=-1, high=9),
    define("compression.lz4.level", "int", "9", "compression.lz4.level", "level of lz4", low=1, high=17),
    define("compression.zstd.level", "int", "3", "compression.zstd.level", "level of zstd", low=-131072, high=22),
    define("delete.retention.ms", "long", "86400000", "log.cleaner.delete.retention.ms", "how long tombstones of a compacted topic stay", low=0),
    define("file.delete.delay.ms", "long", "60000", "log.segment.delete.delay.ms", "wait before a file is removed", low=0),
    define("flush.messages", "long", "9223372036854775807", "log.flush.interval.messages", "fsync after that many records", low=1),
    define("flush.ms", "long", "9223372036854775807", "log.flush.interval.ms", "fsync after that time", low=0, broker_default=False),
    define("follower.replication.throttled.replicas", "list", "", "follower.replication.throttled.replicas", "accepted and ignored: one node does not replicate", broker_default=False),
    define("index.interval.bytes", "int", "4096", "log.index.interval.bytes", "distance of index entries", low=0),
    define("leader.replication.throttled.replicas", "list", "", "leader.replication.throttled.replicas", "accepted and ignored: one node does not replicate", broker_default=False),
    define("local.retention.bytes", "long", "-2", "log.local.retention.bytes", "tiered storage; accepted and ignored", low=-2),
    define("local.retention.ms", "long", "-2", "log.local.retention.ms", "tiered storage; accepted and ignored", low=-2),
    define("max.compaction.lag.ms", "long", "9223372036854775807", "log.cleaner.max.compaction.lag.ms", "compact at the latest after", low=1),
    define("max.message.bytes", "int", "1048588", "message.max.bytes", "largest batch, header included", low=0),
    define("message.timestamp.after.max.ms", "long", "3600000", "log.message.timestamp.after.max.ms", "how far a timestamp may lie ahead of the clock", low=0),
    define("message.timestamp.before.max.ms", "long", "9223372036854775807", "log.message.timestamp.before.max.ms", "how far a timestamp may lie behind the clock", low=0),
    define("message.timestamp.type", "string", "CreateTime", "log.message.timestamp.type", "whose time records carry", choices=("CreateTime", "LogAppendTime")),
    define("min.cleanable.dirty.ratio", "double", "0.5", "log.cleaner.min.cleanable.ratio", "compact when that part is dirty", low=0, high=1),
    define("min.compaction.lag.ms", "long", "0", "log.cleaner.min.compaction.lag.ms", "records younger than that are not compacted", low=0),
    define("min.insync.replicas", "int", "1", "min.insync.replicas", "accepted: there is always one", low=1),
    define("preallocate", "boolean", "false", "log.preallocate", "accepted and ignored"),
    define("remote.log.copy.disable", "boolean", "false", "remote.log.copy.disable", "tiered storage; accepted and ignored", broker_default=False),
    define("remote.log.delete.on.disable", "boolean", "false", "remote.log.delete.on.disable", "tiered storage; accepted and ignored", broker_default=False),
    define("remote.storage.enable", "boolean", "false", "remote.storage.enable", "tiered storage; accepted and ignored", broker_default=False),
    define("retention.bytes", "long", "-1", "log.retention.bytes", "size of a partition beyond which old segments go; -1: none", low=-1),
    define("retention.ms", "long", "604800000", "log.retention.ms", "age beyond which segments go; -1: never", low=-1, broker_default=False),
    define("segment.bytes", "int", "1073741824", "log.segment.bytes", "size of a segment", low=14),
    define("segment.index.bytes", "int", "10485760", "log.index.size.max.bytes", "size of an index", low=4),
    define("segment.jitter.ms", "long", "0", "log.roll.jitter.ms", "up to how much sooner a segment ends, a part that differs from segment to segment", low=0, broker_default=False),
    define("segment.ms", "long", "604800000", "log.roll.ms", "time span of a segment", low=1, broker_default=False),
    define("unclean.leader.election.enable", "boolean", "false", "unclean.leader.election.enable", "accepted and ignored: there is one leader"),
]))
# fmt: on
"""All topic configs by name, in order of name."""
