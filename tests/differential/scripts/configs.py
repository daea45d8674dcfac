"""Configs of topics: described, altered in both ways, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from broker.protocol.api_keys import ApiKey
from tests.differential.session import Session

TOPIC, BROKER = 2, 4
SET, DELETE, APPEND, SUBTRACT = range(4)


def play(session: Session) -> None:
    session.make_topic("t", retention_bytes="1000000", cleanup_policy="compact")
    for version in range(1, 5):
        describe(session, "a few", version, keys=("retention.ms", "cleanup.policy", "segment.bytes", "no.such"))
    describe(session, "all", 4, documented=False)
    describe(session, "without synonyms", 4, synonyms=False)
    describe(session, "no keys", 4, keys=())
    describe(session, "unknown topic", 4, name="unknown")
    describe(session, "bad name", 4, name="b a d")
    describe(session, "empty name", 4, name="")
    describe(session, "a type that is none", 4, kind=77)
    describe(session, "another broker", 4, kind=BROKER, name="9")
    describe(session, "a broker that is no number", 4, kind=BROKER, name="x")
    describe(session, "a few of the broker", 4, kind=BROKER, name="1", keys=(
        "num.partitions", "auto.create.topics.enable", "node.id", "message.max.bytes", "log.retention.ms",
        "log.cleanup.policy", "group.max.size", "offsets.retention.minutes", "delete.topic.enable"))  # fmt: skip
    incremental(session)
    whole(session)


def describe(
    session: Session, what: str, version: int, *, name: str = "t", kind: int = TOPIC,
    keys: Sequence[str] | None = None, synonyms: bool = True, documented: bool = False,
) -> None:  # fmt: skip
    asked = {
        "resource_type": kind,
        "resource_name": name,
        "configuration_keys": None if keys is None else tuple(keys),
    }
    session.ask(what, ApiKey.DESCRIBE_CONFIGS, version, resources=[asked], include_synonyms=synonyms,
                include_documentation=documented)  # fmt: skip


def incremental(session: Session) -> None:
    def alter(
        what: str, *changes: tuple[str, int, str | None], version: int = 1, check: bool = False, **more: Any
    ) -> None:
        configs = [{"name": name, "config_operation": kind, "value": value} for name, kind, value in changes]
        asked = {"resource_type": TOPIC, "resource_name": "t", "configs": configs, **more}
        session.ask(what, ApiKey.INCREMENTAL_ALTER_CONFIGS, version, resources=[asked], validate_only=check)
        if not more and not check:
            session.quietly(ApiKey.LIST_GROUPS, 0)
            describe_overrides(session)

    for version in (0, 1):
        alter("set", ("retention.ms", SET, "60000"), version=version)
    alter("set two", ("retention.ms", SET, "70000"), ("segment.bytes", SET, "2000000"))
    alter("delete", ("retention.ms", DELETE, None))
    alter("delete what is not set", ("flush.ms", DELETE, None))
    alter("append", ("cleanup.policy", APPEND, "delete"))
    alter("append what is there", ("cleanup.policy", APPEND, "delete"))
    alter("subtract", ("cleanup.policy", SUBTRACT, "compact"))
    alter("subtract what is not there", ("cleanup.policy", SUBTRACT, "compact"))
    alter("subtract the last", ("cleanup.policy", SUBTRACT, "delete"))
    alter("append to what is no list", ("retention.ms", APPEND, "1"))
    alter("subtract from what is no list", ("retention.ms", SUBTRACT, "1"))
    alter("unknown name", ("no.such", SET, "1"))
    alter("unknown name deleted", ("no.such", DELETE, None))
    alter("bad value", ("retention.ms", SET, "soon"))
    alter("null value", ("retention.ms", SET, None))
    alter("empty value", ("retention.ms", SET, ""))
    alter("spaces around", ("retention.ms", SET, " 5000 "))
    alter("unknown operation", ("retention.ms", 9, "1"))
    alter("one twice", ("retention.ms", SET, "1"), ("retention.ms", SET, "2"))
    alter("good and bad", ("retention.ms", SET, "80000"), ("segment.bytes", SET, "1"))
    alter("nothing")
    alter("only validated", ("retention.ms", SET, "90000"), check=True)
    alter("bad, only validated", ("retention.ms", SET, "x"), check=True)
    alter("unknown topic", ("retention.ms", SET, "1"), resource_name="unknown")
    alter("bad topic name", ("retention.ms", SET, "1"), resource_name="b a d")
    alter("unknown type", ("retention.ms", SET, "1"), resource_type=77)
    alter("unknown broker", ("log.cleaner.threads", SET, "1"), resource_type=BROKER, resource_name="9")
    asked = {"resource_type": TOPIC, "resource_name": "t",
             "configs": [{"name": "flush.ms", "config_operation": SET, "value": "5"}]}  # fmt: skip
    session.ask("a resource twice", ApiKey.INCREMENTAL_ALTER_CONFIGS, 1, resources=[asked, asked], validate_only=False)


def describe_overrides(session: Session) -> None:
    describe(session, "thereafter", 4, keys=("retention.ms", "cleanup.policy", "segment.bytes"), synonyms=False)


def whole(session: Session) -> None:
    def alter(what: str, version: int = 2, check: bool = False, name: str = "t", **configs: str | None) -> None:
        lines = [{"name": key.replace("_", "."), "value": value} for key, value in configs.items()]
        asked = {"resource_type": TOPIC, "resource_name": name, "configs": lines}
        session.ask(what, ApiKey.ALTER_CONFIGS, version, resources=[asked], validate_only=check)

    for version in range(3):
        alter("all that is set", version, retention_ms=str(1000 + version))
        describe(session, "only that is set", 4, synonyms=False)
    alter("bad value", retention_ms="soon")
    alter("null value", retention_ms=None)
    alter("unknown name", no_such="1")
    alter("only validated", check=True, retention_ms="5")
    alter("unknown topic", name="unknown", retention_ms="5")
    alter("nothing")
    describe_overrides(session)
