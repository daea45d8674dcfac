"""The topics page: what there is on the cluster, its records as they come, and new ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from streams.cluster.admin import PartitionDescription, Place
from streams.cluster.beginning import Beginning
from streams.cluster.errors import ClusterError
from streams.cluster.internal_topics import is_internal
from streams.cluster.partitions import offset_ranges, partition_ids
from streams.cluster.records import records_of_topic
from streams.dashboard.cluster_access import ClusterAccess, asking
from streams.dashboard.known_topics import KnownTopic, topics_of
from streams.dashboard.produce import produced
from streams.dashboard.record_form import RecordForm, example
from streams.dashboard.record_view import RecordView
from streams.dashboard.tails import TailRequest, Tails
from streams.dashboard.writes import json_body, read_only_because, writer
from streams.query.keys import parse_time
from streams.query.problem import Absent, Problem
from streams.query.subject import Subject

MOST_NEWEST = 10_000
"""Of each partition: they are counted before the first is shown."""
MOST_OFFSET = 2**63 - 1


def topic_routes(subject: Subject, tails: Tails) -> APIRouter:
    """`/topics` and what is below it. Topics have no `/` in their names."""
    router, cluster = APIRouter(), tails.cluster

    @router.get("/topics")
    def topics() -> dict[str, Any]:  # pyright: ignore[reportUnusedFunction]
        with asking(cluster):
            listed = topic_list(cluster, topics_of(subject))
        return {"topics": listed, "read_only": read_only_because(subject.options)}

    @router.get("/topics/{name}")
    def topic(name: str) -> dict[str, Any]:  # pyright: ignore[reportUnusedFunction]
        with asking(cluster):
            told = topic_details(cluster, name, topics_of(subject).get(name))
        return told | {"read_only": read_only_because(subject.options)}

    @router.get("/topics/{name}/tail")
    async def tail(  # pyright: ignore[reportUnusedFunction]
        name: str,
        start: Annotated[str, Query(alias="from")] = "end",
        partition: Annotated[int | None, Query(ge=0)] = None,
        text: str = "",
        where: str = "",
    ) -> StreamingResponse:
        request = TailRequest(topic=name, begin=beginning(start), partition=partition, text=text, where=where)
        events = await tails.watch(request, RecordView(topics_of(subject).get(name)))
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(events, media_type="text/event-stream", headers=headers)

    @router.get("/topics/{name}/records/{partition}/{offset}")
    def record(name: str, partition: int, offset: int) -> dict[str, Any]:  # pyright: ignore[reportUnusedFunction]
        with asking(cluster):
            return whole_record(cluster, name, partition, offset, topics_of(subject).get(name))

    @router.post("/topics/{name}/records", dependencies=[Depends(writer(subject.options))])
    async def produce(name: str, request: Request) -> dict[str, Any]:  # pyright: ignore[reportUnusedFunction]
        form = await json_body(request, RecordForm)
        return await run_in_threadpool(produced, cluster, name, form, topics_of(subject).get(name))

    return router


def topic_list(cluster: ClusterAccess, known: dict[str, KnownTopic]) -> list[dict[str, Any]]:
    """`records` is the difference of offsets: what compaction and markers of transactions took is counted too."""
    topics = cluster.admin.topics()
    ranges = cluster.admin.ranges(
        (name, each.partition) for name, partitions in topics.items() for each in partitions if each.leader >= 0
    )
    records: defaultdict[str, int] = defaultdict(int)
    for (name, _), (first, end) in ranges.items():
        records[name] += end - first
    sizes = cluster.sizes()
    size_of: defaultdict[str, int] = defaultdict(int)
    for (name, _), size in sizes.items():
        size_of[name] += size
    return [
        {
            "name": name,
            "partitions": len(partitions),
            "replication": max((len(each.replicas) for each in partitions), default=0),
            "under_replicated": sum(len(each.in_sync) < len(each.replicas) for each in partitions),
            "without_leader": sum(each.leader < 0 for each in partitions),
            "records": records[name],
            "bytes": size_of[name] if sizes else None,
            **purpose(name, known.get(name)),
        }
        for name, partitions in topics.items()
    ]


def topic_details(cluster: ClusterAccess, name: str, known: KnownTopic | None) -> dict[str, Any]:
    described = cluster.admin.topic(name)
    ranges = cluster.admin.ranges((name, each.partition) for each in described if each.leader >= 0)
    return {
        "name": name,
        **purpose(name, known),
        "key": None if known is None or known.key is None else known.key.name,
        "value": None if known is None or known.value is None else known.value.name,
        "key_example": example(None if known is None else known.key),
        "value_example": example(None if known is None else known.value),
        "partitions": partition_rows(name, described, ranges, cluster.sizes()),
        "configs": config_rows(cluster, name),
        "brokers": {str(node): f"{host}:{port}" for node, (host, port) in cluster.admin.nodes().items()},
    }


def config_rows(cluster: ClusterAccess, name: str) -> list[dict[str, Any]] | None:
    """None where the cluster does not tell them: that needs a permission of its own, which few workers have."""
    try:
        configs = cluster.admin.topic_configs(name)
    except ClusterError:
        return None
    return [{"name": config.name, "value": config.value, "own": config.own} for config in configs]


def purpose(name: str, known: KnownTopic | None) -> dict[str, Any]:
    """What the topic is for, in words of this application; `role` None: it does not use it."""
    return {
        "role": None if known is None else known.role,
        "store": None if known is None or known.entry is None else known.entry.name,
        "internal": known.internal if known is not None else is_internal(name),
    }


def partition_rows(
    topic: str,
    described: Sequence[PartitionDescription],
    ranges: dict[Place, tuple[int, int]],
    sizes: dict[Place, int],
) -> list[dict[str, Any]]:
    return [
        {
            "partition": each.partition,
            "leader": each.leader,
            "replicas": each.replicas,
            "in_sync": each.in_sync,
            "first": ranges.get((topic, each.partition), (None, None))[0],
            "end": ranges.get((topic, each.partition), (None, None))[1],
            "bytes": sizes.get((topic, each.partition)),
        }
        for each in described
    ]


def whole_record(
    cluster: ClusterAccess, topic: str, partition: int, offset: int, known: KnownTopic | None
) -> dict[str, Any]:
    """Raises Absent: there is none at that offset."""
    client = cluster.consumer()
    try:
        if partition not in partition_ids(client, topic):
            raise Absent(f"topic {topic!r} has no partition {partition}")
        first, end = offset_ranges(client, topic, [partition])[partition]
        if first <= offset < end:
            for message in records_of_topic(client, topic, {partition: offset}, {partition: offset + 1}):
                return RecordView(known).seen(message).body(whole=True)
        raise Absent(f"{topic}[{partition}] has no record at offset {offset}: it has those from {first} to {end - 1}")
    finally:
        client.close()


def beginning(text: str) -> Beginning:
    """Of `end`, `beginning`, `last:50`, `offset:17`, or a time. Raises Problem."""
    kind, _, number = text.partition(":")
    if text in ("end", "beginning"):
        return Beginning(text)
    if kind in ("last", "offset"):
        most = MOST_NEWEST if kind == "last" else MOST_OFFSET
        if not number.isdecimal() or len(number) > len(str(MOST_OFFSET)) or int(number) > most:
            raise Problem(f"from={text[:40]!r}: write {kind} with a number up to {most}, such as {kind}:50")
        return Beginning(kind, int(number))
    time = parse_time(text, "from")
    assert time is not None
    return Beginning("time", max(0, time))  # below it are signs for the ends of a partition
