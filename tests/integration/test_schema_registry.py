"""Serdes, Confluent's own serializers and the bundled registry, on a running broker."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

from broker import Broker
from streams import App, Avro, JsonSchema, Protobuf, SchemaRegistry, SchemaRegistryError, SerdeError
from streams.serde import Destination, Serde, avro_schema, json_schema
from streams.testing import TopologyTestDriver
from tests.streams.serde.registry_types import Bill, BillLine, Money


class Order(msgspec.Struct):
    who: str
    cents: int


class Customer(msgspec.Struct, frozen=True):
    id: int


class Total(msgspec.Struct):
    cents: int = 0


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    with Broker(schema_registry=True) as broker:
        yield broker


@pytest.fixture
def client(broker: Broker) -> Iterator[SchemaRegistryClient]:
    with SchemaRegistryClient({"url": broker.schema_registry_url}) as client:
        yield client


@pytest.fixture
def registry(broker: Broker) -> Iterator[SchemaRegistry]:
    registry = SchemaRegistry(broker.schema_registry_url)
    yield registry
    registry.client.close()


def context(topic: str) -> SerializationContext:
    return SerializationContext(topic, MessageField.VALUE)


def plain(order: Any, _: Any) -> dict[str, Any]:
    return {"who": order.who, "cents": order.cents}


def order(fields: dict[str, Any], _: Any) -> Order:
    return Order(**fields)


@pytest.mark.parametrize("kind", ["avro", "json", "protobuf", "nested protobuf"])
def test_confluents_records_are_read_and_ours_by_confluent(
    kind: str, client: SchemaRegistryClient, registry: SchemaRegistry
) -> None:
    topic = f"interop-{kind.replace(' ', '-')}"
    value: Any = Order("ann", 5)
    serde: Serde
    serializer: Any
    deserializer: Any
    if kind == "avro":
        text = json.dumps(avro_schema(Order))
        serde = Avro(Order)
        serializer, deserializer = AvroSerializer(client, text, plain), AvroDeserializer(client, text, order)
    elif kind == "json":
        text = json.dumps(json_schema(Order))
        serde = JsonSchema(Order)
        serializer, deserializer = JSONSerializer(text, client, plain), JSONDeserializer(text, order, client)
    else:
        value = Bill(id=5, total=Money(cents=7)) if kind == "protobuf" else BillLine(sku="x")
        serde = Protobuf(type(value))
        conf = {"use.deprecated.format": False}
        serializer = ProtobufSerializer(type(value), client, conf)
        deserializer = ProtobufDeserializer(type(value), conf, client)
    bound = serde.bound(Destination(topic, "value", registry))
    theirs, ours = serializer(value, context(topic)), bound.serialize(value)
    assert theirs[:5] == ours[:5]  # one schema, one id
    assert bound.deserialize(theirs) == value
    assert deserializer(ours, context(topic)) == value


def test_record_confluent_wrote_with_another_version_is_resolved(
    client: SchemaRegistryClient, registry: SchemaRegistry
) -> None:
    old = json.dumps({"type": "record", "name": "Order", "fields": [{"name": "who", "type": "string"}]})
    written = AvroSerializer(client, old)({"who": "ann"}, context("versions"))

    class Order(msgspec.Struct):
        who: str
        cents: int = 3

    serde = Avro(Order).bound(Destination("versions", "value", registry))
    assert serde.deserialize(written) == Order("ann", 3)
    assert serde.deserialize(serde.serialize(Order("bob", 4))) == Order("bob", 4)
    assert client.get_versions("versions-value") == [1, 2]


def test_type_that_breaks_compatibility_is_refused_with_the_cure(registry: SchemaRegistry) -> None:
    where = Destination("breaking", "value", registry)
    Avro(Total).bound(where).serialize(Total(1))

    class Other(msgspec.Struct):
        euros: str

    with pytest.raises(SchemaRegistryError, match=r"euros.*change the type so that it fits"):
        Avro(Other, name="Total").bound(where).serialize(Other("1"))


def test_registry_given_texts_of_proto_files_checks_our_descriptors(
    client: SchemaRegistryClient, registry: SchemaRegistry
) -> None:
    text = 'syntax = "proto3"; package shop; message Money { string cents = 1; }'
    client.register_schema("text-value", Schema(text, "PROTOBUF"))
    with pytest.raises(SchemaRegistryError, match="type string became int64"):
        Protobuf(Money).bound(Destination("text", "value", registry)).serialize(Money(cents=1))


def shop(**settings: Any) -> App:
    app = App("shop", **settings)
    orders = app.stream("orders", key=Avro(Customer), value=Avro(Order))
    totals = orders.group_by_key().aggregate(
        Total, lambda key, order, total: Total(total.cents + order.cents), value=Avro(Total), store="totals"
    )
    totals.to_stream().to("totals-out")
    orders.group_by(lambda key, order: order.who).reduce(
        lambda one, other: Order(one.who, one.cents + other.cents), store="by-name"
    )
    orders.to(lambda key, order: f"orders-of-{order.who}")
    return app


def test_topics_of_an_application_have_schemas_of_their_own() -> None:
    """Source topics get none: they are others'. Changelogs, repartitions and topics told by records do."""
    app = shop(schema_registry_url="mock://tests")
    assert app.schema_registry is not None
    with TopologyTestDriver(app) as driver:
        orders = driver.input_topic("orders", key=bytes, value=bytes)
        other = SchemaRegistry("mock://tests")
        other._client = app.schema_registry.client
        key = Avro(Customer).bound(Destination("orders", "key", other)).serialize(Customer(1))
        value = Avro(Order).bound(Destination("orders", "value", other)).serialize(Order("ann", 5))
        before = set(app.schema_registry.client.get_subjects())
        orders.pipe(value, key=key, timestamp=1)
        driver.restart()
        orders.pipe(value, key=key, timestamp=2)
        assert driver.store("totals").get(Customer(1)) == Total(10)
        assert [record.value for record in driver.output_topic("totals-out").read_all()] == [Total(5), Total(10)]
        assert len(driver.output_topic("orders-of-ann").read_all()) == 2
        assert set(app.schema_registry.client.get_subjects()) - before == {
            "orders-of-ann-key",
            "orders-of-ann-value",
            "shop-by-name-changelog-value",
            "shop-by-name-repartition-value",
            "shop-orders-key",
            "shop-totals-changelog-value",
            "totals-out-key",
            "totals-out-value",
        }


