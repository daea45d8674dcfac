"""Who may use which API: what each request needs, as Apache Kafka 4.2 asks for it.

`whole`: needed for anything at all; asked before the handler is called, which need not know of it.
`items`: needed for single topics, groups … of a request; the handler asks (`RequestContext.may`) and answers item by
item. They stand here to be read and tested: `tests/broker/security/test_denials.py` wants a case for each.

An API that is not here is not served (`broker.handlers.table`), so nobody forgets it. Those that Kafka has and this
broker does not serve yet are here already.

Source: `KafkaApis`, `ControllerApis`, `AclApis` and `ConfigHelper` of Apache Kafka.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, NamedTuple, cast

from broker.handlers.refusals import refuse
from broker.protocol.api import Handler
from broker.protocol.api_keys import ApiKey
from broker.security.operation import AclOperation
from broker.security.refusal import CODES
from broker.security.resource import CLUSTER_NAME, ResourceType
from broker.server.context import RequestContext


class Need(NamedTuple):
    """A right to an operation on a resource."""

    operation: AclOperation
    resource_type: ResourceType
    field: str = ""
    """Where the request names the resource; none for the cluster, and for items."""
    alternative: AclOperation | None = None
    """Another operation that does as well."""


@dataclass(frozen=True, slots=True)
class Permissions:
    """What the requests of one API need."""

    whole: tuple[Need, ...] = ()
    items: tuple[Need, ...] = ()


def whole(operation: AclOperation, resource_type: ResourceType = ResourceType.CLUSTER, field: str = "") -> Permissions:
    return Permissions(whole=(Need(operation, resource_type, field),))


def items(*needs: tuple[AclOperation, ResourceType]) -> Permissions:
    return Permissions(items=tuple(Need(*need) for need in needs))


FREE: Final = Permissions()
"""For everybody: what has to work before, and for, finding out who asks."""

READ, WRITE, CREATE, DELETE, ALTER, DESCRIBE = (
    AclOperation.READ,
    AclOperation.WRITE,
    AclOperation.CREATE,
    AclOperation.DELETE,
    AclOperation.ALTER,
    AclOperation.DESCRIBE,
)
DESCRIBE_CONFIGS, ALTER_CONFIGS = AclOperation.DESCRIBE_CONFIGS, AclOperation.ALTER_CONFIGS
TOPIC, GROUP, CLUSTER = ResourceType.TOPIC, ResourceType.GROUP, ResourceType.CLUSTER
TRANSACTIONAL_ID = ResourceType.TRANSACTIONAL_ID

PERMISSIONS: Final[Mapping[ApiKey, Permissions]] = MappingProxyType(
    {
        # -- records
        ApiKey.PRODUCE: items((WRITE, TOPIC), (WRITE, TRANSACTIONAL_ID)),
        ApiKey.FETCH: items((READ, TOPIC)),
        ApiKey.LIST_OFFSETS: items((DESCRIBE, TOPIC)),
        ApiKey.OFFSET_FOR_LEADER_EPOCH: items((DESCRIBE, TOPIC)),
        ApiKey.DELETE_RECORDS: items((DELETE, TOPIC)),
        ApiKey.DESCRIBE_PRODUCERS: items((READ, TOPIC)),
        # -- cluster and topics
        ApiKey.API_VERSIONS: FREE,
        ApiKey.METADATA: items((DESCRIBE, TOPIC), (CREATE, TOPIC), (CREATE, CLUSTER), (DESCRIBE, CLUSTER)),
        ApiKey.DESCRIBE_TOPIC_PARTITIONS: items((DESCRIBE, TOPIC)),
        ApiKey.DESCRIBE_CLUSTER: items((DESCRIBE, CLUSTER)),
        ApiKey.DESCRIBE_QUORUM: whole(DESCRIBE),
        ApiKey.UPDATE_FEATURES: whole(ALTER),
        ApiKey.CREATE_TOPICS: items((CREATE, TOPIC), (CREATE, CLUSTER), (DESCRIBE_CONFIGS, TOPIC)),
        ApiKey.DELETE_TOPICS: items((DELETE, TOPIC), (DELETE, CLUSTER), (DESCRIBE, TOPIC)),
        ApiKey.CREATE_PARTITIONS: items((ALTER, TOPIC)),
        ApiKey.ELECT_LEADERS: whole(ALTER),
        ApiKey.ALTER_PARTITION_REASSIGNMENTS: whole(ALTER),
        ApiKey.LIST_PARTITION_REASSIGNMENTS: whole(DESCRIBE),
        ApiKey.DESCRIBE_LOG_DIRS: whole(DESCRIBE),
        ApiKey.ALTER_REPLICA_LOG_DIRS: whole(ALTER),
        # -- configs and quotas
        ApiKey.DESCRIBE_CONFIGS: items(
            (DESCRIBE_CONFIGS, TOPIC), (DESCRIBE_CONFIGS, CLUSTER), (DESCRIBE_CONFIGS, GROUP)
        ),
        ApiKey.ALTER_CONFIGS: items((ALTER_CONFIGS, TOPIC), (ALTER_CONFIGS, CLUSTER), (ALTER_CONFIGS, GROUP)),
        ApiKey.INCREMENTAL_ALTER_CONFIGS: items(
            (ALTER_CONFIGS, TOPIC), (ALTER_CONFIGS, CLUSTER), (ALTER_CONFIGS, GROUP)
        ),
        ApiKey.LIST_CONFIG_RESOURCES: whole(DESCRIBE_CONFIGS),
        ApiKey.DESCRIBE_CLIENT_QUOTAS: whole(DESCRIBE_CONFIGS),
        ApiKey.ALTER_CLIENT_QUOTAS: whole(ALTER_CONFIGS),
        # -- groups
        ApiKey.FIND_COORDINATOR: items((DESCRIBE, GROUP), (DESCRIBE, TRANSACTIONAL_ID)),
        ApiKey.JOIN_GROUP: whole(READ, GROUP, "group_id"),
        ApiKey.SYNC_GROUP: whole(READ, GROUP, "group_id"),
        ApiKey.HEARTBEAT: whole(READ, GROUP, "group_id"),
        ApiKey.LEAVE_GROUP: whole(READ, GROUP, "group_id"),
        ApiKey.CONSUMER_GROUP_HEARTBEAT: Permissions(
            whole=(Need(READ, GROUP, "group_id"),), items=(Need(DESCRIBE, TOPIC),)
        ),
        ApiKey.CONSUMER_GROUP_DESCRIBE: items((DESCRIBE, GROUP), (DESCRIBE, TOPIC)),
        ApiKey.DESCRIBE_GROUPS: items((DESCRIBE, GROUP)),
        ApiKey.LIST_GROUPS: items((DESCRIBE, CLUSTER), (DESCRIBE, GROUP)),
        ApiKey.DELETE_GROUPS: items((DELETE, GROUP)),
        ApiKey.OFFSET_COMMIT: Permissions(whole=(Need(READ, GROUP, "group_id"),), items=(Need(READ, TOPIC),)),
        ApiKey.OFFSET_FETCH: items((DESCRIBE, GROUP), (DESCRIBE, TOPIC)),
        ApiKey.OFFSET_DELETE: Permissions(whole=(Need(DELETE, GROUP, "group_id"),), items=(Need(READ, TOPIC),)),
        # -- transactions
        ApiKey.INIT_PRODUCER_ID: items(
            (WRITE, TRANSACTIONAL_ID), (AclOperation.IDEMPOTENT_WRITE, CLUSTER), (WRITE, TOPIC)
        ),
        ApiKey.ADD_PARTITIONS_TO_TXN: items(
            (WRITE, TRANSACTIONAL_ID), (WRITE, TOPIC), (AclOperation.CLUSTER_ACTION, CLUSTER)
        ),
        ApiKey.ADD_OFFSETS_TO_TXN: Permissions(
            whole=(Need(WRITE, TRANSACTIONAL_ID, "transactional_id"), Need(READ, GROUP, "group_id"))
        ),
        ApiKey.TXN_OFFSET_COMMIT: Permissions(
            whole=(Need(WRITE, TRANSACTIONAL_ID, "transactional_id"), Need(READ, GROUP, "group_id")),
            items=(Need(READ, TOPIC),),
        ),
        ApiKey.END_TXN: whole(WRITE, TRANSACTIONAL_ID, "transactional_id"),
        ApiKey.WRITE_TXN_MARKERS: Permissions(whole=(Need(ALTER, CLUSTER, alternative=AclOperation.CLUSTER_ACTION),)),
        ApiKey.DESCRIBE_TRANSACTIONS: items((DESCRIBE, TRANSACTIONAL_ID), (DESCRIBE, TOPIC)),
        ApiKey.LIST_TRANSACTIONS: items((DESCRIBE, TRANSACTIONAL_ID)),
        # -- security
        ApiKey.SASL_HANDSHAKE: FREE,
        ApiKey.SASL_AUTHENTICATE: FREE,
        ApiKey.DESCRIBE_ACLS: whole(DESCRIBE),
        ApiKey.CREATE_ACLS: whole(ALTER),
        ApiKey.DELETE_ACLS: whole(ALTER),
        ApiKey.DESCRIBE_USER_SCRAM_CREDENTIALS: whole(DESCRIBE),
        ApiKey.ALTER_USER_SCRAM_CREDENTIALS: whole(ALTER),
    }
)


def guarded(handler: Handler) -> Callable[..., Any]:
    """The handler, behind what its API needs as a whole. Raw handlers ask by themselves: they are the hot path."""
    needs = PERMISSIONS[handler.api.key].whole
    if not needs:
        return handler

    def handle(ctx: RequestContext, request: Any) -> Any:
        if ctx.broker.authorizer is not None:
            for need in needs:
                name = cast(str, getattr(request, need.field)) if need.field else CLUSTER_NAME
                if need.alternative is not None and ctx.may(need.alternative, need.resource_type, name, audited=False):
                    continue
                if not ctx.may(need.operation, need.resource_type, name):
                    return refuse(handler.api.key, request, CODES[need.resource_type])
        return handler(ctx, request)

    return handle
