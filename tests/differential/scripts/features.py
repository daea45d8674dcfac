"""UpdateFeatures, and what goes by the levels of features."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from broker.protocol.api_keys import ApiKey
from tests.differential.session import Session

UPGRADE, SAFE, UNSAFE = 1, 2, 3


def play(session: Session) -> None:
    session.make_topic("t")
    session.quietly(ApiKey.FIND_COORDINATOR, 4, key_type=0, coordinator_keys=("g",))
    refused(session)
    group_version(session)
    transaction_version(session)


def update(session: Session, what: str, *changes: tuple[str, int, int], version: int = 2, check: bool = False) -> None:
    lines = [
        {"feature": name, "max_version_level": level, "upgrade_type": kind, "allow_downgrade": kind != UPGRADE}
        for name, level, kind in changes
    ]
    session.ask(what, ApiKey.UPDATE_FEATURES, version, timeout=timedelta(seconds=5), feature_updates=lines,
                validate_only=check)  # fmt: skip


def refused(session: Session) -> None:
    for version in (0, 1, 2):
        update(session, "unknown feature", ("no.such", 1, UPGRADE), version=version)
        update(session, "above the highest", ("group.version", 99, UPGRADE), version=version)
    update(session, "negative level", ("group.version", -1, UPGRADE))
    update(session, "lower without leave", ("group.version", 0, UPGRADE))
    update(session, "unknown kind of update", ("group.version", 0, 9))
    update(session, "one good, one bad", ("group.version", 0, SAFE), ("no.such", 1, UPGRADE))
    update(session, "only validated", ("group.version", 0, SAFE), check=True)
    update(session, "the same level", ("group.version", 1, UPGRADE))
    update(session, "nothing")


def beat(session: Session, what: str, group: str, epoch: int = 0) -> Any:
    return session.ask(
        what, ApiKey.CONSUMER_GROUP_HEARTBEAT, 1, group_id=group, member_id=f"member-of-{group}", member_epoch=epoch,
        instance_id=None, rack_id=None, rebalance_timeout=timedelta(seconds=10), subscribed_topic_names=["t"],
        subscribed_topic_regex=None, server_assignor=None, topic_partitions=[],
    )  # fmt: skip


def await_level(session: Session, level: int) -> None:
    """Waits until what the controller was told has come to the broker."""

    def reached(answer: Any) -> bool:
        levels = {line.name: line.max_version_level for line in answer.finalized_features}
        return levels.get("group.version", 0) == level

    told = {"client_software_name": "wire", "client_software_version": "1"}
    session.quietly(ApiKey.API_VERSIONS, 4, until=reached, **told)


def group_version(session: Session) -> None:
    def look(when: str, group: str) -> None:
        beat(session, f"{when}: heartbeat", group)
        session.ask(f"{when}: describe", ApiKey.CONSUMER_GROUP_DESCRIBE, 1, group_ids=[group, "nobody"],
                    include_authorized_operations=False)  # fmt: skip
        beat(session, f"{when}: leave", group, -1)

    look("on", "g")
    update(session, "off", ("group.version", 0, SAFE))
    await_level(session, 0)
    look("off", "g")
    update(session, "on again", ("group.version", 1, UPGRADE))
    await_level(session, 1)
    look("on again", "h")


def transaction_version(session: Session) -> None:
    update(session, "transactions v1", ("transaction.version", 1, SAFE))
    update(session, "no transactions v1", ("transaction.version", 0, UNSAFE))
    update(session, "transactions v2", ("transaction.version", 2, UPGRADE))
