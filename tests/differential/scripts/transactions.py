"""Transactions: both protocols, fencing, offsets in transactions, markers, and their administration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kio.schema.errors import ErrorCode

from broker.protocol.api_keys import ApiKey
from tests.differential.requests import SECOND, batch, fetch, list_offsets, produce, transactional
from tests.differential.session import Session

Who = tuple[str, int, int]
"""Transactional id, producer id, epoch."""


def play(session: Session) -> None:
    session.make_topic("t", 3)
    for kind in (0, 1):  # the topics of the coordinators are made when they are first looked for
        session.quietly(ApiKey.FIND_COORDINATOR, 3, key="x", key_type=kind)
    for version in range(6):
        session.ask("idempotent", ApiKey.INIT_PRODUCER_ID, version, **init(None))
        session.ask("transactional", ApiKey.INIT_PRODUCER_ID, version, **init(f"init{version}"))
        session.ask("transactional again", ApiKey.INIT_PRODUCER_ID, version, **init(f"init{version}"))
    session.ask("empty id", ApiKey.INIT_PRODUCER_ID, 4, **init(""))
    session.ask("timeout too long", ApiKey.INIT_PRODUCER_ID, 4, **init("x", timeout=3600))
    session.ask("timeout zero", ApiKey.INIT_PRODUCER_ID, 4, **init("x", timeout=0))
    session.ask("negative timeout", ApiKey.INIT_PRODUCER_ID, 4, **init("x", timeout=-1))
    session.ask("id without epoch", ApiKey.INIT_PRODUCER_ID, 4, **init("x", producer=(5, -1)))
    session.ask("epoch without id", ApiKey.INIT_PRODUCER_ID, 4, **init("x", producer=(-1, 5)))
    session.ask("unknown id and epoch", ApiKey.INIT_PRODUCER_ID, 4, **init("new", producer=(5555, 5)))
    for version in range(5):
        first_protocol(session, version)
    fencing(session)
    second_protocol(session)
    offsets(session)
    administration(session)


def init(name: str | None, *, timeout: int = 60, producer: tuple[int, int] = (-1, -1)) -> dict[str, Any]:
    return {
        "transactional_id": name,
        "transaction_timeout": timeout * SECOND,
        "producer_id": producer[0],
        "producer_epoch": producer[1],
    }


def begin(session: Session, name: str, version: int = 4) -> Who:
    given = session.ask(f"{name} begins", ApiKey.INIT_PRODUCER_ID, version, **init(name))
    return name, given.producer_id, given.producer_epoch


def add(who: Who, *partitions: int, topic: str = "t", verify: bool = False) -> dict[str, Any]:
    topics = [{"name": topic, "partitions": partitions}]
    return {
        "v3_and_below_transactional_id": who[0],
        "v3_and_below_producer_id": who[1],
        "v3_and_below_producer_epoch": who[2],
        "v3_and_below_topics": topics,
        "transactions": [
            {
                "transactional_id": who[0],
                "producer_id": who[1],
                "producer_epoch": who[2],
                "verify_only": verify,
                "topics": topics,
            }
        ],
    }


def end(who: Who, *, commit: bool) -> dict[str, Any]:
    return {"transactional_id": who[0], "producer_id": who[1], "producer_epoch": who[2], "committed": commit}


def write(who: Who, sequence: int, *values: str, partition: int = 0) -> dict[str, Any]:
    data = transactional(*values, producer=(who[1], who[2], sequence))
    return produce(data, partition=partition, transactional_id=who[0])


def settled(session: Session, partition: int = 0) -> None:
    """Waits until nothing is open in the partition: Apache Kafka writes markers after it has answered."""

    def closed(answer: Any) -> bool:
        return all(one.current_txn_start_offset == -1 for one in answer.topics[0].partitions[0].active_producers)

    session.quietly(
        ApiKey.DESCRIBE_PRODUCERS, 0, topics=[{"name": "t", "partition_indexes": (partition,)}], until=closed
    )


def first_protocol(session: Session, version: int) -> None:
    """As clients before KIP-890 do it, by the versions of EndTxn."""
    who = begin(session, f"one{version}")
    session.ask("before it is added", ApiKey.PRODUCE, 9, **write(who, 0, "early"))
    session.ask("partitions", ApiKey.ADD_PARTITIONS_TO_TXN, min(version, 3), **add(who, 0, 1))
    session.ask("the same again", ApiKey.ADD_PARTITIONS_TO_TXN, min(version, 3), **add(who, 0))
    session.ask("unknown partition", ApiKey.ADD_PARTITIONS_TO_TXN, min(version, 3), **add(who, 0, 9))
    session.ask("in the transaction", ApiKey.PRODUCE, 9, **write(who, 0, "a", "b"))
    session.ask("not transactional", ApiKey.PRODUCE, 9, **produce(batch("plain", producer=(who[1], who[2], 2))))
    session.ask("open, read committed", ApiKey.LIST_OFFSETS, 5, **list_offsets(-1, isolation=1))
    session.ask("open, read uncommitted", ApiKey.LIST_OFFSETS, 5, **list_offsets(-1))
    session.ask("commit" if version % 2 else "abort", ApiKey.END_TXN, version, **end(who, commit=bool(version % 2)))
    settled(session)
    session.ask("the same again", ApiKey.END_TXN, version, **end(who, commit=bool(version % 2)))
    session.ask("the other", ApiKey.END_TXN, version, **end(who, commit=not version % 2))
    session.ask("after the end", ApiKey.PRODUCE, 9, **write(who, 2, "late"))
    session.ask("ended, read committed", ApiKey.FETCH, 11, **fetch(0, isolation=1))


def fencing(session: Session) -> None:
    old = begin(session, "fenced")
    session.ask("partitions", ApiKey.ADD_PARTITIONS_TO_TXN, 3, **add(old, 1))
    session.ask("open", ApiKey.PRODUCE, 9, **write(old, 0, "left behind", partition=1))
    new = begin(session, "fenced")
    settled(session, 1)
    session.ask("of the fenced", ApiKey.PRODUCE, 9, **write(old, 1, "zombie", partition=1))
    for version in range(4):
        session.ask("of the fenced", ApiKey.ADD_PARTITIONS_TO_TXN, version, **add(old, 1))
        session.ask("of the fenced", ApiKey.ADD_OFFSETS_TO_TXN, version, transactional_id=old[0], producer_id=old[1],
                    producer_epoch=old[2], group_id="g")  # fmt: skip
    for version in range(6):
        session.ask("of the fenced", ApiKey.END_TXN, version, **end(old, commit=True))
    for version in (3, 4, 5):
        session.ask("of the fenced", ApiKey.INIT_PRODUCER_ID, version, **init("fenced", producer=old[1:]))
    session.ask("epoch of the future", ApiKey.END_TXN, 2, **end((new[0], new[1], 99), commit=True))
    session.ask("unknown producer id", ApiKey.END_TXN, 2, **end((new[0], 99_999, 0), commit=True))
    session.ask("unknown transactional id", ApiKey.END_TXN, 2, **end(("unknown", 1, 0), commit=True))
    session.ask("unknown transactional id", ApiKey.ADD_PARTITIONS_TO_TXN, 3, **add(("unknown", 1, 0), 0))
    session.ask("nothing begun", ApiKey.END_TXN, 3, **end(new, commit=True))
    session.ask("nothing begun", ApiKey.END_TXN, 3, **end(new, commit=False))
    session.ask("keeps its id", ApiKey.INIT_PRODUCER_ID, 4, **init("fenced", producer=new[1:]))
    session.ask("once more", ApiKey.INIT_PRODUCER_ID, 4, **init("fenced", producer=new[1:]))
    session.ask("log", ApiKey.FETCH, 11, **fetch(0, partition=1, isolation=1))


def second_protocol(session: Session) -> None:
    """As clients with KIP-890 do it: partitions are added by Produce, each end raises the epoch."""
    who = begin(session, "two", 5)
    session.ask("adds itself", ApiKey.PRODUCE, 12, **write(who, 0, "a", partition=2))
    ended = session.ask("commit", ApiKey.END_TXN, 5, **end(who, commit=True))
    settled(session, 2)
    session.ask("commit again", ApiKey.END_TXN, 5, **end(who, commit=True))
    who = (who[0], ended.producer_id, ended.producer_epoch)
    session.ask("epoch before", ApiKey.PRODUCE, 12, **write((who[0], who[1], who[2] - 1), 1, "zombie", partition=2))
    session.ask("sequence does not start anew", ApiKey.PRODUCE, 12, **write(who, 5, "b", partition=2))
    session.ask("sequence starts anew", ApiKey.PRODUCE, 12, **write(who, 0, "b", partition=2))
    ended = session.ask("abort", ApiKey.END_TXN, 5, **end(who, commit=False))
    settled(session, 2)
    session.ask("abort again", ApiKey.END_TXN, 5, **end(who, commit=False))
    who = (who[0], ended.producer_id, ended.producer_epoch)
    session.ask("commit of nothing", ApiKey.END_TXN, 5, **end(who, commit=True))
    session.ask("abort of nothing", ApiKey.END_TXN, 5, **end(who, commit=False))
    session.ask("wrong transactional id", ApiKey.PRODUCE, 12, **write(("unknown", who[1], who[2]), 0, "c", partition=2))
    session.ask("verified by a broker", ApiKey.ADD_PARTITIONS_TO_TXN, 5, **add(who, 2, verify=True))
    session.ask("log", ApiKey.FETCH, 12, **fetch(0, partition=2, isolation=1))


def offsets(session: Session) -> None:
    for version in range(6):
        who = begin(session, f"offsets{version}", 5 if version == 5 else 4)
        group = f"group{version}"
        if version < 5:
            session.ask("group", ApiKey.ADD_OFFSETS_TO_TXN, min(version, 4), transactional_id=who[0],
                        producer_id=who[1], producer_epoch=who[2], group_id=group)  # fmt: skip
        session.ask("in the transaction", ApiKey.TXN_OFFSET_COMMIT, version, **commit(who, group))
        session.ask("not yet", ApiKey.OFFSET_FETCH, 6, **wanted(group))
        session.ask("not stable", ApiKey.OFFSET_FETCH, 7, **wanted(group), require_stable=True, passing=())
        session.ask("commit", ApiKey.END_TXN, min(version, 5), **end(who, commit=True))
        session.ask("now", ApiKey.OFFSET_FETCH, 7, **wanted(group), require_stable=True,
                    passing=(ErrorCode.unstable_offset_commit,))  # fmt: skip
    who = begin(session, "group checks")
    session.ask("group", ApiKey.ADD_OFFSETS_TO_TXN, 3, transactional_id=who[0], producer_id=who[1],
                producer_epoch=who[2], group_id="checked")  # fmt: skip
    session.ask("unknown member", ApiKey.TXN_OFFSET_COMMIT, 3, **commit(who, "checked", generation=1, member="x"))
    session.ask("generation alone", ApiKey.TXN_OFFSET_COMMIT, 3, **commit(who, "checked", generation=1))
    session.ask("unknown topic", ApiKey.TXN_OFFSET_COMMIT, 3, **commit(who, "checked", topic="unknown"))
    session.ask("wrong epoch", ApiKey.TXN_OFFSET_COMMIT, 3, **commit((who[0], who[1], who[2] + 5), "checked"))
    session.ask("other group", ApiKey.TXN_OFFSET_COMMIT, 3, **commit(who, "not added"))
    session.ask("empty group", ApiKey.ADD_OFFSETS_TO_TXN, 3, transactional_id=who[0], producer_id=who[1],
                producer_epoch=who[2], group_id="")  # fmt: skip
    session.ask("abort", ApiKey.END_TXN, 3, **end(who, commit=False))
    session.ask("aborted", ApiKey.OFFSET_FETCH, 6, **wanted("checked"))


def commit(who: Who, group: str, *, generation: int = -1, member: str = "", topic: str = "t") -> dict[str, Any]:
    line = {"partition_index": 0, "committed_offset": 3, "committed_leader_epoch": 0, "committed_metadata": "m"}
    return {
        "transactional_id": who[0],
        "group_id": group,
        "producer_id": who[1],
        "producer_epoch": who[2],
        "generation_id": generation,
        "member_id": member,
        "group_instance_id": None,
        "topics": [{"name": topic, "partitions": [line]}],
    }


def wanted(group: str) -> dict[str, Any]:
    return {"group_id": group, "topics": [{"name": "t", "partition_indexes": (0,)}]}


def administration(session: Session) -> None:
    who = begin(session, "seen")
    session.ask("partitions", ApiKey.ADD_PARTITIONS_TO_TXN, 3, **add(who, 1, 2))
    session.ask("open", ApiKey.PRODUCE, 9, **write(who, 0, "a", partition=1))
    session.ask("open and unknown", ApiKey.DESCRIBE_TRANSACTIONS, 0,
                transactional_ids=("seen", "unknown", ""))  # fmt: skip
    looked_at = {"t": (1, 9), "unknown": (0,)}
    topics = [{"name": name, "partition_indexes": indexes} for name, indexes in looked_at.items()]
    session.ask("producers", ApiKey.DESCRIBE_PRODUCERS, 0, topics=topics)

    def listing(what: str, version: int, states: Sequence[str] = (), ids: Sequence[int] = (), **more: Any) -> None:
        fields = {"state_filters": tuple(states), "producer_id_filters": tuple(ids), "duration_filter": -1}
        fields |= {"transactional_id_pattern": None, **more}
        session.ask(what, ApiKey.LIST_TRANSACTIONS, version, **fields)

    for version in range(3):
        listing("ongoing", version, ["Ongoing"])
    listing("all", 2)
    listing("unknown state", 2, ["Asleep"])
    listing("by producer", 2, ids=[who[1]])
    listing("by pattern", 2, transactional_id_pattern="init[0-3]")
    listing("by a bad pattern", 2, transactional_id_pattern="init[")
    listing("by duration", 2, duration_filter=100_000)
    session.ask("abort", ApiKey.END_TXN, 3, **end(who, commit=False))
