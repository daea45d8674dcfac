"""For each API a request that needs certain rights: all of them are enough, and without any one it is refused.

Those that Kafka has and the broker does not serve yet are here already: their turn comes when they are advertised.
"""

from __future__ import annotations

from datetime import timedelta

from broker.protocol.api_keys import ApiKey
from broker.security.operation import AclOperation as Op
from broker.security.resource import ResourceType
from tests.broker.security.guarded_broker import Right
from tests.broker.security.permission_case import (
    CLUSTER_CODE,
    GROUP,
    NEW_TOPIC,
    SECOND,
    TOPIC,
    TOPIC_CODE,
    TOPIC_ID,
    TRANSACTION,
    Case,
    cluster,
    configs,
    group,
    named,
    produce,
    topic,
    transaction,
)

COMMIT = named(partitions=[{"partition_index": 0, "committed_offset": 0, "committed_metadata": ""}])
NEW = {"name": NEW_TOPIC, "num_partitions": 1, "replication_factor": 1, "assignments": [], "configs": []}
ACL = {
    "resource_type": 2,
    "resource_name": "some",
    "principal": "User:bob",
    "host": "*",
    "operation": 3,
    "permission_type": 3,
}
ACL_FILTER = {
    "resource_type_filter": 3,
    "resource_name_filter": "nobody's",
    "principal_filter": None,
    "host_filter": None,
    "operation": 1,
    "permission_type": 1,
}
PRODUCER = {"producer_id": 9, "producer_epoch": 0}
OLD_TRANSACTION = {
    "v3_and_below_transactional_id": TRANSACTION,
    "v3_and_below_producer_id": 9,
    "v3_and_below_producer_epoch": 0,
    "v3_and_below_topics": [{"name": TOPIC, "partitions": [0]}],
}
JOIN = {
    "group_id": GROUP,
    "member_id": "",
    "session_timeout": 10 * SECOND,
    "rebalance_timeout": 10 * SECOND,
    "protocol_type": "consumer",
    "protocols": [{"name": "range", "metadata": b""}],
}
MEMBER = {"group_id": GROUP, "member_id": "m", "generation_id": 1}

