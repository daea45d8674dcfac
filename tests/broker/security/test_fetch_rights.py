"""Reading what one may not, with and without a session (KIP-227)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from kio.schema.errors import ErrorCode

from broker.protocol.api_keys import ApiKey
from broker.security.operation import AclOperation as Op
from broker.security.principal import Principal
from broker.security.resource import ResourceType
from broker.state import BrokerState
from tests.broker.groups.wire import WireClient
from tests.broker.log.partitions import batch
from tests.broker.security.guarded_broker import GuardedBroker, Right

OK, DENIED = ErrorCode.none, ErrorCode.topic_authorization_failed
MINE = Right(Op.READ, ResourceType.TOPIC, "mine")
THEIRS = Right(Op.READ, ResourceType.TOPIC, "theirs")
ADMIN = Principal("User", "admin")
HOUR_MS = 3_600_000


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedBroker]:
    with GuardedBroker(tmp_path_factory.mktemp("data"), super_users=(str(ADMIN),)) as broker:
        broker.call(furnish, broker.state)
        yield broker


def furnish(state: BrokerState) -> None:
    """Topics mine and theirs with a record each."""
    for name in ("mine", "theirs"):
        state.create_topic(name)
        state.logs.logs[name, 0].append(memoryview(bytearray(batch("v"))))


def fetch(client: WireClient, state: BrokerState, version: int, *names: str, **fields: Any) -> Any:
    """By ids, where the version has them."""
    lines = [
        {"partition": 0, "fetch_offset": 0, "partition_max_bytes": 1 << 20, "current_leader_epoch": -1},
    ]
    topics = [{"topic": name, "topic_id": state.topics.require(name).id, "partitions": lines} for name in names]
    values = {"max_wait": timedelta(0), "session_id": 0, "session_epoch": -1, **fields}
    return client.ask(
        ApiKey.FETCH,
        version,
        **{"replica_id": -1, "min_bytes": 1, "topics": topics, "forgotten_topics_data": [], **values},
    )


def told(state: BrokerState, answer: Any) -> dict[str, tuple[ErrorCode, bool, int]]:
    """By topic: code, whether there are records, high watermark."""
    found: dict[str, tuple[ErrorCode, bool, int]] = {}
    for line in answer.responses:
        (one,) = line.partitions
        topic_id: UUID | None = getattr(line, "topic_id", None)
        name = line.topic if topic_id is None else state.topics.ids[topic_id].name
        found[name] = (one.error_code, bool(one.records), one.high_watermark)
    return found


@pytest.mark.parametrize("version", range(4, 19))
def test_fetch_reads_what_it_may_and_nothing_else(guarded: GuardedBroker, version: int) -> None:
    guarded.allow_only([MINE])
    with guarded.client() as client:
        answer = fetch(client, guarded.state, version, "mine", "theirs")
    assert told(guarded.state, answer) == {"mine": (OK, True, 1), "theirs": (DENIED, False, -1)}


@pytest.mark.parametrize("version", [7, 12, 13, 18])
def test_session_obeys_the_rights_of_each_fetch(guarded: GuardedBroker, version: int) -> None:
    """What is denied is said each time; what is allowed again is read."""
    state = guarded.state
    with guarded.client() as client:
        guarded.allow_only([MINE])
        opened = fetch(client, state, version, "mine", "theirs", session_epoch=0)
        assert opened.session_id
        assert told(state, opened) == {"mine": (OK, True, 1), "theirs": (DENIED, False, -1)}

        def go_on(epoch: int) -> dict[str, tuple[ErrorCode, bool, int]]:
            return told(state, fetch(client, state, version, session_id=opened.session_id, session_epoch=epoch))

        assert go_on(1)["theirs"] == (DENIED, False, -1)
        guarded.allow_only([MINE, THEIRS])
        assert go_on(2)["theirs"] == (OK, True, 1)
        guarded.allow_only([THEIRS])
        assert go_on(3)["mine"] == (DENIED, False, -1)


@pytest.mark.parametrize("epoch", [-1, 0])
def test_denied_topic_is_told_at_once(guarded: GuardedBroker, epoch: int) -> None:
    """A client that would wait for an hour learns it now."""
    guarded.allow_only([])
    with guarded.client() as client:
        waits = {"max_wait": timedelta(milliseconds=HOUR_MS), "session_epoch": epoch}
        answer = fetch(client, guarded.state, 12, "theirs", **waits)
    assert told(guarded.state, answer) == {"theirs": (DENIED, False, -1)}
