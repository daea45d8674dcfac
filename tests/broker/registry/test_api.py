"""The registry's REST API, as confluent-kafka's own client sees it."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaException, Producer
from confluent_kafka.schema_registry import Schema, SchemaReference, SchemaRegistryClient, SchemaRegistryError
from confluent_kafka.schema_registry.schema_registry_client import ConfigCompatibilityLevel, ServerConfig

from broker import Broker, BrokerError


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    with Broker(schema_registry=True) as broker:
        yield broker


@pytest.fixture
def client(broker: Broker, request: pytest.FixtureRequest) -> Iterator[SchemaRegistryClient]:
    with SchemaRegistryClient({"url": broker.schema_registry_url}) as client:
        yield client


@pytest.fixture
def subject(request: pytest.FixtureRequest) -> str:
    return f"{request.node.name}/ü-value"


def record(*fields: tuple[str, Any], name: str = "Order", **defaults: Any) -> Schema:
    described = [
        {"name": field, "type": kind, **({"default": defaults[field]} if field in defaults else {})}
        for field, kind in fields
    ]
    return Schema(json.dumps({"type": "record", "name": name, "fields": described}), "AVRO")


def refused(code: int, call: Callable[[], Any]) -> SchemaRegistryError:
    with pytest.raises(SchemaRegistryError) as caught:
        call()
    assert caught.value.error_code == code
    assert caught.value.http_status_code == int(str(code)[:3])
    return caught.value


def test_schema_registered_is_found_by_id_subject_version_and_itself(
    client: SchemaRegistryClient, subject: str
) -> None:
    schema = record(("id", "long"))
    schema_id = client.register_schema(subject, schema)
    assert subject in client.get_subjects()
    assert client.get_versions(subject) == [1]
    latest = client.get_latest_version(subject)
    assert (latest.schema_id, latest.version, latest.subject) == (schema_id, 1, subject)
    assert json.loads(latest.schema.schema_str) == json.loads(schema.schema_str)
    assert client.lookup_schema(subject, schema).version == 1
    client.clear_caches()
    assert json.loads(client.get_schema(schema_id).schema_str) == json.loads(schema.schema_str)
    assert client.get_schema_by_guid(latest.guid).schema_str == latest.schema.schema_str
    assert client.get_subjects_by_schema_id(schema_id) == [subject]
    assert [(one.subject, one.version) for one in client.get_schema_versions(schema_id)] == [(subject, 1)]


def test_schema_registered_again_or_elsewhere_keeps_its_id(client: SchemaRegistryClient, subject: str) -> None:
    schema = record(("kept", "long"))
    first = client.register_schema(subject, schema)
    client.clear_caches()
    spaced = Schema(json.dumps(json.loads(schema.schema_str), indent=3), "AVRO")
    assert client.register_schema(subject, spaced) == first
    assert client.register_schema(f"{subject}-2", schema) == first
    assert client.get_versions(subject) == [1]


def test_schema_in_another_order_is_the_same_when_normalized(client: SchemaRegistryClient, subject: str) -> None:
    first = Schema('{"type":"record","name":"N","fields":[]}', "AVRO")
    turned = Schema('{"fields":[],"name":"N","type":"record"}', "AVRO")
    schema_id = client.register_schema(subject, first, normalize_schemas=True)
    assert client.register_schema(subject, turned, normalize_schemas=True) == schema_id


def test_unknown_things_are_answered_with_confluents_codes(client: SchemaRegistryClient, subject: str) -> None:
    refused(40403, lambda: client.get_schema(999_999))
    refused(40401, lambda: client.get_versions(subject))
    refused(40401, lambda: client.get_latest_version(subject))
    refused(40401, lambda: client.lookup_schema(subject, record(("a", "int"))))
    refused(40401, lambda: client.delete_subject(subject))
    client.register_schema(subject, record(("a", "int")))
    refused(40402, lambda: client.get_version(subject, 7))
    refused(42202, lambda: client.get_version(subject, 0))
    refused(40403, lambda: client.lookup_schema(subject, record(("b", "int"))))
    refused(40408, lambda: client.get_compatibility(subject))
    refused(40409, lambda: client.get_mode(subject))
    refused(42203, lambda: client.set_compatibility(subject, "SIDEWARD"))
    refused(42204, lambda: client.update_mode(subject, "ASLEEP"))


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("AVRO", '{"type": "record", "name": "A"}'),
        ("AVRO", '{"type": "record", "name": "A", "fields": [{"name": "b", "type": "Nowhere"}]}'),
        ("AVRO", '{"type": "record", "name": "A", "fields": [{"name": "b", "type": "int", "default": "x"}]}'),
        ("AVRO", "not json"),
        ("JSON", '{"type": "objekt"}'),
        ("JSON", '{"$ref": "#/nowhere"}'),
        ("JSON", "["),
        ("PROTOBUF", 'syntax = "proto3"; message A { string b = ; }'),
        ("PROTOBUF", "AAAA"),
        ("XML", "<a/>"),
    ],
)
def test_schema_that_is_none_is_refused(client: SchemaRegistryClient, subject: str, kind: str, text: str) -> None:
    refused(42201, lambda: client.register_schema(subject, Schema(text, kind)))
    assert subject not in client.get_subjects()


def test_incompatible_schema_is_refused_and_says_why(client: SchemaRegistryClient, subject: str) -> None:
    client.register_schema(subject, record(("id", "long")))
    worse = record(("id", "long"), ("amount", "double"))
    assert client.test_compatibility(subject, worse) is False
    error = refused(409, lambda: client.register_schema(subject, worse))
    assert "amount" in error.error_message
    assert client.register_schema(subject, record(("id", "long"), ("amount", "double"), amount=0.0)) > 0
    assert client.get_versions(subject) == [1, 2]


def test_level_of_a_subject_wins_over_the_registrys(client: SchemaRegistryClient, subject: str) -> None:
    assert client.get_compatibility() == "BACKWARD"
    client.register_schema(subject, record(("id", "long")))
    client.set_compatibility(subject, "NONE")
    assert client.get_compatibility(subject) == "NONE"
    assert client.register_schema(subject, record(("id", "string"))) > 0
    client.delete_config(subject)
    refused(40408, lambda: client.get_compatibility(subject))
    refused(409, lambda: client.register_schema(subject, record(("id", "boolean"))))
    client.set_config(subject, ServerConfig(compatibility=ConfigCompatibilityLevel.FULL))
    assert client.get_config(subject).compatibility_level == ConfigCompatibilityLevel.FULL


@pytest.mark.parametrize(
    ("level", "allowed"), [("BACKWARD", True), ("BACKWARD_TRANSITIVE", False), ("FORWARD", True), ("FULL", True)]
)
def test_transitive_level_looks_at_all_versions(
    client: SchemaRegistryClient, subject: str, level: str, allowed: bool
) -> None:
    client.set_compatibility(subject, "NONE")
    client.register_schema(subject, record(("a", "int")))
    client.register_schema(subject, record(("a", "int"), ("b", "string"), b=""))
    client.set_compatibility(subject, level)
    newest = record(("a", "int"), ("b", "string"))  # reads the second version, but not the first
    assert client.test_compatibility_all_versions(subject, newest) is allowed


def test_version_deleted_softly_is_hidden_and_can_be_read_by_id(client: SchemaRegistryClient, subject: str) -> None:
    first = client.register_schema(subject, record(("gone", "int")))
    client.register_schema(subject, record(("gone", "int"), ("b", "int"), b=0))
    refused(40407, lambda: client.delete_version(subject, 1, permanent=True))
    assert client.delete_version(subject, 1) == 1
    refused(40406, lambda: client.delete_version(subject, 1))
    assert client.get_versions(subject) == [2]
    assert client.get_versions(subject, deleted=True) == [1, 2]
    assert client.get_versions(subject, deleted_only=True) == [1]
    client.clear_caches()
    assert client.get_schema(first)
    assert client.delete_version(subject, 1, permanent=True) == 1
    client.clear_caches()
    refused(40403, lambda: client.get_schema(first))
    assert client.get_versions(subject, deleted=True) == [2]


def test_subject_is_deleted_softly_then_permanently(client: SchemaRegistryClient, subject: str) -> None:
    schema = record(("deleted", "int"))
    first = client.register_schema(subject, schema)
    refused(40405, lambda: client.delete_subject(subject, permanent=True))
    assert client.delete_subject(subject) == [1]
    refused(40404, lambda: client.delete_subject(subject))
    assert subject not in client.get_subjects()
    assert subject in client.get_subjects(deleted=True)
    client.clear_caches()
    assert client.register_schema(subject, schema) == first
    assert client.get_versions(subject) == [2]
    client.delete_subject(subject)
    assert client.delete_subject(subject, permanent=True) == [1, 2]
    assert subject not in client.get_subjects(deleted=True)


def test_references_are_resolved_listed_and_kept_from_deletion(client: SchemaRegistryClient, subject: str) -> None:
    used = f"{subject}-customer"
    client.register_schema(used, record(("name", "string"), name="Customer"))
    using = Schema(record(("who", "Customer")).schema_str, "AVRO", [SchemaReference("Customer", used, 1)])
    refused(42201, lambda: client.register_schema(subject, record(("who", "Customer"))))
    schema_id = client.register_schema(subject, using)
    client.clear_caches()
    assert client.get_schema(schema_id).references == [SchemaReference("Customer", used, 1)]
    assert client.get_referenced_by(used, 1) == [schema_id]
    refused(42206, lambda: client.delete_version(used, 1))
    refused(42206, lambda: client.delete_subject(used))
    client.delete_subject(subject)
    assert client.delete_subject(used) == [1]


def test_read_only_subject_takes_no_schema(client: SchemaRegistryClient, subject: str) -> None:
    assert client.get_global_mode() == "READWRITE"
    assert client.update_mode(subject, "READONLY") == "READONLY"
    refused(42205, lambda: client.register_schema(subject, record(("a", "int"))))
    client.delete_mode(subject)
    assert client.register_schema(subject, record(("a", "int"))) > 0
    refused(42205, lambda: client.update_mode(subject, "IMPORT"))


def test_imported_schema_keeps_the_id_and_version_it_comes_with(
    broker: Broker, client: SchemaRegistryClient, subject: str
) -> None:
    client.update_mode(subject, "IMPORT")
    body = {"schema": record(("imported", "int")).schema_str, "id": 70_000, "version": 5}
    request = urllib.request.Request(
        f"{broker.schema_registry_url}/subjects/imported/versions", json.dumps(body).encode(), method="POST"
    )
    client.update_mode("imported", "IMPORT")
    with urllib.request.urlopen(request) as answer:
        assert json.load(answer)["id"] == 70_000
    client.update_mode("imported", "READWRITE")
    assert client.get_versions("imported") == [5]
    assert client.register_schema("imported", record(("imported", "long"))) == 70_001


def test_types_contexts_and_pages(client: SchemaRegistryClient, subject: str) -> None:
    assert set(client.get_schema_types()) == {"AVRO", "JSON", "PROTOBUF"}
    assert client.get_contexts() == ["."]
    for number in range(3):
        client.register_schema(f"{subject}-{number}", record(("a", "int")))
    assert client.get_subjects(subject_prefix=subject, offset=1, limit=1) == [f"{subject}-1"]


def test_errors_outside_of_the_api_have_the_same_form(broker: Broker) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{broker.schema_registry_url}/nowhere")
    with caught.value as answer:
        assert json.load(answer)["error_code"] == 404


def test_state_survives_a_crash_and_is_a_compacted_topic_clients_cannot_write(subject: str) -> None:
    with Broker(schema_registry=True, fsync="always") as broker:
        url = broker.schema_registry_url
        with SchemaRegistryClient({"url": url}) as client:
            schema_id = client.register_schema(subject, record(("id", "long")))
            client.set_compatibility(subject, "FULL")
            client.register_schema("gone", record(("gone", "long")))
            client.delete_subject("gone")
        broker.kill()
        broker.restart()
        assert broker.schema_registry_url == url
        with SchemaRegistryClient({"url": url}) as client:
            assert client.get_subjects() == [subject]
            assert client.get_subjects(deleted=True) == ["gone", subject]
            assert client.get_latest_version(subject).schema_id == schema_id
            assert client.get_compatibility(subject) == "FULL"
            assert client.register_schema("next", record(("x", "int"))) == schema_id + 2
        assert [json.loads(key)["keytype"] for key in keys_of(broker, "_schemas")][:2] == ["SCHEMA", "CONFIG"]
        producer = Producer({"bootstrap.servers": broker.bootstrap_servers})
        failures: list[Any] = []
        producer.produce("_schemas", b"x", on_delivery=lambda error, message: failures.append(error))
        producer.flush(10)
        assert failures
        assert failures[0] is not None


def keys_of(broker: Broker, topic: str) -> list[bytes]:
    consumer = Consumer(
        {
            "bootstrap.servers": broker.bootstrap_servers,
            "group.id": "reader",
            "auto.offset.reset": "earliest",
            "enable.partition.eof": True,
        }
    )
    consumer.subscribe([topic])
    keys: list[bytes] = []
    try:
        while True:
            message = consumer.poll(10)
            assert message is not None
            if message.error():
                if message.error().name() == "_PARTITION_EOF":
                    return keys
                raise KafkaException(message.error())
            keys.append(message.key())
    finally:
        consumer.close()


def test_broker_without_registry_says_how_to_have_one() -> None:
    with Broker(in_process=True) as broker, pytest.raises(BrokerError, match="schema_registry=True"):
        _ = broker.schema_registry_url


def test_registry_runs_in_the_process_too(subject: str) -> None:
    with (
        Broker(in_process=True, schema_registry=True) as broker,
        SchemaRegistryClient({"url": broker.schema_registry_url}) as client,
    ):
        assert client.register_schema(subject, record(("id", "long"))) == 1
