"""Consumer groups (KIP-848): heartbeats, static members, fencing, commits, and classic requests to such groups."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from broker.protocol.api_keys import ApiKey
from tests.differential.session import Session

NOBODY = UUID("00000000-0000-0000-0000-00000000beef")


def beat(
    session: Session, what: str, member: str, epoch: int, *, group: str = "g", version: int = 1, **more: Any
) -> Any:
    """A heartbeat; without more fields one that says nothing new."""
    fields: dict[str, Any] = {
        "group_id": group, "member_id": member, "member_epoch": epoch, "instance_id": None, "rack_id": None,
        "rebalance_timeout": timedelta(milliseconds=-1), "subscribed_topic_names": None,
        "subscribed_topic_regex": None, "server_assignor": None, "topic_partitions": None,
    }  # fmt: skip
    return session.ask(what, ApiKey.CONSUMER_GROUP_HEARTBEAT, version, **{**fields, **more})


def joining(*topics: str, **more: Any) -> dict[str, Any]:
    """What a member says first."""
    return {"rebalance_timeout": timedelta(seconds=30), "subscribed_topic_names": list(topics), "topic_partitions": [],
            **more}  # fmt: skip


def owning(identity: UUID, *partitions: int) -> dict[str, Any]:
    return {"topic_partitions": [{"topic_id": identity, "partitions": partitions}] if partitions else []}


def look(session: Session, what: str, *groups: str, version: int = 1) -> None:
    session.ask(what, ApiKey.CONSUMER_GROUP_DESCRIBE, version, group_ids=list(groups),
                include_authorized_operations=False)  # fmt: skip


def play(session: Session) -> None:
    identity = session.make_topic("t", 4)
    session.make_topic("u", 2)
    session.quietly(ApiKey.FIND_COORDINATOR, 4, key_type=0, coordinator_keys=("g",))
    refused(session)
    two_members(session, identity)
    fencing(session)
    static(session)
    patterns(session)
    commits(session)
    classic(session)
    ends(session)


def refused(session: Session) -> None:
    beat(session, "empty group", "member-m", 0, group="", **joining("t"))
    beat(session, "blank group", "member-m", 0, group="  ", **joining("t"))
    beat(session, "no member id", "", 0, **joining("t"))
    beat(session, "no member id, of old", "", 0, group="of-old", version=0, **joining("t"))
    beat(session, "epoch -3", "member-m", -3, **joining("t"))
    beat(session, "no timeout", "member-m", 0, **joining("t", rebalance_timeout=timedelta(milliseconds=-1)))
    beat(session, "timeout of nothing", "member-m", 0, group="zero", **joining("t", rebalance_timeout=timedelta(0)))
    beat(session, "no subscription", "member-m", 0, **joining("t", subscribed_topic_names=None))
    beat(session, "owns something already", "member-m", 0, **joining("t", **owning(NOBODY, 0)))
    beat(session, "owned partitions not said", "member-m", 0, **joining("t", topic_partitions=None))
    beat(session, "unknown assignor", "member-m", 0, **joining("t", server_assignor="best"))
    beat(session, "empty instance", "member-m", 0, **joining("t", instance_id=""))
    beat(session, "empty rack", "member-m", 0, **joining("t", rack_id=""))
    beat(session, "bad pattern", "member-m", 0, **joining(subscribed_topic_regex="(a", subscribed_topic_names=None))
    beat(session, "member of no group", "member-m", 5, group="nowhere")
    beat(session, "leaves no group", "member-m", -1, group="nowhere")
    beat(session, "static leave without an instance", "member-m", -2)
    look(session, "nothing came of it", "g", "", "nowhere")
    for version in range(2):
        look(session, "nobody", version=version)


def two_members(session: Session, identity: UUID) -> None:
    beat(session, "first joins", "member-a", 0, **joining("t"))
    beat(session, "first, nothing new", "member-a", 2)
    beat(session, "first has its partitions", "member-a", 2, **owning(identity, 0, 1, 2, 3))
    beat(session, "second joins", "member-b", 0, **joining("t"))
    look(session, "second waits", "g")
    beat(session, "first is to give some back", "member-a", 2, **owning(identity, 0, 1, 2, 3))
    look(session, "first gives back", "g")
    beat(session, "first gave back", "member-a", 2, **owning(identity, 0, 1))
    beat(session, "second gets them", "member-b", 3)
    look(session, "both have theirs", "g")
    beat(session, "second has them", "member-b", 3, **owning(identity, 2, 3))
    beat(session, "second wants another topic", "member-b", 3, subscribed_topic_names=["t", "u"])
    beat(session, "second goes on", "member-b", 4)
    beat(session, "first goes on", "member-a", 3)
    look(session, "both by two topics", "g")
    beat(session, "the range assignor", "member-b", 4, server_assignor="range")
    beat(session, "a topic that is not there", "member-b", 4, subscribed_topic_names=["t", "unknown"])
    beat(session, "second leaves", "member-b", -1)
    beat(session, "second is gone", "member-b", 5)
    beat(session, "first again", "member-a", 4)
    look(session, "one is left", "g")
    session.ask("groups", ApiKey.LIST_GROUPS, 5, states_filter=[], types_filter=[])
    session.ask("consumer groups", ApiKey.LIST_GROUPS, 5, states_filter=[], types_filter=["Consumer"])
    session.ask("classic groups", ApiKey.LIST_GROUPS, 5, states_filter=[], types_filter=["classic"])
    session.ask("stable ones", ApiKey.LIST_GROUPS, 5, states_filter=["stable", "Assigning"], types_filter=[])


def fencing(session: Session) -> None:
    first = joining("t")
    beat(session, "joins", "member-m", 0, group="f", **first)
    beat(session, "epoch too large", "member-m", 9, group="f")
    beat(session, "epoch before, nothing owned", "member-m", 1, group="f")
    beat(session, "joins again", "member-m", 0, group="f", **first)
    beat(session, "unknown member", "member-nobody", 2, group="f")
    beat(session, "unknown member leaves", "member-nobody", -1, group="f")
    beat(session, "becomes static", "member-m", 2, group="f", instance_id="i")
    beat(session, "leaves", "member-m", -1, group="f")
    look(session, "is empty", "f")


def static(session: Session) -> None:
    one = joining("t", instance_id="i")
    beat(session, "joins", "member-m1", 0, group="s", **one)
    beat(session, "another with its instance", "member-m2", 0, group="s", **one)
    beat(session, "leaves for a while", "member-m1", -2, group="s", instance_id="i")
    look(session, "is away", "s")
    beat(session, "another comes in its place", "member-m2", 0, group="s", **one)
    look(session, "is back as another", "s")
    beat(session, "the first is fenced", "member-m1", 2, group="s", instance_id="i")
    beat(session, "an instance that is not there", "member-m2", 2, group="s", instance_id="j")
    beat(session, "leaves for good", "member-m2", -1, group="s", instance_id="i")
    look(session, "is empty", "s")


def patterns(session: Session) -> None:
    beat(
        session,
        "by pattern",
        "member-m",
        0,
        group="p",
        **joining(subscribed_topic_regex="u.*", subscribed_topic_names=None),
    )
    beat(
        session,
        "by another",
        "member-m",
        0,
        group="p",
        **joining(subscribed_topic_regex="", subscribed_topic_names=["t"]),
    )
    beat(session, "by an empty one and no names", "member-m", 0, group="p",
         **joining(subscribed_topic_regex="", subscribed_topic_names=None))  # fmt: skip
    beat(session, "leaves", "member-m", -1, group="p")


def commits(session: Session) -> None:
    beat(session, "joins", "member-m", 0, group="c", **joining("t"))

    def commit(what: str, member: str, epoch: int, version: int = 9, topic: str = "t") -> None:
        line = {"partition_index": 0, "committed_offset": 5, "committed_leader_epoch": -1, "committed_metadata": "x"}
        session.ask(
            what, ApiKey.OFFSET_COMMIT, version, group_id="c", generation_id_or_member_epoch=epoch, member_id=member,
            group_instance_id=None, retention_time=timedelta(milliseconds=-1),
            topics=[{"name": topic, "partitions": [line]}],
        )  # fmt: skip

    def fetch(what: str, member: str | None, epoch: int) -> None:
        line = {"group_id": "c", "member_id": member, "member_epoch": epoch,
                "topics": [{"name": "t", "partition_indexes": (0, 1)}]}  # fmt: skip
        session.ask(what, ApiKey.OFFSET_FETCH, 9, groups=[line], require_stable=False)

    commit("by a member", "member-m", 2)
    commit("by a member, of old", "member-m", 2, 8)
    commit("by a member, unknown topic", "member-m", 2, topic="unknown")
    commit("by nobody", "", -1)
    commit("by an unknown member", "member-x", 2)
    commit("of a later epoch", "member-m", 9)
    fetch("by a member", "member-m", 2)
    fetch("by nobody", None, -1)
    fetch("by an unknown member", "member-x", 2)
    fetch("of a later epoch", "member-m", 9)
    session.ask("offsets of a topic that is read", ApiKey.OFFSET_DELETE, 0, group_id="c",
                topics=[{"name": "t", "partitions": [{"partition_index": 0}]}])  # fmt: skip
    beat(session, "leaves", "member-m", -1, group="c")
    commit("to an empty group", "", -1)


def classic(session: Session) -> None:
    """What members of the other protocol are told by a consumer group."""
    beat(session, "joins", "member-m", 0, group="k", **joining("t"))
    session.ask("describe", ApiKey.DESCRIBE_GROUPS, 5, groups=["k"], include_authorized_operations=False)
    session.ask("describe", ApiKey.DESCRIBE_GROUPS, 6, groups=["k"], include_authorized_operations=False)
    session.ask(
        "heartbeat", ApiKey.HEARTBEAT, 4, group_id="k", generation_id=2, member_id="member-m", group_instance_id=None
    )
    session.ask("sync", ApiKey.SYNC_GROUP, 5, group_id="k", generation_id=2, member_id="member-m",
                group_instance_id=None, protocol_type="consumer", protocol_name="range", assignments=[])  # fmt: skip
    session.ask("leave", ApiKey.LEAVE_GROUP, 5, group_id="k",
                members=[{"member_id": "member-x", "group_instance_id": None, "reason": None}])  # fmt: skip
    session.ask("delete", ApiKey.DELETE_GROUPS, 2, groups_names=["k", "nowhere"])

    def join(what: str, kind: str, metadata: bytes, names: Sequence[str] = ("range",)) -> None:
        session.ask(
            what, ApiKey.JOIN_GROUP, 9, group_id="k", session_timeout=timedelta(seconds=10),
            rebalance_timeout=timedelta(seconds=10), member_id="", group_instance_id=None, protocol_type=kind,
            protocols=[{"name": name, "metadata": metadata} for name in names], reason=None,
        )  # fmt: skip

    join("another kind of protocol", "connect", b"")
    join("metadata that is none", "consumer", b"")
    join("no protocols", "consumer", b"", ())
    beat(session, "leaves", "member-m", -1, group="k")
    session.ask("delete when empty", ApiKey.DELETE_GROUPS, 2, groups_names=["k"])
    look(session, "is gone", "k")


def ends(session: Session) -> None:
    session.ask("deletes all", ApiKey.DELETE_GROUPS, 2, groups_names=["f", "s", "p", "c", "g"])
    beat(session, "the last leaves", "member-a", -1)
    session.ask("deletes the last", ApiKey.DELETE_GROUPS, 2, groups_names=["g"])
    session.ask("groups", ApiKey.LIST_GROUPS, 5, states_filter=[], types_filter=[])
