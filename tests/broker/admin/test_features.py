"""Levels of features: validated, kept, and told to clients."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from kio.schema.errors import ErrorCode

from broker import Broker
from tests.broker.groups.wire import WireClient, wire

UPDATE, API_VERSIONS, CONSUMER_GROUP_HEARTBEAT, CONSUMER_GROUP_DESCRIBE = 57, 18, 68, 69
UPGRADE, SAFE, UNSAFE = 1, 2, 3


def update(
    client: WireClient, *updates: tuple[str, int, int], validate_only: bool = False, version: int = 2
) -> ErrorCode:
    """(feature, level, kind of update)."""
    lines = [
        {"feature": name, "max_version_level": level, "upgrade_type": kind, "allow_downgrade": kind != UPGRADE}
        for name, level, kind in updates
    ]
    answer = client.ask(UPDATE, version, feature_updates=lines, validate_only=validate_only)
    if version < 2 and answer.error_code is ErrorCode.none:
        assert [(one.feature, one.error_code) for one in answer.results] == [(name, 0) for name, _, _ in updates]
    return answer.error_code


def level(client: WireClient, name: str = "transaction.version") -> int:
    """0: not told, so off."""
    told = client.ask(API_VERSIONS, 4, client_software_name="test", client_software_version="1")
    return {feature.name: feature.max_version_level for feature in told.finalized_features}.get(name, 0)


@pytest.mark.parametrize("version", range(3))
def test_level_is_lowered_kept_and_raised(tmp_path: Path, version: int) -> None:
    """Clients go by it: below 2 they use transactions v1."""
    with Broker(data=tmp_path / "data") as broker, wire(broker.bootstrap_servers) as client:
        assert level(client) == 2
        assert update(client, ("transaction.version", 1, SAFE), version=version) is ErrorCode.none
        assert level(client) == 1
    with Broker(data=tmp_path / "data") as broker, wire(broker.bootstrap_servers) as client:
        assert level(client) == 1
        assert update(client, ("transaction.version", 0, UNSAFE), version=version) is ErrorCode.none
        assert level(client) == 0
        assert update(client, ("transaction.version", 2, UPGRADE), version=version) is ErrorCode.none
        assert level(client) == 2


@pytest.mark.parametrize(
    "updates",
    [
        [("transaction.version", 1, UPGRADE)],
        [("transaction.version", 9, UPGRADE)],
        [("transaction.version", -1, UPGRADE)],
        [("transaction.version", 1, 9)],
        [("metadata.version", 3, SAFE)],
        [("no.such", 1, UPGRADE)],
        [("transaction.version", 1, SAFE), ("no.such", 1, UPGRADE)],
    ],
)
def test_bad_update_is_refused_and_changes_nothing(address: str, updates: list[tuple[str, int, int]]) -> None:
    """INVALID_UPDATE_VERSION, for all of them."""
    with wire(address) as client:
        assert update(client, *updates) is ErrorCode.invalid_update_version
        assert (level(client), level(client, "metadata.version")) == (2, 29)


def test_validate_only_changes_nothing(address: str) -> None:
    with wire(address) as client:
        assert update(client, ("transaction.version", 1, SAFE), validate_only=True) is ErrorCode.none
        assert level(client) == 2


def test_features_with_a_minimum_of_zero_are_supported_for_new_clients_only(address: str) -> None:
    """Older ones refuse the answer (KAFKA-17011)."""
    with wire(address) as client:
        for version, told in ((3, {"metadata.version"}), (4, {"metadata.version", "transaction.version"})):
            answer = client.ask(API_VERSIONS, version, client_software_name="test", client_software_version="1")
            assert told <= {feature.name for feature in answer.supported_features}
            assert all(feature.min_version > 0 or version >= 4 for feature in answer.supported_features)


def test_consumer_groups_are_refused_while_their_feature_is_off() -> None:
    """UNSUPPORTED_VERSION, as in Kafka with group.version 0; the API itself stays advertised."""
    beat: dict[str, Any] = {
        "group_id": "g", "member_id": "m", "member_epoch": 0, "instance_id": None, "rack_id": None,
        "rebalance_timeout": timedelta(seconds=10), "subscribed_topic_names": ["t"], "subscribed_topic_regex": None,
        "server_assignor": None, "topic_partitions": [],
    }  # fmt: skip
    with Broker() as broker, wire(broker.bootstrap_servers) as client:
        for wanted, kind, code in ((0, SAFE, ErrorCode.unsupported_version), (1, UPGRADE, ErrorCode.none)):
            assert update(client, ("group.version", wanted, kind)) is ErrorCode.none
            assert level(client, "group.version") == wanted
            assert client.ask(CONSUMER_GROUP_HEARTBEAT, 1, **beat).error_code is code
            described = client.ask(CONSUMER_GROUP_DESCRIBE, 1, group_ids=["g"], include_authorized_operations=False)
            assert described.groups[0].error_code is code
            keys = client.ask(API_VERSIONS, 4, client_software_name="test", client_software_version="1").api_keys
            assert CONSUMER_GROUP_HEARTBEAT in {line.api_key for line in keys}
