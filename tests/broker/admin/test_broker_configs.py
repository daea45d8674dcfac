"""Configs of the broker that change while it runs: validation, sources, effects, and what a restart keeps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)
from kio.schema.errors import ErrorCode

from broker import Broker, BrokerOptions
from tests.broker.groups.wire import WireClient, wire

DESCRIBE, ALTER, INCREMENTAL = 32, 33, 44
TOPIC, BROKER = 2, 4
SET, DELETE, APPEND, SUBTRACT = range(4)
DYNAMIC_BROKER, DYNAMIC_DEFAULT_BROKER, STATIC_BROKER, DEFAULT = 2, 3, 4, 5
Op = tuple[str, int, str | None]


class Configs:
    """The config APIs by hand."""

    def __init__(self, client: WireClient) -> None:
        self.client = client

    def change(self, name: str, *ops: Op, kind: int = BROKER, validate_only: bool = False) -> ErrorCode:
        configs = [{"name": key, "config_operation": op, "value": value} for key, op, value in ops]
        line = {"resource_type": kind, "resource_name": name, "configs": configs}
        (answer,) = self.client.ask(INCREMENTAL, 1, resources=[line], validate_only=validate_only).responses
        assert (answer.error_message is None) == (answer.error_code is ErrorCode.none)
        return answer.error_code

    def replace(self, name: str, **configs: str | None) -> ErrorCode:
        entries = [{"name": key.replace("_", "."), "value": value} for key, value in configs.items()]
        line = {"resource_type": BROKER, "resource_name": name, "configs": entries}
        return self.client.ask(ALTER, 2, resources=[line], validate_only=False).responses[0].error_code

    def entry(self, key: str, name: str = "1", kind: int = BROKER) -> Any:
        line = {"resource_type": kind, "resource_name": name, "configuration_keys": [key]}
        (result,) = self.client.ask(DESCRIBE, 4, resources=[line], include_synonyms=True).results
        assert result.error_code is ErrorCode.none
        return next(iter(result.configs), None)

    def shown(self, key: str, name: str = "1", kind: int = BROKER) -> tuple[str, int]:
        entry = self.entry(key, name, kind)
        return entry.value, entry.config_source


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Broker]:
    """A broker of the test's own: its settings are changed."""
    with Broker(data=tmp_path / "data") as broker:
        yield broker


@pytest.fixture
def configs(own: Broker) -> Iterator[Configs]:
    with wire(own.bootstrap_servers) as client:
        yield Configs(client)


def make_topic(broker: Broker, name: str, **config: str) -> AdminClient:
    admin = AdminClient({"bootstrap.servers": broker.bootstrap_servers})
    admin.create_topics([NewTopic(name, 1, config={key.replace("_", "."): v for key, v in config.items()})])[
        name
    ].result(10)
    return admin


def test_node_config_wins_over_the_clusters_and_both_over_the_default(configs: Configs) -> None:
    """With all of them told as synonyms, the one that counts first."""
    assert configs.change("", ("log.retention.bytes", SET, "2000")) is ErrorCode.none
    assert configs.shown("log.retention.bytes") == ("2000", DYNAMIC_DEFAULT_BROKER)
    assert configs.shown("log.retention.bytes", name="") == ("2000", DYNAMIC_DEFAULT_BROKER)
    assert configs.change("1", ("log.retention.bytes", SET, " 1000 ")) is ErrorCode.none
    entry = configs.entry("log.retention.bytes")
    assert [(one.value, one.source) for one in entry.synonyms] == [
        ("1000", DYNAMIC_BROKER),
        ("2000", DYNAMIC_DEFAULT_BROKER),
        ("-1", DEFAULT),
    ]
    assert configs.change("1", ("log.retention.bytes", DELETE, None)) is ErrorCode.none
    assert configs.change("", ("log.retention.bytes", DELETE, None)) is ErrorCode.none
    assert configs.shown("log.retention.bytes") == ("-1", DEFAULT)
    assert configs.entry("log.retention.bytes", name="") is None


def test_broker_config_without_a_default_is_null_until_it_is_set(own: Broker, configs: Configs) -> None:
    """As in Kafka, whose log.retention.hours counts then: a topic has its default, but no synonym."""
    make_topic(own, "plain")
    assert configs.shown("log.retention.ms") == (None, DEFAULT)
    assert configs.entry("log.retention.ms").synonyms == ()
    assert configs.shown("retention.ms", "plain", TOPIC) == ("604800000", DEFAULT)
    assert configs.entry("retention.ms", "plain", TOPIC).synonyms == ()
    assert configs.change("1", ("log.retention.ms", SET, "1000")) is ErrorCode.none
    (synonym,) = configs.entry("retention.ms", "plain", TOPIC).synonyms
    assert (synonym.name, synonym.value, synonym.source) == ("log.retention.ms", "1000", DYNAMIC_BROKER)


