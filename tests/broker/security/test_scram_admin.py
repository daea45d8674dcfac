"""SCRAM credentials by an administrator: set, used, listed, deleted, kept."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import (
    AdminClient,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)
from kio.schema.errors import ErrorCode

from broker import Broker, BrokerOptions
from broker.security.sasl import Sasl
from broker.server.listener import Listener
from tests.broker.groups.wire import WireClient
from tests.broker.waits import wait_for

ADMIN, ADMIN_PASSWORD = "admin", "of the settings"
DESCRIBE, ALTER = 50, 51
SHA_256, SHA_512 = 1, 2


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    options = BrokerOptions(
        data=tmp_path / "data",
        listeners=(Listener(name="INTERNAL"), Listener(name="OUTSIDE", protocol="SASL_PLAINTEXT")),
        sasl=Sasl(mechanisms=("SCRAM-SHA-256", "SCRAM-SHA-512"), users={ADMIN: ADMIN_PASSWORD}),
        failed_authentication_delay_ms=1,
    )
    with Broker(options=options) as running:
        yield running


def properties(broker: Broker, user: str, password: str, mechanism: str = "SCRAM-SHA-512") -> dict[str, Any]:
    return {
        "bootstrap.servers": broker.bootstrap_servers_of("OUTSIDE"),
        "security.protocol": "sasl_plaintext",
        "sasl.mechanism": mechanism,
        "sasl.username": user,
        "sasl.password": password,
    }


def may_connect(broker: Broker, user: str, password: str, mechanism: str = "SCRAM-SHA-512") -> bool:
    """Whether the client is let in, or learns that it is not."""
    outcome: list[bool] = []
    how = properties(broker, user, password, mechanism)
    client = Producer({**how, "linger.ms": 0, "error_cb": lambda _: outcome.append(False)})
    client.produce("t", b"v", on_delivery=lambda error, _: outcome.append(error is None))
    wait_for(lambda: (client.poll(0.05), outcome)[1], "an answer")
    client.purge()
    return outcome[0]


def test_first_administrator_comes_from_the_settings_and_makes_the_others(broker: Broker) -> None:
    admin = AdminClient(properties(broker, ADMIN, ADMIN_PASSWORD))
    info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 8_192)
    admin.alter_user_scram_credentials([UserScramCredentialUpsertion("bob", info, b"builder")])["bob"].result(10)
    assert may_connect(broker, "bob", "builder")
    assert not may_connect(broker, "bob", "guess")
    assert not may_connect(broker, "bob", "builder", "SCRAM-SHA-256")
    described = admin.describe_user_scram_credentials(["bob"])["bob"].result(10)
    assert [(one.mechanism, one.iterations) for one in described.scram_credential_infos] == [
        (ScramMechanism.SCRAM_SHA_512, 8_192)
    ]
    broker.kill()
    broker.restart()
    assert may_connect(broker, "bob", "builder")
    admin = AdminClient(properties(broker, ADMIN, ADMIN_PASSWORD))
    deletion = UserScramCredentialDeletion("bob", ScramMechanism.SCRAM_SHA_512)
    admin.alter_user_scram_credentials([deletion])["bob"].result(10)
    assert not may_connect(broker, "bob", "builder")


def test_credential_that_is_set_goes_before_the_settings(broker: Broker) -> None:
    admin = AdminClient(properties(broker, ADMIN, ADMIN_PASSWORD))
    info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4_096)
    admin.alter_user_scram_credentials([UserScramCredentialUpsertion(ADMIN, info, b"of the admin")])[ADMIN].result(10)
    assert may_connect(broker, ADMIN, "of the admin")
    assert not may_connect(broker, ADMIN, ADMIN_PASSWORD)


def test_credentials_are_in_a_file_of_their_owner(broker: Broker) -> None:
    assert broker.data is not None
    alter(broker, upsertions=[upsertion("bob")])
    assert stat.S_IMODE((broker.data / "scram-credentials.json").stat().st_mode) == 0o600


def upsertion(name: str, mechanism: int = SHA_256, **more: Any) -> dict[str, Any]:
    size = 64 if mechanism == SHA_512 else 32
    values = {
        "name": name,
        "mechanism": mechanism,
        "iterations": 4_096,
        "salt": b"salt",
        "salted_password": b"s" * size,
    }
    return values | more


def alter(
    broker: Broker, deletions: list[dict[str, Any]] | None = None, upsertions: list[dict[str, Any]] | None = None
) -> dict[str, ErrorCode]:
    with WireClient(broker.bootstrap_servers_of("INTERNAL")) as client:
        answer = client.ask(ALTER, 0, deletions=deletions or [], upsertions=upsertions or [])
    return {line.user: line.error_code for line in answer.results}


def describe(broker: Broker, names: list[str] | None) -> dict[str, tuple[ErrorCode, list[tuple[int, int]]]]:
    with WireClient(broker.bootstrap_servers_of("INTERNAL")) as client:
        users = None if names is None else [{"name": name} for name in names]
        answer = client.ask(DESCRIBE, 0, users=users)
    assert answer.error_code == ErrorCode.none
    return {
        line.user: (line.error_code, [(one.mechanism, one.iterations) for one in line.credential_infos])
        for line in answer.results
    }


def test_alter_answers_for_each_user(broker: Broker) -> None:
    assert alter(broker, upsertions=[upsertion("a"), upsertion("a", SHA_512), upsertion("b")]) == {
        "a": ErrorCode.none,
        "b": ErrorCode.none,
    }
    found = alter(
        broker,
        deletions=[{"name": "b", "mechanism": SHA_256}, {"name": "c", "mechanism": SHA_256}],
        upsertions=[
            upsertion(""),
            upsertion("few", iterations=4_095),
            upsertion("many", iterations=16_385),
            upsertion("most", iterations=16_384),
            upsertion("what", 3),
            upsertion("saltless", salt=b""),
            upsertion("short", salted_password=b"s" * 31),
            upsertion("twice"),
            upsertion("twice"),
            upsertion("half"),
            upsertion("half", SHA_512, iterations=1),
        ],
    )
    assert found == {
        "b": ErrorCode.none,
        "c": ErrorCode.resource_not_found,
        "": ErrorCode.unacceptable_credential,
        "few": ErrorCode.unacceptable_credential,
        "many": ErrorCode.unacceptable_credential,
        "most": ErrorCode.none,
        "what": ErrorCode.unsupported_sasl_mechanism,
        "saltless": ErrorCode.unacceptable_credential,
        "short": ErrorCode.unacceptable_credential,
        "twice": ErrorCode.duplicate_resource,
        "half": ErrorCode.unacceptable_credential,
    }
    for everything in (None, []):
        assert describe(broker, everything) == {
            "a": (ErrorCode.none, [(SHA_256, 4_096), (SHA_512, 4_096)]),
            "most": (ErrorCode.none, [(SHA_256, 16_384)]),
        }


def test_one_credential_deleted_and_set_in_one_request_is_a_duplicate(broker: Broker) -> None:
    alter(broker, upsertions=[upsertion("a")])
    found = alter(broker, deletions=[{"name": "a", "mechanism": SHA_256}], upsertions=[upsertion("a")])
    assert found == {"a": ErrorCode.duplicate_resource}
    assert describe(broker, ["a"])["a"][0] == ErrorCode.none


def test_describe_tells_unknown_users_and_duplicates(broker: Broker) -> None:
    alter(broker, upsertions=[upsertion("a")])
    assert describe(broker, ["a", "a", "b"]) == {
        "a": (ErrorCode.duplicate_resource, []),
        "b": (ErrorCode.resource_not_found, []),
    }
    assert describe(broker, [ADMIN]) == {ADMIN: (ErrorCode.resource_not_found, [])}, "the settings' are not told"
