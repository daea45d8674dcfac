"""What can be done to a resource, as ACLs name it.

Source: `AclOperation` of Apache Kafka's clients; what implies what is `StandardAuthorizerData`'s, what fits which
resource `AclEntry.supportedOperations`.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from enum import IntEnum
from types import MappingProxyType
from typing import Final

from broker.security.resource import ResourceType


class AclOperation(IntEnum):
    """Code as it stands on the wire. ANY is for filters only."""

    ANY = 1
    ALL = 2
    READ = 3
    WRITE = 4
    CREATE = 5
    DELETE = 6
    ALTER = 7
    DESCRIBE = 8
    CLUSTER_ACTION = 9
    DESCRIBE_CONFIGS = 10
    ALTER_CONFIGS = 11
    IDEMPOTENT_WRITE = 12
    CREATE_TOKENS = 13
    DESCRIBE_TOKENS = 14
    TWO_PHASE_COMMIT = 15


SUPPORTED: Final[Mapping[ResourceType, tuple[AclOperation, ...]]] = MappingProxyType(
    {
        ResourceType.TOPIC: (
            AclOperation.READ,
            AclOperation.WRITE,
            AclOperation.CREATE,
            AclOperation.DELETE,
            AclOperation.ALTER,
            AclOperation.DESCRIBE,
            AclOperation.DESCRIBE_CONFIGS,
            AclOperation.ALTER_CONFIGS,
        ),
        ResourceType.GROUP: (
            AclOperation.READ,
            AclOperation.DELETE,
            AclOperation.DESCRIBE,
            AclOperation.DESCRIBE_CONFIGS,
            AclOperation.ALTER_CONFIGS,
        ),
        ResourceType.CLUSTER: (
            AclOperation.CREATE,
            AclOperation.ALTER,
            AclOperation.DESCRIBE,
            AclOperation.CLUSTER_ACTION,
            AclOperation.DESCRIBE_CONFIGS,
            AclOperation.ALTER_CONFIGS,
            AclOperation.IDEMPOTENT_WRITE,
        ),
        ResourceType.TRANSACTIONAL_ID: (AclOperation.WRITE, AclOperation.DESCRIBE, AclOperation.TWO_PHASE_COMMIT),
        ResourceType.DELEGATION_TOKEN: (AclOperation.DESCRIBE,),
        ResourceType.USER: (AclOperation.CREATE_TOKENS, AclOperation.DESCRIBE_TOKENS),
    }
)
"""What "authorized operations" tells of."""

ALLOWED_BY: Final[Mapping[AclOperation, Set[AclOperation]]] = MappingProxyType(
    {
        operation: frozenset({operation, AclOperation.ALL})
        | {
            AclOperation.DESCRIBE: {AclOperation.READ, AclOperation.WRITE, AclOperation.DELETE, AclOperation.ALTER},
            AclOperation.DESCRIBE_CONFIGS: {AclOperation.ALTER_CONFIGS},
        }.get(operation, set[AclOperation]())
        for operation in AclOperation
        if operation is not AclOperation.ANY
    }
)
"""The operations of ALLOW entries that let an operation through. What is denied implies nothing: only the operation
itself, and ALL."""