def test_settings_of_the_start_are_told_as_static(tmp_path: Path) -> None:
    options = {"max_connections": 77, "max_connections_per_ip": 66, "connections_max_idle_ms": 5_000_000,
               "fetch_session_cache_slots": 55, "queued_max_request_bytes": 50_000_000}  # fmt: skip
    with (
        Broker(options=BrokerOptions(data=tmp_path / "data", **options)) as broker,
        wire(broker.bootstrap_servers) as client,
    ):
        shown = Configs(client).shown
        assert shown("node.id") == ("1", STATIC_BROKER)
        assert shown("max.connections") == ("77", STATIC_BROKER)
        assert shown("max.connections.per.ip") == ("66", STATIC_BROKER)
        assert shown("connections.max.idle.ms") == ("5000000", STATIC_BROKER)
        assert shown("max.incremental.fetch.session.cache.slots") == ("55", STATIC_BROKER)
        assert shown("queued.max.request.bytes") == ("50000000", STATIC_BROKER)


def test_limit_of_connections_is_changed_while_the_broker_runs(own: Broker, configs: Configs) -> None:
    """Those that are there stay; taken back, the limit of the start counts."""
    for name in ("max.connections", "max.connections.per.ip"):
        assert configs.change("1", (name, SET, "1")) is ErrorCode.none
        with pytest.raises((ConnectionError, AssertionError)), wire(own.bootstrap_servers) as client:
            Configs(client).entry(name)
        assert configs.shown(name) == ("1", DYNAMIC_BROKER)
        assert configs.change("1", (name, DELETE, None)) is ErrorCode.none
        with wire(own.bootstrap_servers) as client:
            assert Configs(client).shown(name) == ("2147483647", DEFAULT)


def test_broker_config_is_the_default_of_topics_that_have_none_of_their_own(own: Broker, configs: Configs) -> None:
    """Shown with the broker's source, and without a word about it in the topic's file."""
    make_topic(own, "plain")
    make_topic(own, "own", retention_ms="7")
    assert configs.change("1", ("log.retention.ms", SET, "1000")) is ErrorCode.none
    assert configs.shown("retention.ms", "plain", TOPIC) == ("1000", DYNAMIC_BROKER)
    assert configs.shown("retention.ms", "own", TOPIC) == ("7", 1)


def test_message_max_bytes_of_the_broker_counts_at_once(own: Broker, configs: Configs) -> None:
    """A batch that was good before is too large now, in a topic that was there before."""
    make_topic(own, "words")
    producer = Producer({"bootstrap.servers": own.bootstrap_servers})

    def send() -> str | None:
        outcome: list[str | None] = []
        producer.produce("words", b"x" * 5000, on_delivery=lambda error, _: outcome.append(error and error.name()))
        assert producer.flush(20) == 0
        return outcome[0]

    assert send() is None
    assert configs.change("1", ("message.max.bytes", SET, "1000")) is ErrorCode.none
    assert send() == "MSG_SIZE_TOO_LARGE"
    assert configs.change("1", ("message.max.bytes", DELETE, None)) is ErrorCode.none
    assert send() is None


@pytest.mark.parametrize(
    ("ops", "code"),
    [
        ([("num.partitions", SET, "5")], ErrorCode.invalid_request),
        ([("broker.id", SET, "5")], ErrorCode.invalid_request),
        ([("listeners", SET, "PLAINTEXT://:1")], ErrorCode.invalid_request),
        ([("no.such", SET, "5")], ErrorCode.invalid_config),
        ([("log.retention.ms", SET, "soon")], ErrorCode.invalid_request),
        ([("message.max.bytes", SET, "-1")], ErrorCode.invalid_request),
        ([("log.retention.ms", SET, None)], ErrorCode.invalid_request),
        ([("log.retention.ms", SET, "5"), ("log.retention.ms", SET, "6")], ErrorCode.invalid_request),
        ([("log.retention.ms", APPEND, "5")], ErrorCode.invalid_config),
        ([("log.retention.ms", 9, "5")], ErrorCode.invalid_request),
        ([("log.cleanup.policy", SET, "shrink")], ErrorCode.invalid_request),
        ([("log.retention.bytes", SET, "5"), ("num.partitions", SET, "5")], ErrorCode.invalid_request),
    ],
)
@pytest.mark.parametrize("name", ["1", ""])
def test_bad_broker_config_is_refused_and_changes_nothing(
    address: str, name: str, ops: list[Op], code: ErrorCode
) -> None:
    """INVALID_REQUEST where Kafka has it; all or nothing."""
    with wire(address) as client:
        configs = Configs(client)
        assert configs.change(name, *ops) is code
        assert configs.shown("log.retention.bytes") == ("-1", DEFAULT)
        assert configs.entry("log.retention.ms", "") is None


@pytest.mark.parametrize("name", ["2", "one"])
def test_config_of_another_broker_is_refused(address: str, name: str) -> None:
    with wire(address) as client:
        assert Configs(client).change(name, ("log.retention.ms", SET, "5")) is ErrorCode.invalid_request


