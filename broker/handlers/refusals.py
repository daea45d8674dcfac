"""Answers to requests that are refused as a whole.

An API with an error code at the top has it there and is empty otherwise; one without has it at every item that was
asked about. Source: the `getErrorResponse` of Kafka's requests.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from datetime import timedelta
from types import MappingProxyType, UnionType
from typing import Any, Final, get_args, get_origin

from kio.schema.errors import ErrorCode

from broker.handlers.response import response, response_type
from broker.protocol.api_keys import ApiKey
from broker.security.refusal import MESSAGES

EMPTY: Final[tuple[tuple[type, Any], ...]] = (
    (str, ""),
    (bytes, b""),
    (bool, False),
    (int, 0),
    (timedelta, timedelta(0)),
)


def refuse(key: ApiKey, request: Any, code: ErrorCode) -> Any:
    """The response entity for a request that is not allowed."""
    told = {"error_code": code, "error_message": MESSAGES[code]}
    items = ITEMS.get(key)
    fields = empty_fields(response_type(request.__class__)) | told
    return response(request, **fields if items is None else fields | items(request, told))


def empty_fields(entity: type) -> dict[str, Any]:
    """Nothing, by the type of each field that has no default."""
    fields: dict[str, Any] = {}
    for field in dataclasses.fields(entity):
        if field.default is dataclasses.MISSING:
            fields[field.name] = nothing(field.type)
    return fields


def nothing(annotation: Any) -> Any:
    if isinstance(annotation, UnionType) and type(None) in get_args(annotation):
        return None
    origin: Any = get_origin(annotation)
    if origin is tuple:
        return ()
    if annotation is ErrorCode:
        return ErrorCode.none
    for kind, value in EMPTY:
        if isinstance(annotation, type) and issubclass(annotation, kind):
            return value
    return 0  # kio's integers are types of their own


Told = Mapping[str, Any]


def committed(request: Any, told: Told) -> dict[str, Any]:
    """OffsetCommit, TxnOffsetCommit."""
    topics = [
        {
            "name": getattr(topic, "name", None),
            "topic_id": getattr(topic, "topic_id", None),
            "partitions": [{"partition_index": line.partition_index, **told} for line in topic.partitions],
        }
        for topic in request.topics
    ]
    return {"topics": topics}


def reassigned(request: Any, told: Told) -> dict[str, Any]:
    """AlterPartitionReassignments."""
    topics = [
        {"name": t.name, "partitions": [{"partition_index": p.partition_index, **told} for p in t.partitions]}
        for t in request.topics
    ]
    return {"responses": topics}


def elected(request: Any, told: Told) -> dict[str, Any]:
    """ElectLeaders."""
    topics = [
        {"topic": t.topic, "partition_result": [{"partition_id": partition, **told} for partition in t.partitions]}
        for t in request.topic_partitions or ()
    ]
    return {"replica_election_results": topics}


def moved(request: Any, told: Told) -> dict[str, Any]:
    """AlterReplicaLogDirs: partitions by topic, whichever directory they were to go to."""
    partitions: dict[str, list[int]] = {}
    for directory in request.dirs:
        for topic in directory.topics:
            partitions.setdefault(topic.name, []).extend(topic.partitions)
    topics = [
        {"topic_name": name, "partitions": [{"partition_index": index, **told} for index in indexes]}
        for name, indexes in partitions.items()
    ]
    return {"results": topics}


def credentials(request: Any, told: Told) -> dict[str, Any]:
    """AlterUserScramCredentials: once for each user."""
    users = dict.fromkeys(line.name for lines in (request.deletions, request.upsertions) for line in lines)
    return {"results": [{"user": user, **told} for user in users]}


def quotas(request: Any, told: Told) -> dict[str, Any]:
    """AlterClientQuotas."""
    entries = [
        {
            "entity": [{"entity_type": one.entity_type, "entity_name": one.entity_name} for one in line.entity],
            **told,
        }
        for line in request.entries
    ]
    return {"entries": entries}


def marked(request: Any, told: Told) -> dict[str, Any]:
    """WriteTxnMarkers."""
    markers = [
        {
            "producer_id": marker.producer_id,
            "topics": [
                {
                    "name": topic.name,
                    "partitions": [{"partition_index": index, **told} for index in topic.partition_indexes],
                }
                for topic in marker.topics
            ],
        }
        for marker in request.markers
    ]
    return {"markers": markers}


ITEMS: Final[Mapping[ApiKey, Callable[[Any, Told], dict[str, Any]]]] = MappingProxyType(
    {
        ApiKey.OFFSET_COMMIT: committed,
        ApiKey.TXN_OFFSET_COMMIT: committed,
        ApiKey.WRITE_TXN_MARKERS: marked,
        ApiKey.ALTER_PARTITION_REASSIGNMENTS: reassigned,
        ApiKey.ELECT_LEADERS: elected,
        ApiKey.ALTER_REPLICA_LOG_DIRS: moved,
        ApiKey.ALTER_USER_SCRAM_CREDENTIALS: credentials,
        ApiKey.ALTER_CLIENT_QUOTAS: quotas,
        ApiKey.CREATE_ACLS: lambda request, told: {"results": [told for _ in request.creations]},
        ApiKey.DELETE_ACLS: lambda request, told: {
            "filter_results": [{**told, "matching_acls": ()} for _ in request.filters]
        },
    }
)
"""What a refusal tells of the items that were asked about, where it does."""
