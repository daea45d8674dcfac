"""What those are told who may not: error code and message by the kind of resource."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from kio.schema.errors import ErrorCode

from broker.security.resource import ResourceType

CODES: Final[Mapping[ResourceType, ErrorCode]] = MappingProxyType(
    {
        ResourceType.TOPIC: ErrorCode.topic_authorization_failed,
        ResourceType.GROUP: ErrorCode.group_authorization_failed,
        ResourceType.CLUSTER: ErrorCode.cluster_authorization_failed,
        ResourceType.TRANSACTIONAL_ID: ErrorCode.transactional_id_authorization_failed,
    }
)
MESSAGES: Final[Mapping[ErrorCode, str]] = MappingProxyType(
    {
        ErrorCode.topic_authorization_failed: "Topic authorization failed.",
        ErrorCode.group_authorization_failed: "Group authorization failed.",
        ErrorCode.cluster_authorization_failed: "Cluster authorization failed.",
        ErrorCode.transactional_id_authorization_failed: "Transactional Id authorization failed.",
    }
)
"""Kafka's words: whoever reads them may not know more."""
