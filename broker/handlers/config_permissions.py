"""Who may see and change configs: those of a topic or group by its own ACLs, all others by the cluster's."""

from __future__ import annotations

from kio.schema.errors import ErrorCode

from broker.handlers.config_entries import TOPIC
from broker.security.operation import AclOperation
from broker.security.refusal import CODES, MESSAGES
from broker.security.resource import CLUSTER_NAME, ResourceType
from broker.server.context import RequestContext
from broker.topics.errors import TopicError

GROUP = 32
"""Code of Kafka's ConfigResource type."""
OWN = {TOPIC: ResourceType.TOPIC, GROUP: ResourceType.GROUP}


def check_config_permission(ctx: RequestContext, operation: AclOperation, config_type: int, name: str) -> None:
    """Raises TopicError if the operation on the configs of a resource is not allowed."""
    resource_type = OWN.get(config_type, ResourceType.CLUSTER)
    if not ctx.may(operation, resource_type, CLUSTER_NAME if resource_type is ResourceType.CLUSTER else name):
        code: ErrorCode = CODES[resource_type]
        raise TopicError(code, MESSAGES[code])
