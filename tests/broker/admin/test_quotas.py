"""Client quotas: validated, kept, filtered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from kio.schema.errors import ErrorCode

from broker import Broker
from tests.broker.groups.wire import WireClient, wire

DESCRIBE, ALTER = 48, 49
EXACT, DEFAULT, ANY = 0, 1, 2
Entity = list[tuple[str, str | None]]


def alter(
    client: WireClient, entity: Entity, *quotas: tuple[str, float | None], validate_only: bool = False, version: int = 1
) -> ErrorCode:
    """Sets quotas; None removes one."""
    line = {
        "entity": [{"entity_type": kind, "entity_name": name} for kind, name in entity],
        "ops": [{"key": key, "value": value or 0.0, "remove": value is None} for key, value in quotas],
    }
    (answer,) = client.ask(ALTER, version, entries=[line], validate_only=validate_only).entries
    assert (answer.error_message is None) == (answer.error_code is ErrorCode.none)
    return answer.error_code


def describe(client: WireClient, *parts: tuple[str, int, str | None], strict: bool = False, version: int = 1) -> Any:
    components = [{"entity_type": kind, "match_type": match, "match": name} for kind, match, name in parts]
    return client.ask(DESCRIBE, version, components=components, strict=strict)


def found(client: WireClient, *parts: tuple[str, int, str | None], strict: bool = False) -> list[dict[str, str | None]]:
    """The entities that match."""
    entries = describe(client, *parts, strict=strict).entries
    return [{part.entity_type: part.entity_name for part in entry.entity} for entry in entries]


@pytest.mark.parametrize("version", range(2))
def test_quotas_survive_a_restart_and_are_removed_one_by_one(tmp_path: Path, version: int) -> None:
    with Broker(data=tmp_path / "data") as broker, wire(broker.bootstrap_servers) as client:
        quotas = (("producer_byte_rate", 1000.0), ("request_percentage", 1.5))
        assert alter(client, [("user", "ann")], *quotas, version=version) is ErrorCode.none
        validated = alter(client, [("user", "bob")], ("producer_byte_rate", 1.0), validate_only=True)
        assert validated is ErrorCode.none
        broker.kill()
    with Broker(data=tmp_path / "data") as broker, wire(broker.bootstrap_servers) as client:
        (entry,) = describe(client, version=version).entries
        assert [(part.entity_type, part.entity_name) for part in entry.entity] == [("user", "ann")]
        assert [(one.key, one.value) for one in entry.values] == [*quotas]
        assert alter(client, [("user", "ann")], ("producer_byte_rate", None)) is ErrorCode.none
        assert [one.key for one in describe(client).entries[0].values] == ["request_percentage"]
        assert alter(client, [("user", "ann")], ("request_percentage", None)) is ErrorCode.none
        assert describe(client).entries == ()


def test_filter_finds_by_name_default_and_any(tmp_path: Path) -> None:
    """Strict: only entities of these kinds and no other."""
    with Broker(data=tmp_path / "data") as broker, wire(broker.bootstrap_servers) as client:
        rate = ("consumer_byte_rate", 5.0)
        assert alter(client, [("user", "ann")], rate) is ErrorCode.none
        assert alter(client, [("user", None), ("client-id", "app")], rate) is ErrorCode.none
        assert alter(client, [("ip", "10.0.0.1")], ("connection_creation_rate", 5.0)) is ErrorCode.none
        both, ann = {"user": None, "client-id": "app"}, {"user": "ann"}
        assert len(found(client)) == 3
        assert found(client, strict=True) == []
        assert found(client, ("user", EXACT, "ann")) == [ann]
        assert found(client, ("user", DEFAULT, None)) == [both]
        assert found(client, ("user", ANY, None)) == [both, ann]
        assert found(client, ("user", ANY, None), strict=True) == [ann]
        assert found(client, ("client-id", EXACT, "app")) == [both]
        assert found(client, ("ip", ANY, None)) == [{"ip": "10.0.0.1"}]


@pytest.mark.parametrize(
    ("entity", "key", "value"),
    [
        ([("user", "ann")], "no_such", 1.0),
        ([("user", "ann")], "producer_byte_rate", -1.0),
        ([("user", "ann")], "producer_byte_rate", 0.0),
        ([("user", "ann")], "producer_byte_rate", float("nan")),
        ([("user", "ann")], "producer_byte_rate", 1.5),
        ([("user", "ann")], "connection_creation_rate", 1.0),
        ([("ip", "10.0.0.1")], "producer_byte_rate", 1.0),
        ([("ip", "not an address")], "connection_creation_rate", 1.0),
        ([("ip", "10.0.0.1"), ("user", "ann")], "connection_creation_rate", 1.0),
        ([("planet", "earth")], "producer_byte_rate", 1.0),
        ([("user", "")], "producer_byte_rate", 1.0),
        ([], "producer_byte_rate", 1.0),
    ],
)
def test_bad_quota_is_refused(address: str, entity: Entity, key: str, value: float) -> None:
    with wire(address) as client:
        line = {
            "entity": [{"entity_type": kind, "entity_name": name} for kind, name in entity],
            "ops": [{"key": key, "value": value, "remove": False}],
        }
        (answer,) = client.ask(ALTER, 1, entries=[line], validate_only=False).entries
        assert answer.error_code is ErrorCode.invalid_request
        assert answer.error_message
        assert describe(client).entries == ()


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ([("planet", ANY, None)], ErrorCode.unsupported_version),
        ([("", ANY, None)], ErrorCode.invalid_request),
        ([("user", 7, None)], ErrorCode.invalid_request),
        ([("user", EXACT, None)], ErrorCode.invalid_request),
        ([("user", DEFAULT, "ann")], ErrorCode.invalid_request),
        ([("user", ANY, None), ("user", ANY, None)], ErrorCode.invalid_request),
        ([("ip", ANY, None), ("user", ANY, None)], ErrorCode.invalid_request),
    ],
)
def test_bad_filter_is_refused(address: str, parts: list[tuple[str, int, str | None]], code: ErrorCode) -> None:
    with wire(address) as client:
        answer = describe(client, *parts)
        assert (answer.error_code, answer.entries) == (code, None)
