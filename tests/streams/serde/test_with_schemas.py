"""What all serdes with schemas owe: values come back, bad bytes are named, the registry is asked once, and topics have
schemas of their own."""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.errors import ConfigError, SchemaRegistryError
from streams.serde import Avro, Destination, JsonSchema, MessagePack, Protobuf, SchemaRegistry, Serde
from tests.streams.serde.registry_types import (
    Bill,
    BillLine,
    Card,
    Cash,
    Colour,
    Customer,
    Level,
    Line,
    Money,
    Order,
    Place,
    Small,
)

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
MILLIS = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))
MONEY = st.decimals("-99999", "99999", places=2)


@st.composite
def orders(draw: st.DrawFn, depth: int = 1) -> Order:
    pay = draw(st.sampled_from([Card, Cash]))
    return Order(
        id=draw(st.integers(-(2**63), 2**63 - 1)),
        at=draw(MILLIS),
        day=draw(st.dates(date(1970, 1, 1), date(2090, 1, 1))),
        amount=draw(MONEY),
        key=draw(st.uuids()),
        lines=draw(st.lists(st.builds(Line, sku=TEXT, price=MONEY, kind=st.sampled_from(["new", "used"])), max_size=2)),
        tags=draw(st.dictionaries(TEXT, st.floats(allow_nan=False, allow_infinity=False), max_size=2)),
        paid=pay(draw(TEXT)),
        place=draw(st.builds(Place, TEXT, st.none() | TEXT)),
        previous=draw(orders(depth=0)) if depth and draw(st.booleans()) else None,
        colour=draw(st.sampled_from(Colour)),
        level=draw(st.sampled_from(Level)),
        when=draw(st.none() | st.times()),
        names=draw(st.sets(TEXT, max_size=2)),
        raw=draw(st.binary(max_size=4)),
        note=draw(TEXT),
    )


LINES = st.builds(Line, sku=TEXT, price=MONEY)
PLACES = st.builds(Place, TEXT, st.none() | TEXT)
BILLS = st.builds(lambda i, c: Bill(id=i, total=Money(cents=c)), st.integers(0, 2**62), st.integers(0, 99))
PLAIN = st.dictionaries(TEXT, st.integers(0, 9), max_size=2)

CASES: dict[str, tuple[Callable[[], Serde], st.SearchStrategy[Any]]] = {
    "avro of a struct": (lambda: Avro(Order), orders()),
    "avro of a model": (lambda: Avro(Line), LINES),
    "avro of a dataclass": (lambda: Avro(Place), PLACES),
    "avro of dicts": (lambda: Avro(schema='{"type": "map", "values": "long"}'), PLAIN),
    "plain avro": (lambda: Avro(Order, wire_format="plain"), orders()),
    "json schema of a struct": (lambda: JsonSchema(Order), orders()),
    "json schema of a model": (lambda: JsonSchema(Line), LINES),
    "json schema of a dataclass": (lambda: JsonSchema(Place), PLACES),
    "json schema of dicts": (lambda: JsonSchema(schema={"type": "object", "title": "Any"}), PLAIN),
    "protobuf": (lambda: Protobuf(Bill), BILLS),
    "nested protobuf": (lambda: Protobuf(BillLine), st.builds(lambda sku: BillLine(sku=sku), TEXT)),
    "plain protobuf": (lambda: Protobuf(Bill, wire_format="plain"), BILLS),
    "messagepack": (lambda: MessagePack(Small), st.builds(Small, st.integers(-(2**63), 2**63), st.none() | TEXT)),
}
FRAMED = [name for name in CASES if "plain" not in name and name != "messagepack"]


def bound(serde: Serde, topic: str = "orders", **options: Any) -> Serde:
    return serde.bound(Destination(topic, "value", SchemaRegistry("mock://tests", **options)))


@pytest.mark.parametrize("case", CASES)
def test_serde_of_any_value_gives_it_back(case: str) -> None:
    make, values = CASES[case]
    serde = bound(make())

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
    @given(values)
    def round_trip(value: Any) -> None:
        written = serde.serialize(value)
        assert serde.deserialize(written) == value
        assert serde.serialize(serde.deserialize(written)) == written or isinstance(value, Order)  # sets have no order

    round_trip()


