"""Configs of client metrics subscriptions (KIP-714): kept and shown; nobody is asked for metrics here.

Source: `ClientMetricsConfigs` of Apache Kafka.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from kio.schema.errors import ErrorCode

from broker.topics.definitions import ConfigDefinition, InvalidConfigError, define, split_list
from broker.topics.errors import TopicError

INTERVAL, MATCH, METRICS = "interval.ms", "match", "metrics"
SHORTEST_MS, LONGEST_MS = 100, 3_600_000
MATCHED = frozenset(
    (
        *("client_instance_id", "client_id", "client_software_name", "client_software_version"),
        *("client_source_address", "client_source_port"),
    )
)

CLIENT_METRICS: Final[Mapping[str, ConfigDefinition]] = MappingProxyType(
    dict(
        (
            define(INTERVAL, "int", "300000", INTERVAL, "how often clients push their metrics"),
            define(MATCH, "list", "", MATCH, "which clients: NAME=PATTERN"),
            define(METRICS, "list", "", METRICS, "prefixes of the names of metrics; * for all"),
        )
    )
)


def check_subscription(configs: Mapping[str, str]) -> None:
    """Raises TopicError: INVALID_REQUEST for names and intervals, INVALID_CONFIG for a pattern."""
    for name, value in configs.items():
        if name not in CLIENT_METRICS:
            raise TopicError(ErrorCode.invalid_request, f"Unknown client metrics configuration: {name}")
        if name == INTERVAL:
            check_interval(value)
        elif name == MATCH:
            check_match(value)


def check_interval(value: str) -> None:
    try:
        CLIENT_METRICS[INTERVAL].check(value)
    except InvalidConfigError as error:
        raise TopicError(ErrorCode.invalid_request, str(error)) from error
    if not SHORTEST_MS <= int(value) <= LONGEST_MS:
        raise TopicError(
            ErrorCode.invalid_request,
            f"Invalid value {value} for {INTERVAL}, interval must be between {SHORTEST_MS} and {LONGEST_MS} (1 hour)",
        )


def check_match(value: str) -> None:
    for item in split_list(value):
        name, found, pattern = item.partition("=")
        try:
            re.compile(pattern.strip())
        except re.error:
            found = ""
        if not found or name.strip() not in MATCHED:
            raise TopicError(ErrorCode.invalid_config, f"Illegal client matching pattern: {item}")
