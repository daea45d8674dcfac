"""What who asks may do with a resource, as a bit field (KIP-430): bits by the codes of `AclOperation`."""

from __future__ import annotations

from typing import Final

from broker.security.operation import SUPPORTED, AclOperation
from broker.security.resource import CLUSTER_NAME, ResourceType
from broker.server.context import RequestContext

NOT_ASKED: Final = -(2**31)


def authorized_operations(ctx: RequestContext, resource_type: ResourceType, name: str) -> int:
    return sum(
        1 << operation
        for operation in SUPPORTED[resource_type]
        if ctx.may(operation, resource_type, name, audited=False)
    )


def cluster_operations(ctx: RequestContext) -> int:
    """0 for those who may not describe the cluster, whatever else they may."""
    if not ctx.may(AclOperation.DESCRIBE, ResourceType.CLUSTER, CLUSTER_NAME):
        return 0
    return authorized_operations(ctx, ResourceType.CLUSTER, CLUSTER_NAME)
