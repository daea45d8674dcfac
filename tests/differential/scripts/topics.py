"""Topics: made, described, widened, emptied and deleted, and everything that is refused."""

from __future__ import annotations

from uuid import UUID

from broker.protocol.api_keys import ApiKey
from tests.differential.requests import SECOND, batch, create, list_offsets, produce, topic
from tests.differential.session import Session

NOBODY = UUID("00000000-0000-0000-0000-00000000beef")


def play(session: Session) -> None:
    creation(session)
    description(session)
    partitions(session)
    deleted_records(session)
    deletion(session)


def creation(session: Session) -> None:
    for version in range(2, 8):
        session.ask(
            "new, with a config", ApiKey.CREATE_TOPICS, version, **create(topic(f"v{version}", 2, retention_ms="-1"))
        )
        session.await_topic(f"v{version}")
    session.ask("exists", ApiKey.CREATE_TOPICS, 7, **create(topic("v7")))
    session.ask("exists, validate only", ApiKey.CREATE_TOPICS, 7, **create(topic("v7"), validate_only=True))
    session.ask("validate only", ApiKey.CREATE_TOPICS, 7, **create(topic("phantom", 3), validate_only=True))
    session.ask("the phantom is not there", ApiKey.DELETE_TOPICS, 5, topic_names=["phantom"], timeout=5 * SECOND)
    session.ask("the broker's counts", ApiKey.CREATE_TOPICS, 7, **create(topic("defaults", -1, replication=-1)))
    for name in ("", ".", "..", "a b", "a/b", "ä", "x" * 250):
        session.ask(f"name {name[:10]!r}", ApiKey.CREATE_TOPICS, 7, **create(topic(name)))
    session.ask("dots and underscores collide", ApiKey.CREATE_TOPICS, 7, **create(topic("d.o_t")))
    session.ask("they do", ApiKey.CREATE_TOPICS, 7, **create(topic("d_o.t")))
    session.ask("no partitions", ApiKey.CREATE_TOPICS, 7, **create(topic("zero", 0)))
    session.ask("negative partitions", ApiKey.CREATE_TOPICS, 7, **create(topic("negative", -2)))
    session.ask("no replicas", ApiKey.CREATE_TOPICS, 7, **create(topic("unreplicated", 1, replication=0)))
    session.ask(
        "three replicas", ApiKey.CREATE_TOPICS, 7, **create(topic("replicated", 1, replication=3), validate_only=True)
    )
    session.ask(
        "assigned", ApiKey.CREATE_TOPICS, 7,
        **create(topic("assigned", -1, replication=-1, assignments=[(0, [1]), (1, [1])])),
    )  # fmt: skip
    session.ask(
        "assigned and counted", ApiKey.CREATE_TOPICS, 7,
        **create(topic("both", 1, replication=1, assignments=[(0, [1])])),
    )  # fmt: skip
    session.ask(
        "assigned with a gap", ApiKey.CREATE_TOPICS, 7,
        **create(topic("gap", -1, replication=-1, assignments=[(0, [1]), (2, [1])])),
    )  # fmt: skip
    session.ask(
        "assigned to nobody", ApiKey.CREATE_TOPICS, 7,
        **create(topic("nobody", -1, replication=-1, assignments=[(0, [9])]), validate_only=True),
    )  # fmt: skip
    session.ask("the same twice", ApiKey.CREATE_TOPICS, 7, **create(topic("twice"), topic("twice")))
    session.ask("good and bad", ApiKey.CREATE_TOPICS, 7, **create(topic("good"), topic("b a d")))
    for name, value in (
        ("no.such.config", "1"),
        ("retention.ms", "soon"),
        ("retention.ms", "-2"),
        ("retention.ms", None),
        ("cleanup.policy", "burn"),
        ("cleanup.policy", "compact,delete"),
        ("cleanup.policy", ""),
        ("compression.type", "zip"),
        ("segment.bytes", "13"),
        ("segment.bytes", "1048576"),
        ("min.cleanable.dirty.ratio", "1.1"),
        ("message.timestamp.type", "createtime"),
        ("preallocate", "perhaps"),
        ("max.compaction.lag.ms", "0"),
        ("min.insync.replicas", "0"),
        ("max.message.bytes", "2147483648"),
    ):
        asked = topic(f"c.{name}.{value}".replace(",", "."))
        asked["configs"] = [{"name": name, "value": value}]
        session.ask(f"{name}={value}", ApiKey.CREATE_TOPICS, 7, **create(asked, validate_only=True))
    lag = topic("lag", min_compaction_lag_ms="10", max_compaction_lag_ms="5")
    session.ask("lags that cross", ApiKey.CREATE_TOPICS, 7, **create(lag))