def test_equal_keys_of_two_schemas_find_one_row() -> None:
    """As Kafka Streams has it: a key is read and written anew, so its row does not depend on who wrote the record."""
    app = shop(schema_registry_url="mock://tests")
    with TopologyTestDriver(app) as driver:
        older = Avro(schema={**dict(avro_schema(Customer)), "doc": "written by somebody else"})  # type: ignore[arg-type]
        one, other = driver.input_topic("orders"), driver.input_topic("orders", key=older)
        one.pipe(Order("ann", 5), key=Customer(1), timestamp=1)
        other.pipe(Order("ann", 6), key={"id": 1}, timestamp=2)
        assert driver.store("totals").get(Customer(1)) == Total(11)


def test_record_that_does_not_decode_is_named_and_skipped_on_request() -> None:
    told = r"orders\[0\] at offset 0 is no valid Order.*schema registry's format"
    with (
        TopologyTestDriver(shop(schema_registry_url="mock://tests")) as driver,
        pytest.raises(SerdeError, match=told),
    ):
        driver.input_topic("orders", value=bytes).pipe(b"{}", key=Customer(1))
    with TopologyTestDriver(shop(schema_registry_url="mock://tests", deserialization_handler="continue")) as driver:
        driver.input_topic("orders", value=bytes).pipe(b"{}", key=Customer(1))
        driver.input_topic("orders").pipe(Order("ann", 5), key=Customer(1))
        assert len(driver.output_topic("totals-out").read_all()) == 1


def test_record_whose_json_is_not_its_type_is_named_with_the_field() -> None:
    app = App("typed")
    app.stream("orders", value=Order).to("out")
    with TopologyTestDriver(app) as driver, pytest.raises(SerdeError) as caught:
        driver.input_topic("orders", value=bytes).pipe(b'{"who": "ann", "cents": "many"}')
    assert (caught.value.topic, caught.value.partition, caught.value.offset) == ("orders", 0, 0)
    assert "`$.cents`" in str(caught.value)


def test_registry_that_does_not_answer_is_no_reason_to_skip_records() -> None:
    app = App(
        "shop",
        schema_registry_url="http://127.0.0.1:9",
        schema_registry_config={"max.retries": 0, "timeout": 1},
        deserialization_handler="continue",
        processing_handler="continue",
    )
    app.stream("orders", value=Avro(Order)).to("out")
    with TopologyTestDriver(app) as driver, pytest.raises(SchemaRegistryError, match="cannot be asked"):
        driver.input_topic("orders", value=bytes).pipe(b"\x00\x00\x00\x00\x01\x06ann\x0a")


def test_application_runs_on_broker_and_registry(broker: Broker, client: SchemaRegistryClient, worker: Any) -> None:
    run = worker(shop(schema_registry_url=broker.schema_registry_url))
    run.input_topic("orders").pipe(Order("ann", 5), key=Customer(1), timestamp=1)
    run.input_topic("orders").pipe(Order("ann", 6), key=Customer(1), timestamp=2)
    records = [run.output_topic("totals-out").read() for _ in range(2)]
    assert [(record.key, record.value) for record in records] == [(Customer(1), Total(5)), (Customer(1), Total(11))]
    assert {"shop-totals-changelog-value", "totals-out-value"} <= set(client.get_subjects())
