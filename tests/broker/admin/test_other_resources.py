"""Configs of loggers and client metrics subscriptions, and the list of what has configs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kio.schema.errors import ErrorCode

from broker import Broker
from tests.broker.groups.wire import WireClient, wire

DESCRIBE, ALTER, INCREMENTAL, LIST = 32, 33, 44, 74
TOPIC, BROKER, LOGGER, METRICS = 2, 4, 8, 16
SET, DELETE, APPEND = 0, 1, 2


@pytest.fixture
def client(address: str) -> Iterator[WireClient]:
    with wire(address) as connected:
        yield connected


def change(client: WireClient, kind: int, name: str, key: str, op: int, value: str | None) -> ErrorCode:
    line = {"resource_type": kind, "resource_name": name}
    line |= {"configs": [{"name": key, "config_operation": op, "value": value}]}
    return client.ask(INCREMENTAL, 1, resources=[line], validate_only=False).responses[0].error_code


def values(client: WireClient, kind: int, name: str) -> dict[str, tuple[str, int]]:
    line: dict[str, Any] = {"resource_type": kind, "resource_name": name, "configuration_keys": None}
    (result,) = client.ask(DESCRIBE, 4, resources=[line]).results
    assert result.error_code is ErrorCode.none
    return {entry.name: (entry.value, entry.config_source) for entry in result.configs}


def test_logger_levels_are_changed_and_inherited(client: WireClient) -> None:
    """A level that is deleted is that of the root again, which cannot be deleted."""
    assert values(client, LOGGER, "1")["broker.log"] == ("WARN", 6)
    assert change(client, LOGGER, "1", "broker.log", SET, "DEBUG") is ErrorCode.none
    assert values(client, LOGGER, "1")["broker.log"] == ("DEBUG", 6)
    assert change(client, LOGGER, "1", "root", SET, "ERROR") is ErrorCode.none
    assert change(client, LOGGER, "1", "broker.log", DELETE, None) is ErrorCode.none
    assert values(client, LOGGER, "1")["broker.log"] == ("ERROR", 6)
    assert change(client, LOGGER, "1", "root", SET, "WARN") is ErrorCode.none
    assert change(client, LOGGER, "1", "root", DELETE, None) is ErrorCode.invalid_request


@pytest.mark.parametrize(
    ("name", "key", "op", "value", "code"),
    [
        ("1", "broker.no_such", SET, "INFO", ErrorCode.invalid_config),
        ("1", "asyncio", SET, "INFO", ErrorCode.invalid_config),
        ("1", "root", SET, "debug", ErrorCode.invalid_config),
        ("1", "root", SET, None, ErrorCode.invalid_request),
        ("1", "root", APPEND, "INFO", ErrorCode.invalid_request),
        ("1", "root", 9, "INFO", ErrorCode.invalid_request),
        ("", "root", SET, "INFO", ErrorCode.invalid_request),
        ("2", "root", SET, "INFO", ErrorCode.invalid_request),
    ],
)
def test_bad_logger_change_is_refused(
    client: WireClient, name: str, key: str, op: int, value: str | None, code: ErrorCode
) -> None:
    assert change(client, LOGGER, name, key, op, value) is code
    line = {"resource_type": LOGGER, "resource_name": "1", "configs": [{"name": "root", "value": "INFO"}]}
    answer = client.ask(ALTER, 2, resources=[line], validate_only=False).responses[0]
    assert answer.error_code is ErrorCode.invalid_request


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("interval.ms", "99", ErrorCode.invalid_request),
        ("interval.ms", "soon", ErrorCode.invalid_request),
        ("no.such", "1", ErrorCode.invalid_request),
        ("match", "x=y", ErrorCode.invalid_config),
        ("match", "client_id=(", ErrorCode.invalid_config),
        ("match", "client_id", ErrorCode.invalid_config),
    ],
)
def test_bad_subscription_is_refused(client: WireClient, key: str, value: str, code: ErrorCode) -> None:
    assert change(client, METRICS, "bad", key, SET, value) is code
    assert change(client, METRICS, "", "interval.ms", SET, "1000") is ErrorCode.invalid_request


def test_client_metrics_subscription_is_kept_listed_and_removed(tmp_path: Path) -> None:
    """It is there while anything is set for it, after a restart too."""
    with Broker(data=tmp_path / "data") as broker, wire(broker.bootstrap_servers) as client:
        assert change(client, METRICS, "slow", "interval.ms", SET, "1000") is ErrorCode.none
        assert change(client, METRICS, "slow", "match", SET, "client_id=app.*,client_software_name=x") is ErrorCode.none
    with Broker(data=tmp_path / "data") as broker, wire(broker.bootstrap_servers) as client:
        assert values(client, METRICS, "slow") == {
            "interval.ms": ("1000", 7),
            "match": ("client_id=app.*,client_software_name=x", 7),
            "metrics": ("", 5),
        }
        assert [one.resource_name for one in client.ask(LIST, 0).config_resources] == ["slow"]
        for key in ("interval.ms", "match"):
            assert change(client, METRICS, "slow", key, DELETE, None) is ErrorCode.none
        assert client.ask(LIST, 0).config_resources == ()


def test_list_config_resources_by_kind(client: WireClient, topic: str) -> None:
    """All kinds if none is named; a kind there is not is UNSUPPORTED_VERSION."""
    client.ask(
        19, 7, topics=[{"name": topic, "num_partitions": 1, "replication_factor": 1, "assignments": [], "configs": []}]
    )
    everything = client.ask(LIST, 1, resource_types=[])
    found = {(one.resource_type, one.resource_name) for one in everything.config_resources}
    assert {(TOPIC, topic), (BROKER, "1"), (LOGGER, "1")} <= found
    some = client.ask(LIST, 1, resource_types=[BROKER, LOGGER]).config_resources
    assert {(one.resource_type, one.resource_name) for one in some} == {(BROKER, "1"), (LOGGER, "1")}
    assert client.ask(LIST, 1, resource_types=[99]).error_code is ErrorCode.unsupported_version
