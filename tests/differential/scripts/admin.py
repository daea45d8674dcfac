"""What administrators ask for besides topics and configs: from elections to quotas, SCRAM and ACLs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from kio.schema.describe_topic_partitions.v0.request import Cursor
from kio.schema.types import TopicName
from kio.static.primitive import f64, i32

from broker.protocol.api_keys import ApiKey
from tests.differential.requests import batch, produce
from tests.differential.session import Session

PATIENCE = timedelta(seconds=5)


def play(session: Session) -> None:
    session.make_topic("t", 3)
    session.make_topic("u")
    session.quietly(ApiKey.PRODUCE, 9, **produce(batch("a" * 10)))
    topic_partitions(session)
    elections(session)
    reassignments(session)
    log_directories(session)
    resources(session)
    quotas(session)
    scram(session)
    acls(session)


def topic_partitions(session: Session) -> None:
    def ask(what: str, *names: str, limit: int = 2000, cursor: tuple[str, int] | None = None) -> None:
        session.ask(
            what, ApiKey.DESCRIBE_TOPIC_PARTITIONS, 0, topics=[{"name": name} for name in names],
            response_partition_limit=limit,
            cursor=None if cursor is None else Cursor(topic_name=TopicName(cursor[0]), partition_index=i32(cursor[1])),
        )  # fmt: skip

    ask("all")
    ask("two", "u", "t")
    ask("one twice", "t", "t")
    ask("unknown", "unknown", "t")
    ask("bad name", "b a d")
    ask("two partitions of four", "t", "u", limit=2)
    ask("no partitions", "t", limit=0)
    ask("from a cursor on", "t", "u", cursor=("t", 2))
    ask("from a cursor on, of all", cursor=("u", 0))
    ask("beyond the last one", "t", "u", cursor=("z", 0))
    ask("a cursor before the first partition", "t", cursor=("t", -1))


def elections(session: Session) -> None:
    def elect(what: str, version: int, kind: int, *asked: tuple[str, Sequence[int]], whole: bool = False) -> None:
        lines = [{"topic": name, "partitions": tuple(numbers)} for name, numbers in asked]
        session.ask(what, ApiKey.ELECT_LEADERS, version, election_type=kind,
                    topic_partitions=None if whole else lines, timeout=PATIENCE)  # fmt: skip

    for version in range(3):
        elect("preferred", version, 0, ("t", (0, 1)), ("unknown", (0,)), ("t", (9,)))
    elect("unclean", 2, 1, ("t", (0,)))
    elect("all, preferred", 2, 0, whole=True)
    elect("unknown kind", 2, 7, ("t", (0,)))
    elect("nothing", 2, 0)


def reassignments(session: Session) -> None:
    def move(what: str, *asked: tuple[str, int, Sequence[int] | None], version: int = 0, **more: Any) -> None:
        lines = [
            {"name": name, "partitions": [{"partition_index": number, "replicas": to if to is None else tuple(to)}]}
            for name, number, to in asked
        ]
        session.ask(what, ApiKey.ALTER_PARTITION_REASSIGNMENTS, version, timeout=PATIENCE, topics=lines, **more)

    move("where it is", ("t", 0, (1,)))
    move("where it is, by v1", ("t", 0, (1,)), version=1, allow_replication_factor_change=True)
    move("cancelled", ("t", 0, None))
    move("to an unknown broker", ("t", 0, (9,)))
    move("to one twice", ("t", 0, (1, 1)))
    move("to nobody", ("t", 0, ()))
    move("to a negative broker", ("t", 0, (-1,)))
    move("unknown topic", ("unknown", 0, (1,)))
    move("unknown partition", ("t", 9, (1,)))
    move("nothing")
    for what, topics in (
        ("all", None),
        ("some", [{"name": "t", "partition_indexes": (0, 9)}, {"name": "unknown", "partition_indexes": (0,)}]),
        ("none", []),
    ):
        session.ask(what, ApiKey.LIST_PARTITION_REASSIGNMENTS, 0, timeout=PATIENCE, topics=topics)


def log_directories(session: Session) -> None:
    for version in range(1, 5):
        lines = [{"topic": "t", "partitions": (0, 9)}, {"topic": "unknown", "partitions": (0,)}]
        session.ask("some", ApiKey.DESCRIBE_LOG_DIRS, version, topics=lines)
    session.ask("all", ApiKey.DESCRIBE_LOG_DIRS, 4, topics=None)
    session.ask("none", ApiKey.DESCRIBE_LOG_DIRS, 4, topics=[])
    for what, path, name, number in (
        ("to an unknown directory", "/no/such", "t", 0),
        ("to one that is no path", "logs", "t", 0),
        ("of an unknown topic", "/no/such", "unknown", 0),
    ):
        session.ask(what, ApiKey.ALTER_REPLICA_LOG_DIRS, 2,
                    dirs=[{"path": path, "topics": [{"name": name, "partitions": (number,)}]}])  # fmt: skip


def resources(session: Session) -> None:
    session.ask("client metrics", ApiKey.LIST_CONFIG_RESOURCES, 0)
    for kinds in ((), (2,), (4,), (8,), (16,), (32,), (2, 16), (77,)):
        session.ask(f"kinds {kinds}", ApiKey.LIST_CONFIG_RESOURCES, 1, resource_types=kinds)

    def alter(what: str, kind: int, name: str, **configs: str) -> None:
        entries = [
            {"name": key.replace("_", "."), "config_operation": 0, "value": value} for key, value in configs.items()
        ]
        line = {"resource_type": kind, "resource_name": name, "configs": entries}
        session.ask(what, ApiKey.INCREMENTAL_ALTER_CONFIGS, 1, resources=[line], validate_only=False)

    def describe(what: str, kind: int, name: str) -> None:
        line = {"resource_type": kind, "resource_name": name, "configuration_keys": None}
        session.ask(what, ApiKey.DESCRIBE_CONFIGS, 4, resources=[line], include_synonyms=True,
                    include_documentation=False)  # fmt: skip

    metrics, group = 16, 32
    describe("client metrics that are not there", metrics, "all")
    alter("client metrics", metrics, "all", metrics="org.apache.kafka.producer.", interval_ms="30000")
    alter("client metrics, interval too short", metrics, "all", interval_ms="5")
    alter("client metrics, unknown name", metrics, "all", no_such="1")
    alter("client metrics, bad match", metrics, "all", match="no_such=1")
    describe("client metrics", metrics, "all")
    describe("a group that is not there", group, "g")
    alter("group", group, "g", consumer_session_timeout_ms="50000")
    alter("group, too short", group, "g", consumer_session_timeout_ms="1")
    alter("group, unknown name", group, "g", no_such="1")
    alter("group without a name", group, "", consumer_session_timeout_ms="50000")
    describe("group without a name", group, "")
    session.ask("all kinds, now", ApiKey.LIST_CONFIG_RESOURCES, 1, resource_types=())


def quotas(session: Session) -> None:
    def alter(
        what: str, entity: dict[str, str | None], *ops: tuple[str, float | None], version: int = 1, check: bool = False
    ) -> None:
        line = {
            "entity": [{"entity_type": kind, "entity_name": name} for kind, name in entity.items()],
            "ops": [{"key": key, "value": f64(value or 0.0), "remove": value is None} for key, value in ops],
        }
        session.ask(what, ApiKey.ALTER_CLIENT_QUOTAS, version, entries=[line], validate_only=check)

    def look(what: str, *parts: tuple[str, int, str | None], strict: bool = False, version: int = 1) -> None:
        components = [{"entity_type": kind, "match_type": how, "match": name} for kind, how, name in parts]
        session.ask(what, ApiKey.DESCRIBE_CLIENT_QUOTAS, version, components=components, strict=strict)

    for version in range(2):
        alter("user", {"user": "ada"}, ("consumer_byte_rate", 1e6), version=version)
        look("all", version=version)
    alter(
        "user and client", {"user": "ada", "client-id": "c"}, ("producer_byte_rate", 5.5), ("request_percentage", 50.0)
    )
    alter("default user", {"user": None}, ("controller_mutation_rate", 3.0))
    alter("default client", {"client-id": None}, ("consumer_byte_rate", 7.0))
    alter("address", {"ip": "127.0.0.1"}, ("connection_creation_rate", 10.0))
    alter("only checked", {"user": "bob"}, ("consumer_byte_rate", 1.0), check=True)
    alter("unknown key", {"user": "ada"}, ("no_such", 1.0))
    alter("unknown kind", {"planet": "earth"}, ("consumer_byte_rate", 1.0))
    alter("nobody", {}, ("consumer_byte_rate", 1.0))
    alter("empty name", {"user": ""}, ("consumer_byte_rate", 1.0))
    alter("negative", {"user": "ada"}, ("consumer_byte_rate", -1.0))
    alter("zero", {"user": "ada"}, ("consumer_byte_rate", 0.0))
    alter("half a byte", {"user": "ada"}, ("consumer_byte_rate", 1.5))
    alter("half a connection", {"ip": "127.0.0.1"}, ("connection_creation_rate", 1.5))
    alter("address and user", {"ip": "127.0.0.1", "user": "ada"}, ("connection_creation_rate", 1.0))
    alter("a rate that addresses have not", {"ip": "127.0.0.1"}, ("consumer_byte_rate", 1.0))
    alter("an address that is none", {"ip": "no such host"}, ("connection_creation_rate", 1.0))
    alter("removed", {"client-id": None}, ("consumer_byte_rate", None))
    alter("removed though not there", {"client-id": "x"}, ("consumer_byte_rate", None))
    alter("nothing", {"user": "ada"})
    look("all now")
    look("users", ("user", 2, None))
    look("users alone", ("user", 2, None), strict=True)
    look("one user", ("user", 0, "ada"))
    look("one user alone", ("user", 0, "ada"), strict=True)
    look("default user", ("user", 1, None))
    look("user and client", ("user", 0, "ada"), ("client-id", 0, "c"), strict=True)
    look("addresses", ("ip", 2, None))
    look("address and user", ("ip", 2, None), ("user", 2, None))
    look("unknown kind", ("planet", 2, None))
    look("unknown match", ("user", 7, None))
    look("a kind twice", ("user", 0, "ada"), ("user", 0, "bob"))
    look("exactly nobody", ("user", 0, None))


def scram(session: Session) -> None:
    def look(what: str, *names: str, whole: bool = False) -> None:
        session.ask(what, ApiKey.DESCRIBE_USER_SCRAM_CREDENTIALS, 0,
                    users=None if whole else [{"name": name} for name in names])  # fmt: skip

    def alter(
        what: str,
        *,
        put: Sequence[tuple[str, int, int]] = (),
        drop: Sequence[tuple[str, int]] = (),
        salt: bytes = b"salt",
    ) -> None:
        session.ask(
            what, ApiKey.ALTER_USER_SCRAM_CREDENTIALS, 0,
            deletions=[{"name": name, "mechanism": kind} for name, kind in drop],
            upsertions=[
                {"name": name, "mechanism": kind, "iterations": rounds, "salt": salt, "salted_password": b"p" * 32}
                for name, kind, rounds in put
            ],
        )  # fmt: skip

    look("nobody is there", whole=True)
    alter("put", put=[("ada", 1, 4096), ("bob", 1, 4096)])
    alter("put of a user twice", put=[("ada", 1, 4096), ("ada", 2, 8192)])
    session.quietly(
        ApiKey.DESCRIBE_USER_SCRAM_CREDENTIALS, 0, users=None, until=lambda answer: len(answer.results) == 2
    )
    look("all", whole=True)
    look("none", *())
    look("some", "ada", "eve", "")
    look("one twice", "ada", "ada")
    alter("too few iterations", put=[("ada", 1, 4095)])
    alter("too many iterations", put=[("ada", 1, 16385)])
    alter("unknown mechanism", put=[("ada", 9, 4096)])
    alter("mechanism 0", put=[("ada", 0, 4096)])
    alter("empty name", put=[("", 1, 4096)])
    alter("put twice", put=[("cid", 1, 4096), ("cid", 1, 8192)])
    alter("put and dropped", put=[("bob", 1, 4096)], drop=[("bob", 1)])
    alter("dropped though not there", drop=[("eve", 1)])
    alter("one good, one bad", put=[("dan", 1, 4096)], drop=[("eve", 1)])
    alter("dropped", drop=[("ada", 1)])
    alter("nothing")


def acls(session: Session) -> None:
    """Without an authorizer."""
    line = {
        "resource_type": 2, "resource_name": "t", "resource_pattern_type": 3, "principal": "User:ada", "host": "*",
        "operation": 3, "permission_type": 3,
    }  # fmt: skip
    every = {
        "resource_type_filter": 1, "resource_name_filter": None, "pattern_type_filter": 1, "principal_filter": None,
        "host_filter": None, "operation": 1, "permission_type": 1,
    }  # fmt: skip
    for version in range(1, 4):
        session.ask("all", ApiKey.DESCRIBE_ACLS, version, **every)
        session.ask("one", ApiKey.CREATE_ACLS, version, creations=[line])
        session.ask("all", ApiKey.DELETE_ACLS, version, filters=[every])
