"""Classic groups: their whole life in raw requests, static members, commits, and the administration of groups."""

from __future__ import annotations

import struct
from typing import Any
from uuid import UUID

from kio.schema.errors import ErrorCode

from broker.protocol.api_keys import ApiKey
from tests.differential.requests import SECOND, batch, produce
from tests.differential.session import Session

LOADING = frozenset({ErrorCode.coordinator_load_in_progress, ErrorCode.coordinator_not_available})


def play(session: Session) -> None:
    session.make_topic("t", 2)
    for version in range(7):
        session.ask(
            "group", ApiKey.FIND_COORDINATOR, version, key="g", key_type=0, coordinator_keys=("g",),
        )  # fmt: skip
    session.ask("two groups", ApiKey.FIND_COORDINATOR, 4, key_type=0, coordinator_keys=("g", "h"))
    session.ask("transaction", ApiKey.FIND_COORDINATOR, 4, key_type=1, coordinator_keys=("x",))
    session.ask("unknown kind", ApiKey.FIND_COORDINATOR, 4, key_type=9, coordinator_keys=("x",))
    session.ask("empty id", ApiKey.FIND_COORDINATOR, 4, key_type=0, coordinator_keys=("",))
    membership(session)
    refused(session)
    static(session)
    for version in range(2, 11):
        commits(session, version)
    commits_of_strangers(session)
    administration(session)


def join(
    member: str = "", group: str = "g", *, protocols: tuple[str, ...] = ("range",), about: str = "", **more: Any
) -> dict[str, Any]:
    """Of JoinGroup; `about` tells members apart where they are listed."""
    return {
        "group_id": group,
        "session_timeout": 10 * SECOND,
        "rebalance_timeout": 10 * SECOND,
        "member_id": member,
        "group_instance_id": None,
        "protocol_type": "consumer",
        "protocols": [{"name": name, "metadata": subscription(f"{name} {about}")} for name in protocols],
        "reason": None,
        **more,
    }


def subscription(about: str) -> bytes:
    """As consumers subscribe to "t": version 0, topics, user data. Apache Kafka reads it."""
    return struct.pack(f">hih1si{len(about)}s", 0, 1, 1, b"t", len(about), about.encode())


