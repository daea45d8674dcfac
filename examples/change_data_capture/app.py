"""A database's tables, kept up to date from its change events, joined, added up and asked.

    shop.public.customers ──> row after ──> table ──(foreign key)──┐
                                            [customers]            │
    shop.public.orders ─────> row after ──> table ───────────────> join ──> by country ──> orders, cents
                                            [orders]               [named-orders]          [sales-by-country]

The events are as Debezium writes them: an envelope with the row before and after a change, `op` c, u, d or r
(created, updated, deleted, read by the first snapshot), and behind each deletion a tombstone, so that the topic can
be compacted. The row after a change, or nothing, is just what a table is made of.

What is added up follows the tables: an order that is cancelled goes out of the sum of its country, a customer who
moves takes their orders to another one. Nothing of that has to be programmed: a grouped table takes old values out
and puts new ones in.

    python -m examples.change_data_capture        a day of a shop's database, and what the tables say

or live:

    headrace dev examples/change_data_capture/app.py:app
    headrace produce shop.public.customers --key '{"id": 1}' \
        '{"before": null, "after": {"id": 1, "name": "Ann", "country": "NL"}, "op": "c", "ts_ms": 1772434800000}'
    headrace produce shop.public.orders --key '{"id": 7}' \
        '{"before": null, "after": {"id": 7, "customer_id": 1, "cents": 1250}, "op": "c", "ts_ms": 1772434801000}'
    headrace query sales-by-country NL
"""

from __future__ import annotations

from typing import Generic, Literal, TypeVar

import msgspec

from streams import App, F, count, sum_

Row = TypeVar("Row")


class Id(msgspec.Struct, frozen=True):
    """The key of a change event: the row's primary key, as JSON."""

    id: int


class Change(msgspec.Struct, Generic[Row]):
    """Debezium's envelope, as far as it matters here; what else it has is passed over."""

    op: Literal["c", "u", "d", "r"]
    after: Row | None = None
    before: Row | None = None


class Customer(msgspec.Struct):
    id: int
    name: str
    country: str


class Order(msgspec.Struct):
    id: int
    customer_id: int
    cents: int


class NamedOrder(msgspec.Struct):
    customer: str
    country: str
    cents: int


def is_change(key: Id, change: Change[Row] | None) -> bool:
    """Not so the tombstone behind a deletion, which says once more what the deletion has said."""
    return change is not None


app = App("change-data-capture")

customers = (
    app.stream("shop.public.customers", key=Id, value=Change[Customer])
    .filter(is_change)
    .map_values(F.after, value=Customer)  # None after a deletion, which takes the row out of the table
    .to_table(store="customers")
)
orders = (
    app.stream("shop.public.orders", key=Id, value=Change[Order])
    .filter(is_change)
    .map_values(F.after, value=Order)
    .to_table(store="orders")
)

named_orders = orders.join(
    customers,
    lambda order, customer: NamedOrder(customer.name, customer.country, order.cents),
    foreign_key=lambda order: Id(order.customer_id),
    store="named-orders",
)
(
    named_orders.group_by(F.country)
    .aggregate(orders=count(), cents=sum_(F.cents), store="sales-by-country")
    .to_stream()
    .to("sales-by-country")
)

if __name__ == "__main__":
    app.run()