@pytest.mark.parametrize("case", CASES)
def test_serde_of_random_bytes_raises_errors_that_handlers_see(case: str) -> None:
    """Whatever the bytes: a value, or an error that blames them; never one that blames the registry or ends Python."""
    make, _ = CASES[case]
    serde = bound(make())
    head = b"\x00\x00\x00\x00\x01" if case in FRAMED else b""

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.binary(max_size=12), st.booleans())
    def reads(data: bytes, framed: bool) -> None:
        try:
            serde.deserialize(head + data if framed else data)
        except Exception as error:
            if isinstance(error, SchemaRegistryError) or not str(error):
                raise

    serde.serialize(FIRST[case])
    reads()


ORDER = Order(
    id=1,
    at=datetime(2024, 5, 1, 12, tzinfo=UTC),
    day=date(2024, 5, 1),
    amount=Decimal("9.99"),
    key=UUID(int=5),
    lines=[Line(sku="a", price=Decimal("1.50"))],
    tags={"a": 1.5},
    paid=Cash("5"),
    place=Place("Ulm"),
    when=time(9, 30),
)
FIRST: dict[str, Any] = {
    name: ORDER
    if name.endswith(("struct", "plain avro"))
    else Line(sku="a", price=Decimal("1.50"))
    if name.endswith("model")
    else Place("Ulm")
    if name.endswith("dataclass")
    else {"a": 1}
    if name.endswith("dicts")
    else BillLine(sku="a")
    if name == "nested protobuf"
    else Small(1)
    if name == "messagepack"
    else Bill(id=1)
    for name in CASES
}


@pytest.mark.parametrize("case", FRAMED)
def test_framed_value_begins_with_its_schemas_id(case: str) -> None:
    registry = SchemaRegistry("mock://tests")
    serde = CASES[case][0]().bound(Destination("orders", "value", registry))
    magic, schema_id = struct.unpack_from(">bI", serde.serialize(FIRST[case]))
    assert magic == 0
    assert registry.client.get_latest_version("orders-value").schema_id == schema_id


@pytest.mark.parametrize("case", FRAMED)
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "0 bytes that begin with nothing"),
        (b'{"id": 1}', "begin with 7b 22 69 64 22"),
        (b"\x00\x00\x00", "begin with 00 00 00"),
        (b"\x00\x00\x00\x03\xe7\x00\x01", "has no schema 999"),
    ],
)
def test_bytes_without_a_known_frame_are_named(case: str, data: bytes, message: str) -> None:
    serde = bound(CASES[case][0]())
    if case.startswith("json") and "999" in message:  # its type or own schema is enough to read it
        message = "."
    with pytest.raises(ValueError, match=message):
        serde.deserialize(data)


@pytest.mark.parametrize("case", FRAMED)
def test_value_cut_short_is_an_error(case: str) -> None:
    serde = bound(CASES[case][0]())
    written = serde.serialize(FIRST[case])
    if "protobuf" in case:
        written += b"\x12\x7f"  # a field of 127 bytes, of which there are none
    else:
        written = written[:-1]
    with pytest.raises(Exception, match=r"\w"):
        serde.deserialize(written)