def test_default_that_does_not_fit_a_topic_is_refused(own: Broker, configs: Configs) -> None:
    """Its own config would contradict it: the error names the topic."""
    make_topic(own, "slow", cleanup_policy="compact", min_compaction_lag_ms="5000")
    code = configs.change("1", ("log.cleaner.max.compaction.lag.ms", SET, "1000"))
    assert code is ErrorCode.invalid_request
    assert configs.shown("max.compaction.lag.ms", "slow", TOPIC)[1] == DEFAULT


def test_list_config_is_appended_to_and_subtracted_from(configs: Configs) -> None:
    assert configs.change("1", ("log.cleanup.policy", APPEND, "compact")) is ErrorCode.none
    assert configs.shown("log.cleanup.policy") == ("delete,compact", DYNAMIC_BROKER)
    assert configs.change("1", ("log.cleanup.policy", SUBTRACT, "delete")) is ErrorCode.none
    assert configs.shown("log.cleanup.policy") == ("compact", DYNAMIC_BROKER)


def test_alter_configs_replaces_all_that_was_set(configs: Configs) -> None:
    """What is not named is as it was at the start."""
    configs.change("1", ("log.retention.ms", SET, "7"))
    assert configs.replace("1", log_retention_bytes="8") is ErrorCode.none
    assert configs.shown("log.retention.bytes") == ("8", DYNAMIC_BROKER)
    assert configs.shown("log.retention.ms")[1] == DEFAULT
    assert configs.replace("1", num_partitions="8") is ErrorCode.invalid_request
    assert configs.replace("1", log_retention_ms=None) is ErrorCode.invalid_request


def test_validate_only_changes_nothing(configs: Configs) -> None:
    """But refuses what would be refused."""
    assert configs.change("1", ("log.retention.ms", SET, "7"), validate_only=True) is ErrorCode.none
    assert configs.shown("log.retention.ms")[1] == DEFAULT
    refused = configs.change("1", ("log.retention.ms", SET, "soon"), validate_only=True)
    assert refused is ErrorCode.invalid_request


def test_throttle_of_a_reassignment_is_taken_and_not_shown(configs: Configs) -> None:
    """Kafka's reassignment tool sets and removes it."""
    assert configs.change("1", ("leader.replication.throttled.rate", SET, "100")) is ErrorCode.none
    assert configs.entry("leader.replication.throttled.rate") is None


@pytest.mark.parametrize("end", [Broker.stop, Broker.kill])
def test_broker_configs_survive_a_restart(tmp_path: Path, end: Callable[[Broker], None]) -> None:
    """A clean one, and the death of the process."""
    broker = Broker(data=tmp_path / "data")
    broker.start()
    with wire(broker.bootstrap_servers) as client:
        assert Configs(client).change("", ("log.retention.ms", SET, "2000")) is ErrorCode.none
        assert Configs(client).change("1", ("log.cleaner.backoff.ms", SET, "9")) is ErrorCode.none
    make_topic(broker, "words")
    end(broker)
    with Broker(data=tmp_path / "data") as again, wire(again.bootstrap_servers) as client:
        configs = Configs(client)
        assert configs.shown("retention.ms", "words", TOPIC) == ("2000", DYNAMIC_DEFAULT_BROKER)
        assert configs.shown("log.cleaner.backoff.ms") == ("9", DYNAMIC_BROKER)


def test_confluent_admin_changes_a_broker_config(own: Broker) -> None:
    admin = AdminClient({"bootstrap.servers": own.bootstrap_servers})

    def change(name: str, value: str) -> int:
        entry = ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ResourceType.BROKER, "1", incremental_configs=[entry])
        try:
            admin.incremental_alter_configs([resource])[resource].result(10)
        except KafkaException as error:
            return error.args[0].code()
        return 0

    assert change("log.retention.ms", "1234") == 0
    assert change("num.partitions", "3") == ErrorCode.invalid_request.value
    resource = ConfigResource(ResourceType.BROKER, "1")
    described = admin.describe_configs([resource])[resource].result(10)
    assert described["log.retention.ms"].value == "1234"
    assert not described["log.retention.ms"].is_read_only
    assert described["num.partitions"].is_read_only


def test_static_configs_tell_their_source(tmp_path: Path) -> None:
    """What the broker was started with; what is Kafka's default is told as such."""
    with (
        Broker(default_partitions=7, topic_defaults={"retention.ms": "5"}) as broker,
        wire(broker.bootstrap_servers) as client,
    ):
        configs = Configs(client)
        assert configs.shown("num.partitions") == ("7", STATIC_BROKER)
        assert configs.shown("log.retention.ms") == ("5", STATIC_BROKER)
        assert configs.shown("group.max.session.timeout.ms") == ("1800000", DEFAULT)
        assert configs.entry("broker.rack").value is None