CASES = (
    Case(ApiKey.PRODUCE, (topic(Op.WRITE),), produce(transactional=False)),
    Case(ApiKey.PRODUCE, (topic(Op.WRITE), transaction(Op.WRITE)), produce(transactional=True), note="transactional"),
    Case(
        ApiKey.FETCH,
        (topic(Op.READ),),
        {
            "replica_id": -1,
            "max_wait": timedelta(0),
            "min_bytes": 0,
            "topics": named(partitions=[{"partition": 0, "fetch_offset": 0, "partition_max_bytes": 100}]),
            "forgotten_topics_data": [],
        },
    ),
    Case(
        ApiKey.LIST_OFFSETS,
        (topic(Op.DESCRIBE),),
        {
            "replica_id": -1,
            "isolation_level": 0,
            "timeout": SECOND,
            "topics": named(partitions=[{"partition_index": 0, "timestamp": -1}]),
        },
    ),
    Case(
        ApiKey.OFFSET_FOR_LEADER_EPOCH,
        (topic(Op.DESCRIBE),),
        {"replica_id": -1, "topics": named(partitions=[{"partition": 0, "leader_epoch": 0}])},
    ),
    Case(
        ApiKey.DELETE_RECORDS,
        (topic(Op.DELETE),),
        {"timeout": SECOND, "topics": named(partitions=[{"partition_index": 0, "offset": 0}])},
    ),
    Case(ApiKey.DESCRIBE_PRODUCERS, (topic(Op.READ),), {"topics": named(partition_indexes=[0])}),
    Case(ApiKey.METADATA, (topic(Op.DESCRIBE),), {"topics": [{"name": TOPIC, "topic_id": None}]}, note="by-name"),
    Case(
        ApiKey.METADATA,
        (topic(Op.DESCRIBE),),
        {"topics": [{"name": None, "topic_id": TOPIC_ID}]},
        versions=(12, 99),
        note="by-id",
    ),
    Case(
        ApiKey.METADATA,
        (topic(Op.DESCRIBE, NEW_TOPIC), topic(Op.CREATE, NEW_TOPIC)),
        {"topics": [{"name": NEW_TOPIC, "topic_id": None}]},
        note="create",
    ),
    Case(
        ApiKey.METADATA,
        (topic(Op.DESCRIBE, NEW_TOPIC), cluster(Op.CREATE)),
        {"topics": [{"name": NEW_TOPIC, "topic_id": None}]},
        codes={cluster(Op.CREATE): TOPIC_CODE},
        note="create-any",
    ),
    Case(ApiKey.DESCRIBE_TOPIC_PARTITIONS, (topic(Op.DESCRIBE),), {"topics": [{"name": TOPIC}], "cursor": None}),
    Case(
        ApiKey.DESCRIBE_QUORUM,
        (cluster(Op.DESCRIBE),),
        {"topics": [{"topic_name": "__cluster_metadata", "partitions": [{"partition_index": 0}]}]},
    ),
    Case(ApiKey.UPDATE_FEATURES, (cluster(Op.ALTER),), {"feature_updates": [], "validate_only": True}),
    Case(ApiKey.CREATE_TOPICS, (topic(Op.CREATE, NEW_TOPIC),), {"topics": [NEW], "timeout": SECOND}, versions=(0, 4)),
    Case(
        ApiKey.CREATE_TOPICS,
        (topic(Op.CREATE, NEW_TOPIC), topic(Op.DESCRIBE_CONFIGS, NEW_TOPIC)),
        {"topics": [NEW], "timeout": SECOND},
        versions=(5, 99),
        note="shown",
    ),
    Case(
        ApiKey.CREATE_TOPICS,
        (cluster(Op.CREATE),),
        {"topics": [NEW], "timeout": SECOND},
        codes={cluster(Op.CREATE): TOPIC_CODE},
        versions=(0, 4),
        note="any",
    ),
    Case(
        ApiKey.DELETE_TOPICS,
        (topic(Op.DELETE),),
        {"topic_names": [TOPIC], "topics": [{"name": TOPIC, "topic_id": None}], "timeout": SECOND},
        note="by-name",
    ),
    Case(
        ApiKey.DELETE_TOPICS,
        (topic(Op.DELETE),),
        {"topics": [{"name": None, "topic_id": TOPIC_ID}], "timeout": SECOND},
        versions=(6, 99),
        note="by-id",
    ),
    Case(
        ApiKey.DELETE_TOPICS,
        (cluster(Op.DELETE),),
        {"topic_names": [TOPIC], "topics": [{"name": TOPIC, "topic_id": None}], "timeout": SECOND},
        codes={cluster(Op.DELETE): TOPIC_CODE},
        note="any",
    ),
    Case(
        ApiKey.CREATE_PARTITIONS,
        (topic(Op.ALTER),),
        {"topics": [{"name": TOPIC, "count": 2, "assignments": None}], "timeout": SECOND, "validate_only": True},
    ),
    Case(
        ApiKey.ELECT_LEADERS,
        (cluster(Op.ALTER),),
        {"election_type": 0, "topic_partitions": [{"topic": TOPIC, "partitions": [0]}]},
    ),
    Case(
        ApiKey.ALTER_PARTITION_REASSIGNMENTS,
        (cluster(Op.ALTER),),
        {"topics": [{"name": TOPIC, "partitions": [{"partition_index": 0, "replicas": [1]}]}]},
    ),
    Case(ApiKey.LIST_PARTITION_REASSIGNMENTS, (cluster(Op.DESCRIBE),), {"topics": None}),
    Case(ApiKey.DESCRIBE_LOG_DIRS, (cluster(Op.DESCRIBE),), {"topics": None}, versions=(3, 99)),
    Case(
        ApiKey.ALTER_REPLICA_LOG_DIRS,
        (cluster(Op.ALTER),),
        {"dirs": [{"path": "/d", "topics": [{"name": TOPIC, "partitions": [0]}]}]},
    ),
    *configs(ApiKey.DESCRIBE_CONFIGS, Op.DESCRIBE_CONFIGS),
    *configs(ApiKey.ALTER_CONFIGS, Op.ALTER_CONFIGS),
    *configs(ApiKey.INCREMENTAL_ALTER_CONFIGS, Op.ALTER_CONFIGS),
    Case(ApiKey.LIST_CONFIG_RESOURCES, (cluster(Op.DESCRIBE_CONFIGS),), {"resource_types": []}),
    Case(ApiKey.DESCRIBE_CLIENT_QUOTAS, (cluster(Op.DESCRIBE_CONFIGS),), {"components": []}),
    Case(
        ApiKey.ALTER_CLIENT_QUOTAS,
        (cluster(Op.ALTER_CONFIGS),),
        {
            "entries": [
                {
                    "entity": [{"entity_type": "user", "entity_name": "bob"}],
                    "ops": [{"key": "producer_byte_rate", "value": 1e9, "remove": False}],
                }
            ],
            "validate_only": True,
        },
    ),
    Case(
        ApiKey.FIND_COORDINATOR,
        (group(Op.DESCRIBE),),
        {"key": GROUP, "key_type": 0, "coordinator_keys": [GROUP]},
        note="group",
    ),
    Case(
        ApiKey.FIND_COORDINATOR,
        (transaction(Op.DESCRIBE),),
        {"key": TRANSACTION, "key_type": 1, "coordinator_keys": [TRANSACTION]},
        versions=(1, 99),
        note="transaction",
    ),
    Case(ApiKey.JOIN_GROUP, (group(Op.READ),), JOIN),
    Case(
        ApiKey.SYNC_GROUP,
        (group(Op.READ),),
        {**MEMBER, "protocol_type": "consumer", "protocol_name": "range", "assignments": []},
    ),
    Case(ApiKey.HEARTBEAT, (group(Op.READ),), MEMBER),
    Case(ApiKey.LEAVE_GROUP, (group(Op.READ),), {**MEMBER, "members": [{"member_id": "m"}]}),
    Case(
        ApiKey.CONSUMER_GROUP_HEARTBEAT,
        (Right(Op.READ, ResourceType.GROUP, "consumers"), topic(Op.DESCRIBE)),
        {
            "group_id": "consumers",
            "member_id": "AAAAAAAAAAAAAAAAAAAAAA",
            "member_epoch": 0,
            "rebalance_timeout": 10 * SECOND,
            "subscribed_topic_names": [TOPIC],
            "topic_partitions": [],
        },
    ),
    Case(
        ApiKey.CONSUMER_GROUP_DESCRIBE,
        (group(Op.DESCRIBE),),
        {"group_ids": [GROUP], "include_authorized_operations": True},
    ),
    Case(ApiKey.DESCRIBE_GROUPS, (group(Op.DESCRIBE),), {"groups": [GROUP], "include_authorized_operations": True}),
    Case(ApiKey.DELETE_GROUPS, (group(Op.DELETE),), {"groups_names": [GROUP]}),
    Case(
        ApiKey.OFFSET_COMMIT,
        (group(Op.READ), topic(Op.READ)),
        {"group_id": GROUP, "generation_id_or_member_epoch": -1, "member_id": "", "topics": COMMIT},
    ),
    Case(
        ApiKey.OFFSET_FETCH,
        (group(Op.DESCRIBE), topic(Op.DESCRIBE)),
        {
            "group_id": GROUP,
            "topics": named(partition_indexes=[0]),
            "groups": [{"group_id": GROUP, "topics": named(partition_indexes=[0])}],
        },
    ),
    Case(
        ApiKey.OFFSET_DELETE,
        (group(Op.DELETE), topic(Op.READ)),
        {"group_id": GROUP, "topics": named(partitions=[{"partition_index": 0}])},
    ),
    Case(
        ApiKey.INIT_PRODUCER_ID,
        (transaction(Op.WRITE),),
        {"transactional_id": TRANSACTION, "transaction_timeout": SECOND},
        note="transactional",
    ),
    Case(
        ApiKey.INIT_PRODUCER_ID,
        (cluster(Op.IDEMPOTENT_WRITE),),
        {"transactional_id": None, "transaction_timeout": SECOND},
        note="idempotent",
    ),
    Case(
        ApiKey.INIT_PRODUCER_ID,
        (topic(Op.WRITE, "any"),),
        {"transactional_id": None, "transaction_timeout": SECOND},
        codes={topic(Op.WRITE, "any"): CLUSTER_CODE},
        note="writer",
    ),
    Case(
        ApiKey.ADD_PARTITIONS_TO_TXN,
        (transaction(Op.WRITE), topic(Op.WRITE)),
        OLD_TRANSACTION,
        versions=(0, 3),
    ),
    Case(
        ApiKey.ADD_PARTITIONS_TO_TXN,
        (cluster(Op.CLUSTER_ACTION),),
        {
            "transactions": [
                {"transactional_id": TRANSACTION, **PRODUCER, "topics": [{"name": TOPIC, "partitions": [0]}]}
            ]
        },
        versions=(4, 99),
        note="broker",
    ),
    Case(
        ApiKey.ADD_OFFSETS_TO_TXN,
        (transaction(Op.WRITE), group(Op.READ)),
        {"transactional_id": TRANSACTION, **PRODUCER, "group_id": GROUP},
    ),
    Case(
        ApiKey.TXN_OFFSET_COMMIT,
        (transaction(Op.WRITE), group(Op.READ), topic(Op.READ)),
        {"transactional_id": TRANSACTION, **PRODUCER, "group_id": GROUP, "topics": COMMIT},
    ),
    Case(ApiKey.END_TXN, (transaction(Op.WRITE),), {"transactional_id": TRANSACTION, **PRODUCER, "committed": True}),
    *(
        Case(
            ApiKey.WRITE_TXN_MARKERS,
            (cluster(operation),),
            {
                "markers": [
                    {
                        **PRODUCER,
                        "transaction_result": False,
                        "coordinator_epoch": 0,
                        "topics": [{"name": TOPIC, "partition_indexes": [0]}],
                    }
                ]
            },
            note=operation.name,
        )
        for operation in (Op.ALTER, Op.CLUSTER_ACTION)
    ),
    Case(
        ApiKey.DESCRIBE_TRANSACTIONS,
        (Right(Op.DESCRIBE, ResourceType.TRANSACTIONAL_ID, "nobody's"),),
        {"transactional_ids": ["nobody's"]},
    ),
    Case(ApiKey.DESCRIBE_ACLS, (cluster(Op.DESCRIBE),), ACL_FILTER),
    Case(ApiKey.CREATE_ACLS, (cluster(Op.ALTER),), {"creations": [ACL]}),
    Case(ApiKey.DELETE_ACLS, (cluster(Op.ALTER),), {"filters": [ACL_FILTER]}),
    Case(ApiKey.DESCRIBE_USER_SCRAM_CREDENTIALS, (cluster(Op.DESCRIBE),), {"users": [{"name": "bob"}]}),
    Case(
        ApiKey.ALTER_USER_SCRAM_CREDENTIALS,
        (cluster(Op.ALTER),),
        {"deletions": [{"name": "nobody", "mechanism": 1}], "upsertions": []},
    ),
)

UNREFUSED = {
    (ApiKey.METADATA, Op.DESCRIBE, ResourceType.CLUSTER): "authorized operations",
    (ApiKey.DESCRIBE_CLUSTER, Op.DESCRIBE, ResourceType.CLUSTER): "authorized operations",
    (ApiKey.DELETE_TOPICS, Op.DESCRIBE, ResourceType.TOPIC): "names",
    (ApiKey.LIST_GROUPS, Op.DESCRIBE, ResourceType.CLUSTER): "groups",
    (ApiKey.LIST_GROUPS, Op.DESCRIBE, ResourceType.GROUP): "groups",
    (ApiKey.LIST_TRANSACTIONS, Op.DESCRIBE, ResourceType.TRANSACTIONAL_ID): "transactions",
    (ApiKey.DESCRIBE_TRANSACTIONS, Op.DESCRIBE, ResourceType.TOPIC): "partitions",
    (ApiKey.CONSUMER_GROUP_DESCRIBE, Op.DESCRIBE, ResourceType.TOPIC): "members",
}
"""Needs whose lack is no refusal: something is not shown (`test_hidden.py`)."""
