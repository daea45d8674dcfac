"""What one case of `permission_cases.py` is, and the rights and lines that cases are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from kio.schema.errors import ErrorCode

from broker.protocol.api_keys import ApiKey
from broker.security.operation import AclOperation as Op
from broker.security.resource import CLUSTER_NAME, ResourceType
from tests.broker.log.partitions import batch
from tests.broker.security.guarded_broker import Right

SECOND = timedelta(seconds=1)
TOPIC, NEW_TOPIC, GROUP, TRANSACTION = "t", "new", "g", "x"
TOPIC_CODE = ErrorCode.topic_authorization_failed
CLUSTER_CODE = ErrorCode.cluster_authorization_failed


@dataclass(frozen=True, slots=True)
class Case:
    """`rights` are needed all together; the code that tells of a missing one is that of its resource type unless
    `codes` says otherwise. `values` hold the fields of all versions; TOPIC_ID in them stands for the topic's id."""

    key: ApiKey
    rights: tuple[Right, ...]
    values: Mapping[str, Any]
    codes: Mapping[Right, ErrorCode] = field(default_factory=dict[Right, ErrorCode])
    versions: tuple[int, int] = (0, 99)
    note: str = ""

    def __str__(self) -> str:
        return f"{self.key.name}{self.note and '-' + self.note}"


TOPIC_ID = UUID(int=1)
"""Replaced by the id of topic t."""


def topic(operation: Op, name: str = TOPIC) -> Right:
    return Right(operation, ResourceType.TOPIC, name)


def group(operation: Op) -> Right:
    return Right(operation, ResourceType.GROUP, GROUP)


def cluster(operation: Op) -> Right:
    return Right(operation, ResourceType.CLUSTER, CLUSTER_NAME)


def transaction(operation: Op) -> Right:
    return Right(operation, ResourceType.TRANSACTIONAL_ID, TRANSACTION)


def named(**fields: Any) -> list[dict[str, Any]]:
    """One line about topic t, under whatever name an API's versions have for its name."""
    return [{"name": TOPIC, "topic": TOPIC, "topic_name": TOPIC, "topic_id": TOPIC_ID, **fields}]


def produce(*, transactional: bool) -> dict[str, Any]:
    records = bytes(batch("v", producer=(9, 0, 0) if transactional else None, transactional=transactional))
    return {
        "transactional_id": TRANSACTION if transactional else None,
        "acks": 1,
        "timeout": SECOND,
        "topic_data": named(partition_data=[{"index": 0, "records": records}]),
    }


def config(resource_type: int, name: str) -> dict[str, Any]:
    entry = {"name": "retention.ms", "value": "1", "config_operation": 0}
    return {
        "resources": [
            {"resource_type": resource_type, "resource_name": name, "configs": [entry], "configuration_keys": None}
        ],
        "validate_only": True,
    }


def configs(key: ApiKey, operation: Op) -> list[Case]:
    return [
        Case(key, (topic(operation),), config(2, TOPIC), note="topic"),
        Case(key, (cluster(operation),), config(4, "1"), note="broker"),
        Case(key, (cluster(operation),), config(4, ""), note="all-brokers"),
        Case(key, (cluster(operation),), config(8, "1"), note="loggers"),
        Case(key, (cluster(operation),), config(16, "some"), note="client-metrics"),
        Case(key, (group(operation),), config(32, GROUP), note="group"),
    ]