def sync(member: str, generation: int, group: str = "g", *, to: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    return {
        "group_id": group,
        "generation_id": generation,
        "member_id": member,
        "group_instance_id": None,
        "protocol_type": "consumer",
        "protocol_name": "range",
        "assignments": [{"member_id": one, "assignment": f"part {n}".encode()} for n, one in enumerate(to)],
        **more,
    }


def beat(member: str, generation: int, group: str = "g", instance: str | None = None) -> dict[str, Any]:
    return {"group_id": group, "generation_id": generation, "member_id": member, "group_instance_id": instance}


def leave(member: str, group: str = "g", instance: str | None = None) -> dict[str, Any]:
    line = {"member_id": member, "group_instance_id": instance, "reason": None}
    return {"group_id": group, "member_id": member, "members": [line]}


def membership(session: Session) -> None:
    for version in range(10):
        group = f"alone{version}"
        joined = session.ask("alone", ApiKey.JOIN_GROUP, version, **join(group=group))
        if joined.error_code is ErrorCode.member_id_required:
            joined = session.ask("with the id given", ApiKey.JOIN_GROUP, version, **join(joined.member_id, group))
        me, generation = joined.member_id, joined.generation_id
        v = min(version, 5)
        session.ask("alone", ApiKey.SYNC_GROUP, v, **sync(me, generation, group, to=(me,)))
        session.ask("alone", ApiKey.HEARTBEAT, min(version, 4), **beat(me, generation, group))
        session.ask("alone", ApiKey.LEAVE_GROUP, v, **leave(me, group))
    first = session.ask("first", ApiKey.JOIN_GROUP, 3, **join()).member_id
    session.ask("first", ApiKey.SYNC_GROUP, 3, **sync(first, 1, to=(first,)))
    session.send("second", ApiKey.JOIN_GROUP, 3, on="second", **join(protocols=("range", "sticky"), about="second"))
    session.ask(
        "told of the second", ApiKey.HEARTBEAT, 3, **beat(first, 1),
        until=lambda answer: answer.error_code is not ErrorCode.none,
    )  # fmt: skip
    session.ask("commit in the rebalance", ApiKey.OFFSET_COMMIT, 7, **commit("g", first, 1))
    session.ask("sync in the rebalance", ApiKey.SYNC_GROUP, 3, **sync(first, 1, to=(first,)))
    session.ask("again", ApiKey.JOIN_GROUP, 3, **join(first, protocols=("range", "sticky")))
    second = session.receive("second").member_id
    session.ask("before the sync", ApiKey.HEARTBEAT, 3, **beat(first, 2))
    session.send("second waits", ApiKey.SYNC_GROUP, 3, on="second", **sync(second, 2))
    session.ask("leader", ApiKey.SYNC_GROUP, 3, **sync(first, 2, to=(first, second)))
    session.receive("second")
    session.ask("sync again", ApiKey.SYNC_GROUP, 3, **sync(second, 2))
    session.ask("stable", ApiKey.HEARTBEAT, 3, **beat(second, 2))
    session.ask("follower joins unchanged", ApiKey.JOIN_GROUP, 3, on="second",
                **join(second, protocols=("range", "sticky"), about="second"))  # fmt: skip
    session.ask("old generation", ApiKey.HEARTBEAT, 3, **beat(first, 1))
    session.ask("old generation", ApiKey.SYNC_GROUP, 3, **sync(first, 1))
    session.ask("old generation", ApiKey.OFFSET_COMMIT, 7, **commit("g", first, 1))
    session.ask("unknown member", ApiKey.HEARTBEAT, 3, **beat("nobody", 2))
    session.ask("unknown member", ApiKey.SYNC_GROUP, 3, **sync("nobody", 2))
    session.ask("unknown member", ApiKey.LEAVE_GROUP, 3, **leave("nobody"))
    session.ask("unknown member, of old", ApiKey.LEAVE_GROUP, 2, **leave("nobody"))
    session.ask("unknown member", ApiKey.JOIN_GROUP, 5, **join("nobody"))
    session.ask("no protocol in common", ApiKey.JOIN_GROUP, 3, on="third", **join(protocols=("other",)))
    session.ask("other protocol type", ApiKey.JOIN_GROUP, 3, on="third", **join(protocol_type="connect"))
    session.ask("other protocol type", ApiKey.SYNC_GROUP, 5, **sync(first, 2, protocol_type="connect"))
    session.ask("other protocol", ApiKey.SYNC_GROUP, 5, **sync(first, 2, protocol_name="sticky"))
    session.ask("two members", ApiKey.DESCRIBE_GROUPS, 5, groups=("g",))
    session.ask("two members", ApiKey.LIST_GROUPS, 5, states_filter=("Stable",), types_filter=())
    session.ask("of members", ApiKey.DELETE_GROUPS, 2, groups_names=("g",))
    session.ask("of a member", ApiKey.OFFSET_COMMIT, 7, **commit("g", first, 2))
    session.ask("both leave", ApiKey.LEAVE_GROUP, 4, **{**leave(first), "members": [
        {"member_id": first, "group_instance_id": None}, {"member_id": second, "group_instance_id": None},
        {"member_id": "nobody", "group_instance_id": None}]})  # fmt: skip
    session.ask("empty", ApiKey.DESCRIBE_GROUPS, 5, groups=("g",))


def refused(session: Session) -> None:
    session.ask("no group id", ApiKey.JOIN_GROUP, 5, **join(group=""))
    session.ask("short session", ApiKey.JOIN_GROUP, 5, **join(session_timeout=0 * SECOND))
    session.ask("long session", ApiKey.JOIN_GROUP, 5, **join(session_timeout=7200 * SECOND))
    session.ask("no protocols", ApiKey.JOIN_GROUP, 5, **join(group="none", protocols=()))
    session.ask("no protocol type", ApiKey.JOIN_GROUP, 5, **join(group="none", protocol_type=""))
    session.ask("unknown group", ApiKey.HEARTBEAT, 3, **beat("x", 1, "unknown"))
    session.ask("unknown group", ApiKey.SYNC_GROUP, 3, **sync("x", 1, "unknown"))
    session.ask("unknown group", ApiKey.LEAVE_GROUP, 3, **leave("x", "unknown"))
    session.ask("unknown group", ApiKey.LEAVE_GROUP, 2, **leave("x", "unknown"))
    session.ask("unknown group with a member id", ApiKey.JOIN_GROUP, 5, **join("x", "unknown"))
    session.ask("empty group id", ApiKey.HEARTBEAT, 3, **beat("x", 1, ""))
    session.ask("empty group id", ApiKey.SYNC_GROUP, 3, **sync("x", 1, ""))
    session.ask("empty group id", ApiKey.LEAVE_GROUP, 3, **leave("x", ""))
    session.ask("v5 without protocol", ApiKey.SYNC_GROUP, 5,
                **sync("x", 1, "unknown", protocol_type=None, protocol_name=None))  # fmt: skip


def static(session: Session) -> None:
    def joining(member: str = "", instance: str = "one", **more: Any) -> dict[str, Any]:
        return join(member, "static", group_instance_id=instance, **more)

    old = session.ask("static member", ApiKey.JOIN_GROUP, 5, **joining()).member_id
    session.ask("static member", ApiKey.SYNC_GROUP, 3, **sync(old, 1, "static", to=(old,), group_instance_id="one"))
    new = session.ask("its replacement", ApiKey.JOIN_GROUP, 5, on="second", **joining()).member_id
    session.ask("the replaced", ApiKey.HEARTBEAT, 3, **beat(old, 1, "static", "one"))
    session.ask("the replaced", ApiKey.JOIN_GROUP, 5, **joining(old))
    session.ask("the replaced", ApiKey.SYNC_GROUP, 3, **sync(old, 1, "static", group_instance_id="one"))
    session.ask("the replaced", ApiKey.OFFSET_COMMIT, 7, **commit("static", old, 1, instance="one"))
    session.ask("the replaced", ApiKey.LEAVE_GROUP, 3, **leave(old, "static", "one"))
    session.ask("the new one", ApiKey.HEARTBEAT, 3, **beat(new, 1, "static", "one"))
    session.ask("unknown instance", ApiKey.HEARTBEAT, 3, **beat(new, 1, "static", "two"))
    session.ask("with changed metadata", ApiKey.JOIN_GROUP, 9, on="third", **joining(protocols=("range", "sticky")))
    session.ask("static", ApiKey.DESCRIBE_GROUPS, 5, groups=("static",))
    session.ask("by instance", ApiKey.LEAVE_GROUP, 3, **leave("", "static", "one"))
    session.ask("by instance again", ApiKey.LEAVE_GROUP, 3, **leave("", "static", "one"))
    leader = session.ask("static leader", ApiKey.JOIN_GROUP, 9, **joining()).member_id
    session.ask("static leader", ApiKey.SYNC_GROUP, 5,
                **sync(leader, 3, "static", to=(leader,), group_instance_id="one"))  # fmt: skip
    session.ask("leader replaced without a rebalance", ApiKey.JOIN_GROUP, 9, **joining())


def commit(
    group: str, member: str = "", generation: int = -1, *, name: str = "t", instance: str | None = None,
    topic_id: UUID | None = None, metadata: str | None = "about it", partition: int = 0, offset: int = 7,
) -> dict[str, Any]:  # fmt: skip
    line = {
        "partition_index": partition,
        "committed_offset": offset,
        "committed_leader_epoch": 0,
        "committed_metadata": metadata,
    }
    return {
        "group_id": group,
        "generation_id_or_member_epoch": generation,
        "member_id": member,
        "group_instance_id": instance,
        "retention_time": -1 * SECOND / 1000,
        "topics": [{"name": name, "topic_id": topic_id, "partitions": [line]}],
    }


def wanted(
    group: str, session: Session, *names: str, all_of_them: bool = False, stable: bool = False
) -> dict[str, Any]:
    """Of OffsetFetch, in all its forms: partitions 0 and 1 of topics."""
    topics: Any = [
        {"name": name, "topic_id": session.topic_ids.get(name, UUID(int=9)), "partition_indexes": (0, 1)}
        for name in names
    ]
    if all_of_them:
        topics = None
    return {
        "group_id": group,
        "topics": topics,
        "groups": [{"group_id": group, "topics": topics, "member_id": None, "member_epoch": -1}],
        "require_stable": stable,
    }


def commits(session: Session, version: int) -> None:
    identity = session.topic_ids["t"]
    group = f"commits{version}"
    session.ask("without members", ApiKey.OFFSET_COMMIT, version, **commit(group, topic_id=identity))
    session.ask("what it was", ApiKey.OFFSET_FETCH, version, **wanted(group, session, "t"))
    if version >= 3:
        session.ask("all", ApiKey.OFFSET_FETCH, version, **wanted(group, session, all_of_them=True))
    session.ask("unknown topic", ApiKey.OFFSET_COMMIT, version, **commit(group, name="unknown", topic_id=UUID(int=9)))
    session.ask("unknown topic", ApiKey.OFFSET_FETCH, version, **wanted(group, session, "unknown"))
    session.ask("unknown group", ApiKey.OFFSET_FETCH, version, **wanted("unknown", session, "t"))
    session.ask("unknown group, generation 3", ApiKey.OFFSET_COMMIT, version,
                **commit("unknown", "x", 3, topic_id=identity))  # fmt: skip
    session.ask("generation without a member", ApiKey.OFFSET_COMMIT, version, **commit(group, "", 5, topic_id=identity))


def commits_of_strangers(session: Session) -> None:
    session.ask("v1", ApiKey.OFFSET_FETCH, 1, **wanted("commits2", session, "t"))
    session.ask("unknown partition", ApiKey.OFFSET_COMMIT, 7, **commit("commits7", partition=9))
    session.ask("null metadata", ApiKey.OFFSET_COMMIT, 7, **commit("commits7", metadata=None, partition=1))
    session.ask("large metadata", ApiKey.OFFSET_COMMIT, 7, **commit("commits7", metadata="x" * 4096))
    session.ask("too large metadata", ApiKey.OFFSET_COMMIT, 7, **commit("commits7", metadata="x" * 4097))
    session.ask("negative offset", ApiKey.OFFSET_COMMIT, 7, **commit("commits7", offset=-5))
    session.ask("empty group id", ApiKey.OFFSET_COMMIT, 7, **commit(""))
    session.ask("empty group id", ApiKey.OFFSET_FETCH, 7, **wanted("", session, "t"))
    session.ask("stable only", ApiKey.OFFSET_FETCH, 7, **wanted("commits7", session, "t", stable=True))
    two = wanted("commits8", session, "t")
    two["groups"] = [*two["groups"], wanted("unknown", session, "t")["groups"][0]]
    session.ask("two groups", ApiKey.OFFSET_FETCH, 8, **two)
    session.ask("a member of no group", ApiKey.OFFSET_FETCH, 9, **{**two, "groups": [
        {"group_id": "commits9", "topics": None, "member_id": "x", "member_epoch": 3}]})  # fmt: skip
    session.quietly(ApiKey.PRODUCE, 9, **produce(batch("x")))


def administration(session: Session) -> None:
    for version in range(7):
        session.ask("one and an unknown", ApiKey.DESCRIBE_GROUPS, version, groups=("commits7", "unknown"))
    for version in range(6):
        session.ask("all", ApiKey.LIST_GROUPS, version, states_filter=(), types_filter=())
    session.ask("empty ones", ApiKey.LIST_GROUPS, 4, states_filter=("Empty",))
    session.ask("state in lower case", ApiKey.LIST_GROUPS, 4, states_filter=("empty",))
    session.ask("unknown state", ApiKey.LIST_GROUPS, 4, states_filter=("Asleep",))
    session.ask("classic ones", ApiKey.LIST_GROUPS, 5, states_filter=(), types_filter=("classic",))
    session.ask("consumer ones", ApiKey.LIST_GROUPS, 5, states_filter=(), types_filter=("consumer",))
    session.ask("unknown type", ApiKey.LIST_GROUPS, 5, states_filter=(), types_filter=("odd",))

    def delete(what: str, group: str, name: str, *partitions: int) -> None:
        lines = [{"partition_index": partition} for partition in partitions]
        session.ask(what, ApiKey.OFFSET_DELETE, 0, group_id=group, topics=[{"name": name, "partitions": lines}])

    delete("one", "commits7", "t", 0)
    delete("again, and an unknown partition", "commits7", "t", 0, 9)
    delete("unknown topic", "commits7", "unknown", 0)
    delete("unknown group", "unknown", "t", 0)
    delete("no partitions", "commits7", "t")
    for version in range(3):
        session.ask("and an unknown one", ApiKey.DELETE_GROUPS, version,
                    groups_names=(f"commits{version + 3}", "unknown"))  # fmt: skip
    session.ask("empty id", ApiKey.DELETE_GROUPS, 2, groups_names=("",))
    session.ask("deleted", ApiKey.OFFSET_FETCH, 7, **wanted("commits3", session, "t"))
    session.ask("deleted", ApiKey.DESCRIBE_GROUPS, 5, groups=("commits3",))
