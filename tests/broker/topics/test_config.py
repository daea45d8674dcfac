"""Topic configs and their validation."""

from __future__ import annotations

import pytest

from broker.topics.config import TopicConfig
from broker.topics.definitions import DEFINITIONS, InvalidConfigError


def test_defaults_are_valid_and_are_kafkas() -> None:
    for definition in DEFINITIONS.values():
        definition.check(definition.default)
    config = TopicConfig.parse({})
    assert (config.retention_ms, config.segment_bytes, config.max_message_bytes) == (604_800_000, 1 << 30, 1_048_588)
    assert (config.deleted, config.compacted) == (True, False)


def test_topic_overrides_win_over_the_brokers_defaults() -> None:
    config = TopicConfig.parse({"retention.ms": "5"}, {"retention.ms": "7", "segment.bytes": "100"})
    assert (config.retention_ms, config.segment_bytes) == (5, 100)


def test_cleanup_policy_may_name_both() -> None:
    config = TopicConfig.parse({"cleanup.policy": "compact, delete"})
    assert config.compacted
    assert config.deleted


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("no.such", "1", "Unknown topic config name: no.such"),
        ("retention.ms", "soon", "Not a number of type LONG"),
        ("retention.ms", "-2", "at least -1"),
        ("max.message.bytes", str(2**31), "no more than"),
        ("cleanup.policy", "shrink", "must be one of"),
        ("message.timestamp.type", "Both", "must be one of"),
        ("preallocate", "yes", "true or false"),
        ("min.cleanable.dirty.ratio", "1.5", "no more than 1"),
    ],
)
def test_invalid_config_is_refused_and_named(name: str, value: str, message: str) -> None:
    with pytest.raises(InvalidConfigError, match=message):
        TopicConfig.parse({name: value})