class CountingClient:
    """Counts what is asked of a registry."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        self.calls.append(name)
        return getattr(self._client, name)


@pytest.mark.parametrize("case", FRAMED)
def test_registry_is_asked_once_not_per_record(case: str) -> None:
    registry = SchemaRegistry("mock://tests")
    counting = CountingClient(registry.client)
    registry._client = counting  # type: ignore[assignment]
    serde = CASES[case][0]().bound(Destination("orders", "value", registry))
    serde.deserialize(serde.serialize(FIRST[case]))
    asked = list(counting.calls)
    for _ in range(5):
        serde.deserialize(serde.serialize(FIRST[case]))
    assert counting.calls == asked


@pytest.mark.parametrize("case", FRAMED)
def test_serde_that_is_bound_to_no_topic_says_so(case: str) -> None:
    with pytest.raises(ConfigError, match="is for no topic yet"):
        CASES[case][0]().serialize(FIRST[case])


@pytest.mark.parametrize("case", FRAMED)
def test_serde_without_registry_names_the_ways_to_give_one(case: str) -> None:
    with pytest.raises(ConfigError, match=r"schema_registry_url=.*registry="):
        CASES[case][0]().bound(Destination("orders", "value"))


@pytest.mark.parametrize("case", FRAMED)
def test_serdes_are_equal_only_for_the_same_topic_and_schema(case: str) -> None:
    serde = CASES[case][0]()
    assert bound(serde) == bound(serde)
    assert bound(serde) != bound(serde, "bills")
    assert bound(serde) != serde


@pytest.mark.parametrize("case", FRAMED)
def test_schema_that_is_not_registered_is_refused_without_auto_register(case: str) -> None:
    serde = bound(CASES[case][0](), auto_register=False)
    with pytest.raises(SchemaRegistryError, match=r"register it first.*schema_registry_auto_register"):
        serde.serialize(FIRST[case])


@pytest.mark.parametrize("case", FRAMED)
def test_registry_that_does_not_answer_is_told_from_bad_bytes(case: str) -> None:
    registry = SchemaRegistry("http://127.0.0.1:9", config={"max.retries": 0, "timeout": 1})
    serde = CASES[case][0]().bound(Destination("orders", "value", registry))
    with pytest.raises(SchemaRegistryError, match=r"127\.0\.0\.1:9 cannot be asked .* is it running"):
        serde.serialize(FIRST[case])


@pytest.mark.parametrize(
    ("names", "subjects"),
    [
        ("topic", ["orders-value"]),
        ("record", ["Small"]),
        ("topic_record", ["orders-Small"]),
    ],
)
@pytest.mark.parametrize("make", [Avro, JsonSchema])
def test_subject_is_named_by_the_strategy(names: Any, subjects: list[str], make: Any) -> None:
    registry = SchemaRegistry("mock://tests", subject_names=names)
    make(Small).bound(Destination("orders", "value", registry)).serialize(Small(1))
    assert registry.client.get_subjects() == subjects


def test_keys_and_values_have_subjects_of_their_own() -> None:
    registry = SchemaRegistry("mock://tests")
    for role in ("key", "value"):
        Avro(Small).bound(Destination("orders", role, registry)).serialize(Small(1))
    assert sorted(registry.client.get_subjects()) == ["orders-key", "orders-value"]


class Before(msgspec.Struct):
    id: int
    old: str = "gone"


class After(msgspec.Struct):
    id: float
    new: str = "added"


def test_avro_written_with_an_older_schema_is_resolved_to_the_types() -> None:
    registry = SchemaRegistry("mock://tests")
    where = Destination("orders", "value", registry)
    old, new = Avro(Before).bound(where), Avro(After, name="Before").bound(where)
    written = old.serialize(Before(7))
    assert new.deserialize(written) == After(7.0)
    assert Avro().bound(where).deserialize(written) == {"id": 7, "old": "gone"}
    assert new.deserialize(new.serialize(After(1.5))) == After(1.5)


def test_avro_schema_that_cannot_be_resolved_blames_the_record() -> None:
    where = Destination("orders", "value", SchemaRegistry("mock://tests"))
    written = Avro(Before).bound(where).serialize(Before(7))
    other = Avro(schema={"type": "record", "name": "Before", "fields": [{"name": "else", "type": "string"}]}).bound(
        where
    )
    with pytest.raises(Exception, match="else"):
        other.deserialize(written)


def test_latest_version_of_the_subject_is_written_if_asked_for() -> None:
    registry = SchemaRegistry("mock://tests", use_latest_version=True)
    first = SchemaRegistry("mock://tests")
    first._client = registry.client  # one registry
    Avro(Before).bound(Destination("orders", "value", first)).serialize(Before(1))
    latest = Avro(schema={"type": "record", "name": "Before", "fields": [{"name": "id", "type": "double"}]})
    latest.bound(Destination("orders", "value", first)).serialize({"id": 1.0})
    where = Destination("orders", "value", registry)
    written = Avro(Before).bound(where).serialize(Before(1))
    assert struct.unpack_from(">bI", written)[1] == registry.client.get_latest_version("orders-value").schema_id
    assert Avro().bound(where).deserialize(written) == {"id": 1.0}


def test_json_that_its_type_does_not_allow_names_the_field() -> None:
    serde = bound(JsonSchema(Small))
    written = serde.serialize(Small(1))
    with pytest.raises(msgspec.ValidationError, match=r"got `str` - at `\$\.id`"):
        serde.deserialize(written[:5] + b'{"id": "x"}')


def test_json_that_its_schema_does_not_allow_names_the_field_both_ways() -> None:
    schema = {"type": "object", "title": "T", "properties": {"a": {"type": "array", "items": {"type": "integer"}}}}
    serde = bound(JsonSchema(schema=schema))
    written = serde.serialize({"a": [1]})
    with pytest.raises(ValueError, match=r"at `\$\.a\[1\]`"):
        serde.serialize({"a": [1, "x"]})
    with pytest.raises(ValueError, match=r"at `\$\.a\[0\]`"):
        serde.deserialize(written[:5] + b'{"a": ["x"]}')


def test_json_of_unknown_type_is_checked_by_the_schema_it_was_written_with() -> None:
    where = Destination("orders", "value", SchemaRegistry("mock://tests"))
    written = JsonSchema(Small).bound(where).serialize(Small(1))
    reader = JsonSchema().bound(where)
    assert reader.deserialize(written) == {"id": 1, "name": None}
    with pytest.raises(ValueError, match=r"at `\$\.id`"):
        reader.deserialize(written[:5] + b'{"id": "x"}')


def test_protobuf_message_of_another_type_is_refused() -> None:
    where = Destination("orders", "value", SchemaRegistry("mock://tests"))
    written = Protobuf(Customer).bound(where).serialize(Customer(name="ann"))
    with pytest.raises(ValueError, match=r"is a shop\.Customer, and a shop\.Bill is read here"):
        Protobuf(Bill).bound(where).deserialize(written)


def test_protobuf_registers_the_files_it_imports() -> None:
    registry = SchemaRegistry("mock://tests")
    Protobuf(Bill).bound(Destination("bills", "value", registry)).serialize(Bill(id=1))
    (reference,) = registry.client.get_latest_version("bills-value").schema.references
    assert (reference.name, reference.subject, reference.version) == ("money.proto", "money.proto", 1)


@pytest.mark.parametrize(("path", "message"), [(b"\x00", Customer), (b"\x02\x02", Bill), (b"\x04\x02\x00", BillLine)])
def test_protobuf_says_where_in_its_file_the_message_is(path: bytes, message: Any) -> None:
    written = bound(Protobuf(message)).serialize(message())
    assert written[5:] == path


def test_wrong_class_is_refused_by_protobuf() -> None:
    with pytest.raises(TypeError, match=r"a shop\.Bill is written here, not a Customer"):
        bound(Protobuf(Bill)).serialize(Customer())
    with pytest.raises(ConfigError, match="message class that protoc made"):
        Protobuf(dict)


@pytest.mark.parametrize("make", [lambda: Avro(Small), lambda: Protobuf(Bill)])
def test_missing_extra_is_named_with_its_install_line(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("fastavro", "google.protobuf"):
        monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(ConfigError, match=r"pip install 'headrace\[(avro|protobuf)\]'"):
        make()


def test_schema_that_is_none_is_refused_where_it_is_declared() -> None:
    with pytest.raises(ConfigError, match="not valid Avro"):
        Avro(schema={"type": "recorded", "name": "x"})
    with pytest.raises(ConfigError, match="no JSON schema"):
        JsonSchema(schema={"type": "objekt"})
    with pytest.raises(ConfigError, match="does not tell its schema"):
        Avro(wire_format="plain")


def test_bytes_behind_a_plain_avro_value_are_an_error() -> None:
    serde = Avro(Small, wire_format="plain")
    with pytest.raises(ValueError, match="1 bytes are left"):
        serde.deserialize(serde.serialize(Small(1)) + b"x")


def test_binding_keeps_the_registry_where_the_next_destination_names_none() -> None:
    registry = SchemaRegistry("mock://tests")
    again = Avro(Small).bound(Destination("a", "value", registry)).bound(Destination("b", "value"))
    again.serialize(Small(1))
    assert registry.client.get_subjects() == ["b-value"]
