"""`faust.Record` values, against Faust's own reading and writing."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Optional

import faust
import pytest
from faust.exceptions import DecodeError
from faust.models.fields import IntegerField
from faust.serializers.registry import Registry
from hypothesis import given, settings
from hypothesis import strategies as st

from streams import App, F, Json, SerdeError
from streams.serde import serde_for
from streams.testing import TopologyTestDriver

FAUST = Registry(key_serializer="raw", value_serializer="json")
"""How a Faust application reads and writes."""


class Item(faust.Record):
    sku: str
    count: int = 1


class Order(faust.Record):
    id: str
    first: Item
    items: list[Item]
    by_name: dict[str, Item]
    gift: Item | None = None
    note: Optional[str] = None  # noqa: UP045 (as Faust's users write it)


class Payment(faust.Record, coerce=True, include_metadata=False):
    at: datetime
    amount: Decimal
    fee: Decimal | None = None
    refunds: list[datetime] = []  # noqa: RUF012 (Faust's way)


class Shape(faust.Record, abstract=True, polymorphic_fields=True):
    name: str


class Circle(Shape):
    radius: float


class Square(Shape):
    side: float
    inner: Item | None = None


class Named(faust.Record, validation=True):
    id: int
    age: int = IntegerField(max_value=150, required=False, default=1)


class Packed(faust.Record, serializer="json|binary"):
    word: str


class Drawing(faust.Record):
    shapes: list[Shape]


words = st.text(max_size=4)
numbers = st.integers(-(2**53), 2**53)
reals = st.floats(allow_nan=False, allow_infinity=False)
moments = st.datetimes(datetime(1980, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)).map(
    lambda at: at.replace(fold=0)
)
sums = st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**6), max_value=10**6)
items = st.builds(Item, sku=words, count=numbers)
circles = st.builds(Circle, name=words, radius=reals)
squares = st.builds(Square, name=words, side=reals, inner=st.none() | items)
VALUES: dict[type, st.SearchStrategy[Any]] = {
    Item: items,
    Order: st.builds(
        Order,
        id=words,
        first=items,
        items=st.lists(items, max_size=3),
        by_name=st.dictionaries(words, items, max_size=3),
        gift=st.none() | items,
        note=st.none() | words,
    ),
    Payment: st.builds(Payment, at=moments, amount=sums, fee=st.none() | sums, refunds=st.lists(moments, max_size=2)),
    Shape: circles | squares,
    Drawing: st.builds(Drawing, shapes=st.lists(circles | squares, max_size=3)),
    Named: st.builds(Named, id=numbers, age=st.integers(0, 150)),
    Packed: st.builds(Packed, word=words),
}


@pytest.mark.parametrize("kind", VALUES, ids=lambda kind: kind.__name__)
def test_record_is_read_by_faust_as_we_wrote_it_and_by_us_as_faust_wrote_it(kind: Any) -> None:
    serde, codec = serde_for(kind, role="value"), kind._options.serializer

    @settings(max_examples=40)
    @given(VALUES[kind])
    def both_ways(value: Any) -> None:
        ours, theirs = serde.serialize(value), FAUST.dumps_value(kind, value)
        assert ours == theirs
        read = serde.deserialize(theirs)
        # Of an abstract class Faust reads the fields of records only; there, and without a type, it finds the class.
        assert read == FAUST.loads_value(None if kind is Shape else kind, ours, serializer=codec) == value
        assert type(read) is type(value)
        assert repr(read) == repr(value)  # decimals and dates are these, not their text
        assert serde.serialize(read) == ours

    both_ways()


@given(st.recursive(st.none() | words | numbers | reals, lambda inner: st.lists(inner, max_size=2)), st.booleans())
def test_what_faust_refuses_is_refused_and_what_it_reads_is_read(value: Any, whole: bool) -> None:
    data = Json().serialize({"id": value} if whole else value)
    serde = serde_for(Named, role="value")
    try:
        theirs = FAUST.loads_value(Named, data, serializer="json")
    except DecodeError:
        with pytest.raises(ValueError, match="Named"):
            serde.deserialize(data)
    else:
        assert serde.deserialize(data) == theirs


def test_class_named_by_the_record_counts_only_where_the_declared_one_is_polymorphic() -> None:
    """As on a Faust topic with a value type: programs have their classes in modules of their own."""
    item = serde_for(Item, role="value").deserialize(b'{"sku":"a","__faust":{"ns":"other.program.Item"}}')
    assert item == Item("a")
    drawn = serde_for(Shape, role="value").deserialize(Circle("c", 1.5).dumps(serializer="json"))
    assert drawn == Circle("c", 1.5)


@pytest.mark.parametrize(
    ("kind", "data", "message"),
    [
        (Item, b"5", "a Item is an object with fields, not int"),
        (Order, b'{"id":"x","first":{"sku":"a"}}', "Order has no items, by_name"),
        (Payment, b'{"at":"noon","amount":"1"}', "Payment.at: .*noon"),
        (Payment, b'{"at":"2020-01-01","amount":"much"}', "Payment.amount: "),
        (Named, b'{"id":"x"}', "Named.id: invalid literal for int"),
        (Named, b'{"id":1,"age":200}', "Named.age: age cannot be more than 150"),
        (Shape, b'{"name":"x"}', "a Shape is wanted, and the record names no class"),
        (Shape, b'{"name":"x","__faust":{"ns":"a.B"}}', "Shape is abstract: .*'a.B'"),
        (Shape, Item("a").dumps(serializer="json"), "a Shape is wanted, and the record is a Item"),
        (Order, b'{"id":"x","first":3,"items":[],"by_name":{}}', "Order.first: .*int"),
        (Order, b'{"id":"x","first":{"sku":"a"},"items":[{"n":1}],"by_name":{}}', "Order.items: .*sku"),
        (Order, b'{"id":"x","first":{"sku":"a"},"items":[],"by_name":{"k":{}}}', "Order.by_name: .*sku"),
    ],
)
def test_what_is_no_record_is_refused_by_the_name_of_its_field(kind: Any, data: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        serde_for(kind, role="value").deserialize(data)


def test_record_that_does_not_fit_is_a_deserialization_error_with_topic_and_offset() -> None:
    app = App("app")
    app.stream("orders", key=str, value=Order).map_values(F.first.sku).to("out")
    with TopologyTestDriver(app) as driver:
        orders = driver.input_topic("orders")
        orders.pipe(Order("o", Item("a"), [], {}), key="k")
        assert driver.output_topic("out").read().value == "a"
        bad = b'{"id":"x","first":{"count":"many"},"items":[],"by_name":{}}'
        with pytest.raises(SerdeError, match=r"orders\[0\] at offset 1 is no valid .*Order.first: .*sku"):
            driver.input_topic("orders", value=bytes).pipe(bad, key="k")