def description(session: Session) -> None:
    for version in range(14):
        session.ask(
            "one topic", ApiKey.METADATA, version,
            topics=[{"topic_id": None, "name": "v2"}], allow_auto_topic_creation=False,
        )  # fmt: skip
    session.ask("by id", ApiKey.METADATA, 12, topics=[{"topic_id": session.topic_ids["v2"], "name": None}],
                allow_auto_topic_creation=False)  # fmt: skip
    session.ask("by an unknown id", ApiKey.METADATA, 12, topics=[{"topic_id": NOBODY, "name": None}],
                allow_auto_topic_creation=False)  # fmt: skip
    session.ask("by id and name", ApiKey.METADATA, 12, topics=[{"topic_id": session.topic_ids["v2"], "name": "v3"}],
                allow_auto_topic_creation=False)  # fmt: skip
    session.ask("unknown name", ApiKey.METADATA, 9, topics=[{"name": "unknown"}], allow_auto_topic_creation=False)
    session.ask("bad name", ApiKey.METADATA, 9, topics=[{"name": "b a d"}], allow_auto_topic_creation=True)
    session.ask("none", ApiKey.METADATA, 9, topics=[], allow_auto_topic_creation=False)
    session.ask("all", ApiKey.METADATA, 9, topics=None, allow_auto_topic_creation=False)
    session.ask("all, of old", ApiKey.METADATA, 0, topics=[])
    session.ask("twice the same", ApiKey.METADATA, 9, topics=[{"name": "v2"}, {"name": "v2"}],
                allow_auto_topic_creation=False)  # fmt: skip
    for version in range(3):
        session.ask("cluster", ApiKey.DESCRIBE_CLUSTER, version, endpoint_type=1)
    session.ask("controllers", ApiKey.DESCRIBE_CLUSTER, 1, endpoint_type=2)
    session.ask("a third kind of endpoint", ApiKey.DESCRIBE_CLUSTER, 1, endpoint_type=3)


def partitions(session: Session) -> None:
    def widen(what: str, version: int, name: str, count: int, assignments: object = None, check: bool = False) -> None:
        session.ask(
            what, ApiKey.CREATE_PARTITIONS, version, timeout=5 * SECOND, validate_only=check,
            topics=[{"name": name, "count": count, "assignments": assignments}],
        )  # fmt: skip

    widen("to three", 0, "v2", 3)
    widen("to four", 3, "v2", 4)
    widen("as it is", 3, "v2", 4)
    widen("narrower", 3, "v2", 1)
    widen("to zero", 3, "v2", 0)
    widen("to less than nothing", 3, "v2", -1)
    widen("validate only", 3, "v2", 9, check=True)
    widen("unknown topic", 3, "unknown", 5)
    widen("assigned", 3, "v2", 5, [{"broker_ids": (1,)}])
    widen("too few assigned", 3, "v2", 7, [{"broker_ids": (1,)}])
    widen("assigned to nobody", 3, "v2", 6, [{"broker_ids": (9,)}], check=True)
    session.ask(
        "the same topic twice", ApiKey.CREATE_PARTITIONS, 3, timeout=5 * SECOND, validate_only=False,
        topics=[{"name": "v3", "count": 5, "assignments": None}, {"name": "v3", "count": 6, "assignments": None}],
    )  # fmt: skip
    session.ask(
        "widened", ApiKey.METADATA, 9, topics=[{"name": "v2"}], allow_auto_topic_creation=False,
        until=lambda answer: len(answer.topics[0].partitions) == 5,
    )  # fmt: skip


def deleted_records(session: Session) -> None:
    session.make_topic("emptied", 1)
    session.make_topic("compacted", 1, cleanup_policy="compact")
    session.quietly(ApiKey.PRODUCE, 9, **produce(batch("a", "b", "c"), "emptied"))
    session.quietly(ApiKey.PRODUCE, 9, **produce(batch("d", "e"), "emptied"))

    def delete(what: str, version: int, offset: int, name: str = "emptied", partition: int = 0) -> None:
        session.ask(
            what, ApiKey.DELETE_RECORDS, version, timeout=5 * SECOND,
            topics=[{"name": name, "partitions": [{"partition_index": partition, "offset": offset}]}],
        )  # fmt: skip

    for version in range(3):
        delete("in the midst of a batch", version, version + 1)
        session.ask("earliest", ApiKey.LIST_OFFSETS, 5, **list_offsets(-2, "emptied"))
    delete("again", 2, 2)
    delete("beyond the end", 2, 6)
    delete("negative", 2, -2)
    delete("all", 2, -1)
    session.ask("earliest is the end", ApiKey.LIST_OFFSETS, 5, **list_offsets(-2, "emptied"))
    delete("of a compacted topic", 2, 0, "compacted")
    delete("unknown topic", 2, 0, "unknown")
    delete("unknown partition", 2, 0, "emptied", 7)


def deletion(session: Session) -> None:
    for version in range(1, 6):
        session.ask("one", ApiKey.DELETE_TOPICS, version, topic_names=[f"v{version + 1}"], timeout=5 * SECOND)
    session.ask("unknown", ApiKey.DELETE_TOPICS, 5, topic_names=["unknown", "v2"], timeout=5 * SECOND)

    def delete(what: str, *topics: tuple[str | None, UUID | None]) -> None:
        asked = [{"name": name, "topic_id": identity} for name, identity in topics]
        session.ask(what, ApiKey.DELETE_TOPICS, 6, topics=asked, timeout=5 * SECOND)

    delete("by id", (None, session.topic_ids["v7"]))
    delete("by the same id", (None, session.topic_ids["v7"]))
    delete("by an unknown id", (None, NOBODY))
    delete("by name", ("good", None))
    delete("the same twice", ("assigned", None), ("assigned", None))
    delete("neither name nor id", (None, None))
    session.ask(
        "deleted", ApiKey.METADATA, 9, topics=[{"name": "v4"}], allow_auto_topic_creation=False,
        until=lambda answer: not answer.topics[0].partitions,
    )  # fmt: skip
    session.ask("again under its name", ApiKey.CREATE_TOPICS, 7, **create(topic("v4", 1)))
    session.await_topic("v4")
    session.ask("with another id", ApiKey.METADATA, 12, topics=[{"name": "v4", "topic_id": None}],
                allow_auto_topic_creation=False)  # fmt: skip
