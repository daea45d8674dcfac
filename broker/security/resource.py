"""What ACLs protect. Source: `ResourceType` and `PatternType` of Apache Kafka's clients."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

CLUSTER_NAME: Final = "kafka-cluster"
"""The only name of the resource type CLUSTER."""
ANY_NAME: Final = "*"
"""As the name of a literal pattern: every resource of the type. As an ACL's host: every host."""


class ResourceType(IntEnum):
    """Code as it stands on the wire. ANY is for filters only."""

    ANY = 1
    TOPIC = 2
    GROUP = 3
    CLUSTER = 4
    TRANSACTIONAL_ID = 5
    DELEGATION_TOKEN = 6
    USER = 7


class PatternType(IntEnum):
    """How an ACL names resources. ANY and MATCH are for filters only."""

    ANY = 1
    MATCH = 2
    """Every pattern that a resource of the filter's name falls under."""
    LITERAL = 3
    PREFIXED = 4
