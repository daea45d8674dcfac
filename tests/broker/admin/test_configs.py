"""DescribeConfigs, IncrementalAlterConfigs, AlterConfigs through confluent-kafka's AdminClient and on the wire."""

from __future__ import annotations

from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ConfigSource,
    NewTopic,
    ResourceType,
)
from kio.schema.errors import ErrorCode

from tests.broker.groups.waits import wait_until
from tests.broker.groups.wire import wire

DESCRIBE, ALTER, INCREMENTAL = 32, 33, 44


@pytest.fixture
def made(admin: AdminClient, topic: str) -> str:
    """A topic with two overrides."""
    admin.create_topics([NewTopic(topic, 1, config={"retention.ms": "1000", "max.message.bytes": "2000000"})])[
        topic
    ].result(10)
    return topic


def describe(admin: AdminClient, kind: ResourceType, name: str) -> dict[str, ConfigEntry]:
    resource = ConfigResource(kind, name)
    return admin.describe_configs([resource])[resource].result(10)


def change(admin: AdminClient, topic: str, name: str, operation: AlterConfigOpType, value: str | None = None) -> int:
    """Changes one config; returns the error code."""
    entry = ConfigEntry(name, value, incremental_operation=operation)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    try:
        admin.incremental_alter_configs([resource])[resource].result(10)
    except KafkaException as error:
        return error.args[0].code()
    return 0


def test_describe_configs_tells_overrides_from_defaults(admin: AdminClient, made: str) -> None:
    """Sources as Kafka names them."""
    configs = describe(admin, ResourceType.TOPIC, made)
    overridden, default = configs["retention.ms"], configs["cleanup.policy"]
    assert (overridden.value, overridden.source) == ("1000", ConfigSource.DYNAMIC_TOPIC_CONFIG.value)
    assert (default.value, default.source) == ("delete", ConfigSource.DEFAULT_CONFIG.value)
    assert not default.is_read_only


def test_describe_configs_of_the_broker_tells_its_listener(admin: AdminClient, address: str) -> None:
    """Clients look for advertised.listeners."""
    configs = describe(admin, ResourceType.BROKER, "1")
    assert configs["advertised.listeners"].value == f"PLAINTEXT://{address}"
    assert configs["message.max.bytes"].value == "1048588"
    assert configs["advertised.listeners"].is_read_only


def test_describe_configs_of_what_is_not_there(admin: AdminClient, address: str) -> None:
    """A topic, a broker (librdkafka would wait for that one to appear), cluster-wide settings."""
    with pytest.raises(KafkaException) as raised:
        describe(admin, ResourceType.TOPIC, "no-such")
    assert raised.value.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART
    lines = [{"resource_type": 4, "resource_name": name, "configuration_keys": None} for name in ("77", "")]
    with wire(address) as client:
        other, cluster = client.ask(DESCRIBE, 4, resources=lines).results
    assert other.error_code is ErrorCode.invalid_request
    assert cluster.error_code is ErrorCode.none


@pytest.mark.parametrize("version", range(1, 5))
def test_describe_configs_on_the_wire(address: str, made: str, version: int) -> None:
    """Only the keys asked for; synonyms and documentation only if asked for."""
    line: dict[str, Any] = {"resource_type": 2, "resource_name": made, "configuration_keys": ["max.message.bytes"]}
    with wire(address) as client:
        full = client.ask(DESCRIBE, version, resources=[line], include_synonyms=True, include_documentation=True)
        (entry,) = full.results[0].configs
        assert [(s.name, s.value, s.source) for s in entry.synonyms] == [
            ("max.message.bytes", "2000000", 1),
            ("message.max.bytes", "1048588", 5),
        ]
        if version >= 3:
            assert entry.config_type == 3
            assert entry.documentation
        (entry,) = client.ask(DESCRIBE, version, resources=[line]).results[0].configs
        assert entry.synonyms == ()
        assert getattr(entry, "documentation", None) is None
        line["resource_type"] = 99
        assert client.ask(DESCRIBE, version, resources=[line]).results[0].error_code is ErrorCode.invalid_request


def test_incremental_alter_sets_and_deletes(admin: AdminClient, made: str) -> None:
    """A deleted override falls back to the default; others stay."""
    assert change(admin, made, "segment.bytes", AlterConfigOpType.SET, "2000000") == 0
    assert change(admin, made, "retention.ms", AlterConfigOpType.DELETE) == 0
    configs = describe(admin, ResourceType.TOPIC, made)
    assert (configs["segment.bytes"].value, configs["retention.ms"].value) == ("2000000", "604800000")


def test_incremental_alter_appends_and_subtracts_list_items(admin: AdminClient, made: str) -> None:
    """On lists only; an item is there once."""
    for operation, item, expected in (
        (AlterConfigOpType.APPEND, "compact", "delete,compact"),
        (AlterConfigOpType.APPEND, "compact", "delete,compact"),
        (AlterConfigOpType.SUBTRACT, "delete", "compact"),
    ):
        assert change(admin, made, "cleanup.policy", operation, item) == 0
        shown = lambda: describe(admin, ResourceType.TOPIC, made)["cleanup.policy"].value  # noqa: E731
        wait_until(lambda: shown() == expected, f"the policy is {expected}")  # noqa: B023
    assert change(admin, made, "retention.ms", AlterConfigOpType.APPEND, "1") == KafkaError.INVALID_CONFIG


def test_incremental_alter_refuses_nonsense(admin: AdminClient, made: str) -> None:
    """Unknown names, bad values, unknown topics; and nothing changes."""
    before = {name: entry.value for name, entry in describe(admin, ResourceType.TOPIC, made).items()}
    assert change(admin, made, "no.such", AlterConfigOpType.SET, "1") == KafkaError.INVALID_CONFIG
    assert change(admin, made, "retention.ms", AlterConfigOpType.SET, "soon") == KafkaError.INVALID_CONFIG
    missing = change(admin, "no-such", "retention.ms", AlterConfigOpType.SET, "1")
    assert missing == KafkaError.UNKNOWN_TOPIC_OR_PART
    assert {name: entry.value for name, entry in describe(admin, ResourceType.TOPIC, made).items()} == before


@pytest.mark.parametrize("version", range(2))
def test_incremental_alter_on_the_wire(address: str, made: str, version: int) -> None:
    """validate_only changes nothing."""
    entry = {"name": "retention.ms", "config_operation": 0, "value": "5"}
    line: dict[str, Any] = {"resource_type": 2, "resource_name": made, "configs": [entry]}
    with wire(address) as client:
        (answer,) = client.ask(INCREMENTAL, version, resources=[line], validate_only=True).responses
        assert answer.error_code is ErrorCode.none
        asked = {"resource_type": 2, "resource_name": made, "configuration_keys": ["retention.ms"]}
        assert client.ask(DESCRIBE, 4, resources=[asked]).results[0].configs[0].value == "1000"


@pytest.mark.parametrize("version", range(3))
def test_alter_configs_replaces_all_overrides(address: str, admin: AdminClient, made: str, version: int) -> None:
    """What is not named falls back to its default."""
    line = {"resource_type": 2, "resource_name": made, "configs": [{"name": "segment.bytes", "value": "2000000"}]}
    with wire(address) as client:
        (answer,) = client.ask(ALTER, version, resources=[line], validate_only=False).responses
        assert answer.error_code is ErrorCode.none
    configs = describe(admin, ResourceType.TOPIC, made)
    assert (configs["segment.bytes"].value, configs["retention.ms"].value) == ("2000000", "604800000")
